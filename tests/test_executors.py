from __future__ import annotations

from collections import deque

from emobench.executors import Work, _choose, _Slot
from emobench.spec import Experiment, Job, Places


def work(model: str, fold: int) -> Work:
    experiment = Experiment("tiny", model, "smoke", "tensorflow", {"model": model}, "", 2, 1)
    return Work(experiment, Job(fold), Places("results", "cache"))


def slot(current: Work | None = None, *, busy: bool = False) -> _Slot:
    return _Slot(future=object() if busy else None, work=current)


def test_a_slot_keeps_to_its_experiment():
    pending = deque([work("b", 0), work("a", 1)])
    own = slot(work("a", 0))
    assert _choose(own, [own], pending) == work("a", 1)
    assert list(pending) == [work("b", 0)]


def test_a_free_slot_takes_an_experiment_that_nobody_is_at():
    pending = deque([work("a", 1), work("b", 0)])
    other = slot(work("a", 0), busy=True)
    fresh = slot()
    assert _choose(fresh, [other, fresh], pending) == work("b", 0)


def test_with_nothing_else_left_it_helps():
    pending = deque([work("a", 1)])
    other = slot(work("a", 0), busy=True)
    fresh = slot()
    assert _choose(fresh, [other, fresh], pending) == work("a", 1)
    assert not pending
