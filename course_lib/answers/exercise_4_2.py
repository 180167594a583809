"""Answer to exercise 4.2; `make build` writes it from the lesson."""


# EXERCISE 4.2
def sees_future(feature, table, row):
    """Return whether values up to and including row depend on prices after row."""
    changed = table.copy()
    changed.iloc[row + 1 :] *= 2.0
    before = feature(table).iloc[: row + 1]
    after = feature(changed).iloc[: row + 1]
    return not before.equals(after)


ANSWER = sees_future
