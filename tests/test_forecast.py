"""When a whole plan will be done: a clock that the test sets, and events that it tells."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from conftest import perform_here
from rich.console import Console

from emobench.cli.progress import Progress, at
from emobench.cli.watching import observed
from emobench.costs import Cost, Estimate, FeatureCost, Figure, Forecast, together
from emobench.executors import Event, Outcome, Work
from emobench.models import get
from emobench.runs import Selection, execute, plan
from emobench.runs.handing_out import Step
from emobench.spec import Experiment, Job, Places

BEGIN = datetime(2026, 3, 4, 12, 0).timestamp()
NOWHERE = Places(Path("results"), Path("cache"))


@dataclass
class Clock:
    """Tells the time that the test says."""

    now: float = BEGIN

    def __call__(self) -> float:
        return self.now


def experiment(model: str, backend: str = "scikit-learn") -> Experiment:
    return Experiment("c", model, "losgo", backend, {}, "", 10, 1)


def cost(model: str, seconds: float, jobs: int = 4, *, known: bool = True, **more) -> Cost:
    each = {Job(number): seconds for number in range(jobs)}
    told = Figure(seconds * jobs, "records") if known else None
    return Cost(experiment(model, **more), 0, each, told, None, Figure(0.0, "rough"))


def done(forecast: Forecast, about: Experiment, jobs: Iterable[int], since: float, took: float):
    """Let jobs be done one after another, and return when the last was."""
    for number in jobs:
        forecast.started(about, Job(number), since)
        since += took
        forecast.finished(about, Job(number), since)
    return since


def left(forecast: Forecast, now: float = BEGIN) -> float:
    return forecast.remaining(now).seconds


def test_what_is_estimated_is_shared_by_workers():
    costs = (cost("a", 10), cost("b", 100, 2))
    assert left(Forecast(Estimate(costs))) == 240
    assert left(Forecast(Estimate(costs, processes=2))) == 120
    assert left(Forecast(Estimate(costs, processes=8))) == 100  # no job is parted


def test_networks_on_cards_go_on_beside_estimators():
    costs = (cost("a", 10), cost("net", 30, backend="jax"))
    assert left(Forecast(Estimate(costs, cards=1))) == 120
    assert left(Forecast(Estimate(costs, cards=4))) == 40


def test_features_count_until_they_are_extracted():
    one = FeatureCost("c", "is09", "", Figure(60.0, "measured"), None)
    forecast = Forecast(Estimate((cost("a", 10),), (one,)))
    assert left(forecast) == 100
    forecast.extracted("c", "is09", 0.5)
    forecast.extracted("c", "sound", 1.0)  # of this nothing was said
    assert left(forecast) == 70
    forecast.extracted("c", "is09", 1.0)
    assert left(forecast) == 40


@pytest.mark.parametrize(
    ("spare", "expected"),
    [
        (0, 15 + 40 + 60 / 2),  # nothing is left for features while jobs run
        (1, 15 + 40 + (60 - 40) / 2),
        (2, 15 + 40),  # extracted long before
    ],
)
def test_features_are_extracted_beside_jobs_but_for_the_first(spare, expected):
    features = (
        FeatureCost("c", "is09", "", Figure(30.0, "measured"), None, ahead=True),
        FeatureCost("c", "logmel", "", Figure(60.0, "measured"), None),
    )
    whole = Estimate((cost("a", 10, 4), cost("b", 20, 2)), features, processes=2, spare=spare)
    assert whole.seconds == expected
    forecast = Forecast(whole)
    assert left(forecast) == expected
    forecast.extracted("c", "is09", 1.0)
    assert left(forecast) == expected - 15
    forecast.extracted("c", "logmel", 0.5)
    assert left(forecast) == 40 + max(30 - 40 * spare, 0) / 2


def test_plans_that_need_the_same_features_extract_them_once():
    one = FeatureCost("c", "is09", "", Figure(30.0, "measured"), None, ahead=True)
    both = together([Estimate((), (one,)), Estimate((), (replace(one, ahead=False),))])
    assert both.seconds == 30


def test_features_under_several_conditions_are_extracted_one_after_another():
    second = Figure(1000.0, "measured")
    features = tuple(
        FeatureCost("c", "is09", name, second, None) for name in ("", "mp3-8k", "mp3-16k")
    )
    forecast = Forecast(Estimate((), features, 1, 0))
    for part, expected in ((0.5, 2500), (1.0, 2000), (0.1, 1900), (1.0, 1000), (1.0, 0)):
        forecast.extracted("c", "is09", part)
        assert left(forecast) == pytest.approx(expected)


def test_a_start_of_which_a_scheduler_told_late_teaches_nothing_wrong():
    svm = cost("svm-is09", 600.0, 10)
    forecast = Forecast(Estimate((svm,), (), 1, 0))
    forecast.started(svm.experiment, Job(0), BEGIN)
    forecast.finished(svm.experiment, Job(0), BEGIN, 600.0)
    assert left(forecast) == pytest.approx(9 * 600)


def test_what_was_observed_corrects_what_records_said():
    """Twice as slow as told: the more jobs are done, the nearer the rest comes to twice."""
    forecast = Forecast(Estimate((cost("a", 10, 10),)))
    now, seen = BEGIN, [left(forecast)]
    for number in range(9):
        now = done(forecast, experiment("a"), [number], now, 20.0)
        seen.append(left(forecast, now) / (9 - number))
    assert seen[0] == 100
    assert seen[1:] == sorted(seen[1:])
    assert seen[1] == pytest.approx(15)  # what records said weighs as much as one job
    assert seen[-1] == pytest.approx(19)


def test_a_slow_machine_is_slow_for_other_models_too():
    forecast = Forecast(Estimate((cost("a", 10, 2), cost("b", 50, 1))))
    now = done(forecast, experiment("a"), [0, 1], BEGIN, 30.0)
    assert left(forecast, now) == pytest.approx(150)


def test_jobs_of_a_moment_say_nothing_of_how_fast_a_machine_is():
    """An estimator that was said to take milliseconds took the seconds of a worker's start."""
    costs = (cost("moment", 0.002, 2), cost("net", 50, 4))
    forecast = Forecast(Estimate(costs))
    now = done(forecast, costs[0].experiment, [0, 1], BEGIN, took=3)
    assert left(forecast, now) == pytest.approx(200)


