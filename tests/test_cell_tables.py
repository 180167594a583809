"""Tables of cells on CartPole: what they learn, and what lesson 03 says of them."""

from functools import partial

import numpy as np
import pytest

from course_lib.agents import cell_tables

ENV = "CartPole-v1"


def cell(obs: np.ndarray, bins: tuple[int, ...]) -> np.ndarray:
    """The cells of lesson 03."""
    place = np.clip((obs / [2.4, 3.0, 0.21, 2.0] + 1) / 2 * bins, 0, np.array(bins) - 1)
    return np.ravel_multi_index(place.astype(int).T, bins)


CHOSEN, ALIKE = (1, 1, 6, 12), (8, 8, 8, 8)


def learn(bins: tuple[int, ...], **how: object) -> tuple:
    usual = {
        "env_id": ENV, "num_tables": 10, "num_steps": 50_000, "evaluate_every": 2_500,
        "target": 495, "learning_rate": 0.1, "gamma": 0.99, "epsilon": 0.1,
    }  # fmt: skip
    cells = partial(cell, bins=bins)
    return cell_tables.learn(cells, int(np.prod(bins)), **(usual | how))


def test_one_table_learns_as_the_update_rule_says() -> None:
    how = {"num_tables": 1, "evaluate_every": 1, "target": np.inf, "epsilon": 0.0, "gamma": 0.9}
    seen: list[int] = []

    def note(obs: np.ndarray) -> np.ndarray:
        if len(obs) == 1:  # not an evaluation
            seen.append(int(cell(obs, CHOSEN)[0]))
        return cell(obs, CHOSEN)

    usual = {"env_id": ENV, "learning_rate": 0.5, "num_steps": 3}
    best, rows = cell_tables.learn(note, 72, rng=np.random.default_rng(0), **(usual | how))
    assert len(seen) == 4
    assert len(rows) == 3
    assert 0 < best.sum() <= 0.5 + 0.725 + 0.82625


def test_a_table_that_plays_well_enough_stays_as_it_is() -> None:
    _, rows = learn(CHOSEN, num_steps=2_000, evaluate_every=500, target=0.0,
                    rng=np.random.default_rng(0))  # fmt: skip
    assert len(rows) == 1, "all met the target, so all is over"
    assert cell_tables.steps_to(rows, 0.0).tolist() == [500.0] * 10
    assert np.isnan(cell_tables.steps_to(rows, 501.0)).all()
    assert np.isnan(cell_tables.steps_to([], 0.0)).all()


def test_an_interrupt_keeps_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    def press(rows: list) -> None:
        if len(rows) == 2:
            raise KeyboardInterrupt

    tables, rows = learn(CHOSEN, evaluate_every=200, rng=np.random.default_rng(0), on_row=press)
    assert len(rows) == 2
    assert tables.any()
    assert "Stopped after 400 steps; the tables are kept." in capsys.readouterr().out


@pytest.mark.full
def test_chosen_cells_often_reach_500_and_cells_that_nobody_chose_hardly_ever() -> None:
    def reach(bins: tuple[int, ...]) -> int:
        tables, _ = learn(bins, num_tables=40, rng=np.random.default_rng(1))
        means = cell_tables.play(tables, partial(cell, bins=bins), ENV, seed=2).mean(axis=1)
        return int((means >= 475).sum())

    assert reach(CHOSEN) >= 16  # of 40
    assert reach(ALIKE) <= 4
