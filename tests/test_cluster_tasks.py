"""Waiting for tasks: in order, with a clock; what is stopped or fails ends the others."""

import collections

import pytest
import ray

from course_lib import cells
from course_lib.cluster import ClusterError, tasks
from course_lib.cluster.tasks import gather


class Fake:
    """Ray's part of it: task number n is done after n + 1 waits, and gives 10 n."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, problem: tuple[int, type] | None) -> None:
        self.cancelled: list[int] = []
        self.done_already, self.pressed_again = -1, False
        self.end_themselves: list[int] = []
        self.order, self.problem = [2, 0, 3, 1], problem
        for name in ("wait", "get", "cancel"):
            monkeypatch.setattr(ray, name, getattr(self, name))
        monkeypatch.setattr(tasks, "_ended", collections.deque())

    def wait(self, refs: list[int], *, num_returns: int, timeout: float) -> tuple[list, list]:
        if timeout == 0:  # what is ended is looked at once more
            assert num_returns == len(refs)
            return [ref for ref in refs if ref == self.done_already], [
                ref for ref in refs if ref != self.done_already
            ]
        if timeout == tasks.QUIET_S:  # before tasks are ended: some end by themselves meanwhile
            if self.pressed_again:
                raise KeyboardInterrupt
            ended = [ref for ref in self.end_themselves if ref in refs][:1]
            return ended, [ref for ref in refs if ref not in ended]
        assert (num_returns, timeout) == (1, 0.5)
        self.waits = getattr(self, "waits", 0) + 1
        if self.waits % 2:  # not yet
            return [], refs
        first = next(ref for ref in self.order if ref in refs)
        return [first], [ref for ref in refs if ref != first]

    def get(self, ref: int) -> int:
        if self.problem and ref == self.problem[0]:
            raise self.problem[1]("here")
        return 10 * ref

    def cancel(self, ref: int, *, force: bool) -> None:
        assert force
        self.cancelled.append(ref)


def test_values_come_in_the_order_of_the_tasks(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    fake = Fake(monkeypatch, None)
    assert gather(range(4), desc="runs") == [0, 10, 20, 30]
    assert fake.cancelled == []
    said = capsys.readouterr().out
    assert said.count("runs:") > 8, "the clock moves also while nothing ends"
    assert "Stopped" not in said


def test_an_interrupt_keeps_what_is_done_and_ends_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    fake = Fake(monkeypatch, (3, KeyboardInterrupt))
    assert gather(range(4), unit="run") == [0, 20]
    assert fake.cancelled == [1]
    assert "Stopped: 2 of 4 runs are done and kept; the rest was ended." in capsys.readouterr().out


@pytest.mark.parametrize("problem", [(2, KeyboardInterrupt), (0, ValueError)])
def test_nothing_done_or_an_error_ends_them_all(
    monkeypatch: pytest.MonkeyPatch, problem: tuple[int, type]
) -> None:
    fake = Fake(monkeypatch, problem)
    with pytest.raises(problem[1]):
        gather(range(4))
    assert sorted(fake.cancelled) == [one for one in (0, 1, 3) if one != problem[0]]


def test_each_is_ended_once_the_last_first_and_what_ends_by_itself_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Fake(monkeypatch, (2, KeyboardInterrupt))
    fake.done_already, fake.end_themselves = 5, [1, 0]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            gather(range(6))
    assert fake.cancelled == [4, 3]


def test_a_second_press_ends_them_without_more_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, (2, KeyboardInterrupt))
    fake.pressed_again, fake.end_themselves = True, list(range(1_000))
    with pytest.raises(KeyboardInterrupt):
        gather(range(5))
    assert fake.cancelled == [4, 3, 1, 0]


def test_tasks_that_never_cease_to_end_are_ended_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, (2, KeyboardInterrupt))
    fake.end_themselves = list(range(1_000))
    clock = iter(range(1_000))
    monkeypatch.setattr(tasks.time, "monotonic", lambda: next(clock) * tasks.SETTLE_S / 3)
    with pytest.raises(KeyboardInterrupt):
        gather(range(100))
    assert 90 < len(fake.cancelled) < 99


def test_a_stopped_cell_ends_the_tasks_that_its_functions_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "ObjectRef", int)
    fake = Fake(monkeypatch, None)

    def of_the_learner(refs: list[int]) -> None:
        one, several = 7, ("a seed", [1, 2])  # noqa: F841
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        of_the_learner([4, 5])
    assert [one(stopped.value) for one in cells.ended] == [None]
    assert sorted(fake.cancelled) == [1, 2, 4, 5, 7]
    with pytest.raises(ValueError, match="another") as failed:
        of_another([4])
    assert [one(failed.value) for one in cells.ended] == [None]
    assert len(fake.cancelled) == 5


def of_another(refs: list[int]) -> None:
    raise ValueError("another")


def test_where_no_ray_runs_a_cell_says_what_to_do() -> None:
    error = ray.exceptions.RaySystemError("Ray has not been started yet.")
    [shown] = [one(error) for one in cells.ended]
    assert isinstance(shown, ClusterError)
    assert "connect()" in str(shown)
