"""Results of corpora that no registry knows that was read: whoever ran them passed `--datasets`."""

from __future__ import annotations

from stored import FakeRegistry, Filled, current, experiment

from emobench import leaderboard


def test_results_of_an_unknown_corpus_ask_for_the_registry_of_the_run(tmp_path):
    (tmp_path / "results").mkdir()
    filled = Filled(tmp_path / "results")
    filled.run(experiment(corpus="mine"))

    def build(**options):
        known = {"registry": FakeRegistry(), "current": lambda stored: None, **options}
        board = leaderboard.build(filled.results, protocol="keesing2020", **known)
        return board, [notice.text for notice in board.notices if notice.kind == "stale"]

    board, (told,) = build()
    assert not board.rows
    assert told.endswith(
        "no registry that was read knows its corpus; pass --datasets as for the run"
    )
    _, told = build(current=current)
    assert told == []
