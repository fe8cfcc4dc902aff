"""Jobs that are trained along with another are trained once, however little memory there is."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from emobench.spec import Job
from emobench.training import ahead, together
from emobench.training.seeds import job_seed
from emobench.training.together import Trained

JOBS = [Job(fold, repetition) for repetition in (1, 2, 3) for fold in range(2)]
SEEDS = {job_seed(job): job for job in JOBS}
NO_MEMORY = "RESOURCE_EXHAUSTED: Out of memory allocating 12345 bytes."


class Card:
    """Stands in for training on a card whose memory holds so many networks."""

    def __init__(self, monkeypatch, holds: int, error: str = NO_MEMORY):
        self.trained: Counter[Job] = Counter()
        self.sizes: list[int] = []
        self.holds, self.error = holds, error
        monkeypatch.setattr(together, "train", self._train)
        monkeypatch.setattr(ahead, "_member", lambda ready, network: ready)
        monkeypatch.setattr(ahead, "_kept", {})
        monkeypatch.setattr(ahead, "_most", {})
        monkeypatch.setattr(
            ahead, "make_ready", lambda context, fold, seed, inputs: ready(SEEDS[seed], inputs)
        )
        monkeypatch.setattr(ahead, "same_network", lambda one, other: True)

    def _train(self, network, spec, members, epochs, report):
        self.sizes.append(len(members))
        if len(members) > self.holds:
            raise RuntimeError(self.error)
        self.trained.update(member.job for member in members)
        report(epochs, [0.5] * len(members))
        return [Trained((0.5,), (member.job,)) for member in members]


def ready(job, inputs=None):
    """What is needed of a fold that is ready, with the fingerprint of its experiment."""
    experiment = SimpleNamespace(fingerprint="f" * 64)
    context = SimpleNamespace(experiment=experiment, folds=range(2), model=None, epochs=4)
    return SimpleNamespace(job=job, context=context, inputs=inputs or {"of fold": job.fold})


def take(job, left, reports=None):
    told = [] if reports is None else reports
    return ahead.take(ready(job), None, job, left, lambda *report: told.append(report))


@pytest.mark.parametrize("holds", [1, 2, 3, 4, 6])
def test_what_memory_does_not_hold_is_trained_later_and_each_job_once(monkeypatch, holds):
    card = Card(monkeypatch, holds)
    for number, job in enumerate(JOBS):
        found = take(job, JOBS[number + 1 :])  # as those before are done
        assert found.trained.variables == (job,)
        assert 1 <= found.members <= holds
    assert card.trained == Counter(JOBS)
    assert ahead._kept == {}
    failed = [size for size in card.sizes if size > holds]
    assert failed == sorted(set(failed), reverse=True)  # no number is tried twice


def test_the_job_that_is_asked_for_is_among_the_first(monkeypatch):
    card = Card(monkeypatch, 2)
    reports = []
    assert take(JOBS[3], [job for job in JOBS if job != JOBS[3]], reports).trained.variables == (
        JOBS[3],
    )
    assert card.sizes == [6, 3, 2]
    assert reports == [(4, 4, 0.5)]


@pytest.mark.parametrize(
    "error",
    [
        NO_MEMORY,
        "INTERNAL: Failed to determine best cudnn convolution algorithm for: %cudnn-conv = …",
        "UNKNOWN: CUDNN_STATUS_ALLOC_FAILED in …",
        "CUDA_ERROR_OUT_OF_MEMORY",
    ],
)
def test_what_memory_does_not_hold_even_once_is_left_to_training_alone(monkeypatch, error):
    card = Card(monkeypatch, 0, error)
    for job in JOBS[:2]:
        with pytest.raises(ahead.TooLargeError):
            take(job, JOBS[2:])
    assert card.sizes == [5, 3, 2, 1]  # and is not tried again


def test_another_error_is_not_taken_for_a_want_of_memory(monkeypatch):
    card = Card(monkeypatch, 0, "INTERNAL: a fault")
    with pytest.raises(RuntimeError, match="INTERNAL"):
        take(JOBS[0], JOBS[1:])
    assert card.sizes == [6]


def test_jobs_of_another_network_are_left_for_later(monkeypatch):
    card = Card(monkeypatch, 6)
    monkeypatch.setattr(ahead, "same_network", lambda one, other: one.job.fold == other.job.fold)
    assert take(JOBS[0], JOBS[1:]).members == 3
    assert set(card.trained) == {job for job in JOBS if job.fold == 0}


def test_repetitions_share_what_was_prepared_for_their_fold(monkeypatch):
    card = Card(monkeypatch, 6)
    seen = []
    monkeypatch.setattr(ahead, "_member", lambda its, network: seen.append(its) or its)
    take(JOBS[0], JOBS[1:])
    assert card.sizes == [6]
    by_fold = {fold: {id(one.inputs) for one in seen if one.job.fold == fold} for fold in range(2)}
    assert [len(same) for same in by_fold.values()] == [1, 1]