def test_of_what_is_not_known_one_job_tells_all():
    forecast = Forecast(Estimate((cost("new", 1, 5, known=False),)))
    assert forecast.remaining(BEGIN).rough
    now = done(forecast, experiment("new"), [0], BEGIN, 300.0)
    assert not forecast.remaining(now).rough
    assert left(forecast, now) == pytest.approx(4 * 300)


def test_epochs_tell_when_a_running_job_ends():
    forecast = Forecast(Estimate((cost("net", 100, 1, backend="jax"),)))
    forecast.started(experiment("net", "jax"), Job(0), BEGIN)
    assert left(forecast, BEGIN + 40) == 60
    assert left(forecast, BEGIN + 400) == 0  # overdue
    forecast.reached(experiment("net", "jax"), Job(0), 0.25)
    assert left(forecast, BEGIN + 100) == pytest.approx(300)
    forecast.put_back(experiment("net", "jax"), Job(0))
    assert left(forecast, BEGIN + 100) == 100


def test_what_was_found_done_is_not_waited_for():
    forecast = Forecast(Estimate((cost("a", 10, 4),)))
    forecast.begin(experiment("a"), [Job(3)])
    assert left(forecast) == 10
    forecast.finished(experiment("other"), Job(0), BEGIN)  # never heard of
    assert left(forecast) == 10


def shown(*, terminal: bool, forecast: bool = True) -> str:
    """Return what is printed of three jobs of an hour, of which two are done in two."""
    clock, out = Clock(), io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, height=30)
    about = experiment("svm-is09")
    jobs = tuple(Job(number) for number in range(3))
    with Progress(clock, console) as progress:
        if forecast:
            progress.forecast = Forecast(Estimate((cost("svm-is09", 3_600, 3),)))
        progress.begin([Step(about, get("svm-is09"), jobs, 0)])
        for job in jobs[:2]:
            work = Work(about, job, NOWHERE)
            progress.event(Event("started", work))
            clock.now += 3_600
            progress.event(Event("done", work, record={"scores": {"uar": 0.5}}))
    return out.getvalue()


def test_lines_tell_the_finish_where_there_is_no_terminal():
    assert shown(terminal=False).splitlines() == [
        "jobs to do: 3; done before: 0; all done about 15:00 (in 3 h 00 min)",
        "[1/3] c svm-is09 fold 1/10 repetition 1: UAR 50.0 (3600 s); "
        "all done about 15:00 (in 2 h 00 min)",
        "[2/3] c svm-is09 fold 2/10 repetition 1: UAR 50.0 (3600 s); "
        "all done about 15:00 (in 1 h 00 min)",
    ]


def test_a_bar_tells_the_finish_on_a_terminal():
    text = shown(terminal=True)
    assert "[2/3] c svm-is09 fold 2/10 repetition 1: UAR 50.0 (3600 s)" in text
    assert "until 15:00" in text.split("[2/3]")[-1]


def test_without_a_forecast_nothing_is_said_of_a_finish():
    for terminal in (False, True):
        text = shown(terminal=terminal, forecast=False)
        assert "all done" not in text
        assert "until" not in text


def test_a_finish_on_another_day_has_a_date():
    assert at(BEGIN, BEGIN + 90) == "12:01"
    assert at(BEGIN, BEGIN + 86_400) == "2026-03-05 12:00"


def test_a_run_tells_when_it_will_be_done(tiny_places, monkeypatch, capsys):
    perform_here(monkeypatch, lambda work: Outcome({"scores": {"uar": 1.0}}))
    planned = plan(Selection("svm-is09", "tiny", "losgo"), tiny_places)
    with observed([planned], tiny_places) as observer:
        assert execute(planned, tiny_places, observer).done == 4
    lines = " ".join(capsys.readouterr().err.split())
    assert "jobs to do: 4; done before: 0; all done " in lines
    assert lines.count("; all done ") == 4  # of the last there is nothing left to say


def test_a_corpus_that_cannot_be_read_does_not_keep_the_others_from_being_run(
    tiny_places, monkeypatch
):
    perform_here(monkeypatch, lambda work: Outcome({}))
    planned = plan(Selection("svm-is09", ("tiny", "emo-db"), "losgo"), tiny_places)
    with observed([planned], tiny_places) as observer:
        summary = execute(planned, tiny_places, observer)
    assert summary.done == 4
    assert list(summary.failures) == ["emo-db svm-is09"]
