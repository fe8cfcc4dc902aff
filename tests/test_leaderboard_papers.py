"""Tables of many models: one a paper, files and conditions apart, the headline first."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sklearn.metrics import precision_score
from stored import FakeRegistry, Filled, current, experiment, predictions

from emobench import leaderboard, models, papers, protocols
from emobench.analysis import published
from emobench.cli.leaderboard import leaderboard as command
from emobench.errors import SpecError
from emobench.leaderboard import Leaderboard, render
from emobench.metric_table import CHOICES, HEADLINE
from emobench.results.columns import Column
from emobench.spec import Job

FORMATS = ("table", "markdown", "csv", "json")
WANG = [f"wang2020-base{number}" for number in range(1, 7)] + ["wang2020-dslstm", "wang2020-dual"]
IN_ORDER = (
    *("aldeneh2017-logmel40", "aldeneh2017-logmel240", "aldeneh2017-spec240"),
    *("latif2019", "zhang2019", "zhao2019"),
    *("zhao2019-logmel40", "zhao2019-logmel240", "zhao2019-spec240", "svm-is09"),
    *WANG,
    *(f"mirsamadi2017-dnn-{name}" for name in ("mean", "mmm", "full")),
    *(f"mirsamadi2017-svm-{name}" for name in ("mean", "mmm", "full")),
    *(f"mirsamadi2017-{name}-fft" for name in ("frame", "final", "mean", "attention")),
    *(f"mirsamadi2017-{name}-lld" for name in ("frame", "final", "mean", "attention")),
    *("krishna2019-acoustic", "krishna2019-speech", "krishna2019-word"),
    *("krishna2019-combined-speech", "krishna2019-combined-word"),
    *("yoon2018-are", "yoon2018-tre", "yoon2018-mdre", "yoon2018-mdrea"),
    *("librosa-svm", "librosa-mlp", "librosa-lstm"),
    *("encoder-linear", "encoder-layer", "encoder-svm"),
)
"""Every model, paper by paper, as the papers' tables have them."""
VECTORS = {"vectors": {"sha256": "ab" * 32}}
ENCODER = {"encoder": {"name": "wavlm", "sha256": "ef" * 32}}
TEXTS = {"transcripts": {"sha256": "cd" * 32}}


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def filled(tmp_path) -> Filled:
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def build(filled: Filled, protocol: str = "losgo", **options) -> Leaderboard:
    options = {"current": current, "registry": FakeRegistry(), **options}
    return leaderboard.build(filled.results, protocol=protocol, **options)


def parsed(text: str) -> list[tuple[str, list[str], dict[str, list[str]]]]:
    """Return heading, header and rows of each Markdown table."""
    found, title = [], ""
    for line in text.splitlines():
        cells = [part.strip().replace("<br>", "") for part in line.strip("|").split("|")]
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("| corpus"):
            found.append((title, cells, {}))
        elif line.startswith("| ") and not line.startswith("| :"):
            found[-1][2][cells[0]] = cells
    return found


def heard(name: str, sides: str = "test") -> dict:
    return {"condition": {"name": name, "sides": sides, "version": 1}}


def test_a_table_a_paper_with_the_baseline_beside(filled):
    for model in ("wang2020-dual", "librosa-svm", "krishna2019-acoustic", "svm-is09", "zhao2019"):
        filled.run(experiment("emo-db", model, "losgo", n_folds=1))
    filled.run(experiment("ravdess", "wang2020-base4", "losgo", n_folds=1))
    tables = parsed(render(build(filled), "markdown"))
    assert [title for title, _, _ in tables] == [
        *("Keesing, Watson and Witbrock (ALTA 2020)", "Wang et al. (ICASSP 2020)"),
        "Krishna and Reddy (AVSP 2019)",
        "Yoon, Byun and Jung (SLT 2018), and classifiers of librosa's features",
    ]
    headers = [header for _, header, _ in tables]
    assert headers[0][-3:] == ["svm-is09", "chance", "human"]
    assert "wang2020-dual" not in headers[0]
    assert headers[1] == ["corpus", "wang2020-base4", "wang2020-dual", "svm-is09", "chance"]
    assert headers[3] == ["corpus", "librosa-svm", "svm-is09", "chance"]
    assert [list(rows) for _, _, rows in tables] == [
        *(["EMO-DB"], ["EMO-DB", "RAVDESS"], ["EMO-DB"], ["EMO-DB"])
    ]
    assert tables[1][2]["RAVDESS"][3] == "–"  # the baseline was not run there


def test_published_results_of_each_paper(filled):
    filled.run(experiment("iemocap", "wang2020-dual", "losgo", n_folds=1))
    filled.run(experiment("iemocap", "svm-is09", "losgo", n_folds=1))
    text = render(build(filled), "markdown")
    _, wang = parsed(text)
    row = dict(zip(wang[1], wang[2]["IEMOCAP"], strict=True))
    assert wang[1] == ["corpus", *WANG, "svm-is09", "chance"]
    assert row["wang2020-base6"] == "– (68.9)"
    assert row["wang2020-dual"].endswith(" (73.3)")
    assert "(59.8)" not in row["svm-is09"]  # another paper's figure
    assert "which was obtained with another protocol (wang2020)." in text
    filled.run(experiment("iemocap", "wang2020-dual", "wang2020", n_folds=1))
    assert "; in round brackets the published value." in render(
        build(filled, "wang2020"), "markdown"
    )


def test_the_paper_of_a_protocol_comes_first(filled):
    for model in ("wang2020-dual", "zhao2019", "svm-is09"):
        filled.run(experiment("emo-db", model, "wang2020-random5", n_folds=1))
    tables = parsed(render(build(filled, "wang2020-random5"), "markdown"))
    assert [title[:4] for title, *_ in tables[::2]] == ["Wang", "Kees"]  # WA and UAR of each
    assert "svm-is09" in tables[0][1]
    alone = Filled(filled.results.parent / "alone")
    alone.run(experiment("emo-db", "svm-is09", "wang2020", n_folds=1))
    assert parsed(render(build(alone, "wang2020"), "markdown"))[0][1] == [
        *("corpus", "svm-is09", "chance")
    ]


def test_bold_is_the_best_of_its_own_table(filled):
    for model, skill in (("wang2020-dual", 0.6), ("wang2020-base1", 0.1), ("zhao2019", 1)):
        filled.run(experiment("ravdess", model, "losgo", n_folds=6), skill=skill)
    first, second = parsed(render(build(filled), "markdown"))
    for _, header, rows in (first, second):
        bold = [
            name for name, cell in zip(header, rows["RAVDESS"], strict=True) if cell[:2] == "**"
        ]
        assert bold in (["zhao2019"], ["wang2020-dual"])


def test_wide_papers_are_cut(filled):
    filled.run(experiment("iemocap", "mirsamadi2017-mean-lld", "losgo", n_folds=1))
    tables = parsed(render(build(filled), "markdown"))
    assert [len(header) for _, header, _ in tables] == [9, 8]
    names = [name for _, header, _ in tables for name in header[1:]]
    assert [name for name in names if name != "chance"] == [
        name for name in models.of_paper("mirsamadi2017")
    ]


def test_forty_models_fit_a_terminal(filled):
    for paper in papers.PAPERS:
        for model in models.of_paper(paper.name):
            filled.run(experiment("iemocap", model, "losgo", n_folds=1))
    board = build(filled)
    assert max(map(len, render(board, width=100).splitlines())) <= 100
    for paper in papers.PAPERS:
        assert paper.title in render(board, width=100)
    assert max(map(len, render(board, "markdown").splitlines())) < 450
    rows = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    assert [row["model"] for row in rows] == list(IN_ORDER)


def test_models_with_options_are_columns_of_their_own(filled):
    for model, skill in (("wang2020-dual", 0.4), ("wang2020-dual:time_fit=truncate", 0.8)):
        filled.run(experiment("iemocap", model, "losgo", n_folds=1), skill=skill)
    ((_, header, rows),) = parsed(render(build(filled), "markdown"))
    row = dict(zip(header, rows["IEMOCAP"], strict=True))
    assert "(73.3)" in row["wang2020-dual"]
    assert "(" not in row["wang2020-dual:time_fit=truncate"]
    assert header.index("wang2020-dual:time_fit=truncate") == header.index("wang2020-dual") + 1


@pytest.mark.parametrize(
    ("model", "extras", "lines"),
    [
        ("latif2019", {}, ["latif2019"]),
        ("librosa-svm", {}, ["librosa-svm"]),
        ("aldeneh2017-logmel40", {}, ["aldeneh2017-", "logmel40"]),
        ("long_name_without_hyphen", {}, ["long_name_without_hyphen"]),
        (
            "wang2020-dual:preset=authors,time_fit=truncate",
            {},
            ["wang2020-", "dual:", "preset=authors,", "time_fit=truncate"],
        ),
        (
            "yoon2018-mdrea",
            {**VECTORS, **TEXTS},
            ["yoon2018-", "mdrea", "+transcripts:", "cdcdcdcd", "+vectors:", "abababab"],
        ),
        ("yoon2018-tre", {"vectors": 3}, ["yoon2018-", "tre", "+vectors:", "unknown"]),
        ("encoder-svm", ENCODER, ["encoder-", "svm", "+wavlm@ef" + "ef" * 3]),
    ],
)
def test_a_column_is_what_was_run(model, extras, lines):
    column = Column.of({"model": model, "configuration": extras})
    assert column.configured == model
    assert list(column.heading()) == lines
    assert column.name == "".join(lines)
    assert set(column.files) == set(extras)


def test_a_model_names_its_paper():
    named = {name: models.get(name).paper for name in models.names()}
    assert set(named.values()) == {paper.name for paper in papers.PAPERS}
    for name, paper in named.items():
        assert Column(name).paper == Column(name, ("units=3",)).paper == papers.get(paper)
    for name, family in (("mine-cnn", "mine"), ("keesing", "keesing"), ("wang-2020", "wang")):
        assert Column(name).paper.title == family
    protocol_papers = {protocols.get(name).paper for name in protocols.names()}
    of_encoders = {"encoder"}  # a table, but no paper with a protocol of its own
    assert protocol_papers == {"", *(paper.name for paper in papers.PAPERS)} - of_encoders


def test_a_paper_that_is_not_listed_has_a_table_of_its_own(filled, monkeypatch):
    for name in ("mine-cnn", "zhao2019"):
        filled.run(experiment("emo-db", name, "losgo"))
    monkeypatch.setattr(models, "_entries", dict(models._entries))
    models.register(replace(models.get("svm-is09"), name="mine-cnn", paper="Mine et al. (2024)"))
    keesing, mine = parsed(render(build(filled), "markdown"))
    assert keesing[0] == "Keesing, Watson and Witbrock (ALTA 2020)"
    assert (mine[0], mine[1]) == ("Mine et al. (2024)", ["corpus", "mine-cnn", "chance"])


def test_files_are_never_mixed_with_what_was_run_without(filled):
    model = "yoon2018-mdrea"
    filled.run(experiment("iemocap", model, "yoon2018"), skill=0.3)
    filled.run(experiment("iemocap", model, "yoon2018", **VECTORS), skill=0.5)
    filled.run(experiment("iemocap", model, "yoon2018", **VECTORS, **TEXTS), skill=0.9)
    board = build(filled, "yoon2018")
    (row,) = board.rows
    columns = [
        *(model, f"{model}+transcripts:cdcdcdcd+vectors:abababab", f"{model}+vectors:abababab")
    ]
    assert [column.name for column in row.cells] == columns
    assert len({cell.scores["uar"] for cell in row.cells.values()}) == 3
    assert not board.notices
    wap = parsed(render(board, "markdown"))[0]
    shown = dict(zip(wap[1], wap[2]["IEMOCAP"], strict=True))
    assert [re.search(r"\((.*)\)", shown[column])[1] for column in columns] == [
        *("69.0", "69.1", "69.0")
    ]
    rows = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    assert [(one["vectors"][:2], one["transcripts"][:2]) for one in rows] == [
        *(("", ""), ("ab", "cd"), ("ab", ""))
    ]


def test_conditions_stay_out_of_the_cells(filled):
    plain = experiment("emo-db", "librosa-svm", "losgo")
    filled.run(plain, skill=0.3)
    before = render(build(filled), "markdown")
    for name in ("mp3:8k", "mp3:256k", "mp3:64k"):
        filled.run(experiment("emo-db", "librosa-svm", "losgo", **heard(name)), skill=1)
    filled.run(experiment("ravdess", "librosa-svm", "losgo", **heard("mp3:8k", "both")), skill=1)
    board = build(filled)
    librosa = Column("librosa-svm")
    assert [list(row.cells) for row in board.rows] == [[librosa], []]
    assert board.rows[0].cells[librosa].fingerprint == plain.fingerprint
    text = render(board, "markdown")
    main, test, both = parsed(text)
    assert main == parsed(before)[0]
    assert test[0] == both[0] == "Under conditions"
    assert test[1] == ["corpus, model", "as it is", "mp3:256k", "mp3:64k", "mp3:8k"]
    ours = f"{100 * board.rows[0].cells[librosa].scores['uar']:.1f}"
    assert test[2]["EMO-DB, librosa-svm"][1:] == [ours, "100.0", "100.0", "100.0"]
    assert both[2]["RAVDESS, librosa-svm"][1:] == ["–", "100.0"]
    assert "tested on what went through the condition of the column." in text
    assert "trained and tested on what went through" in text
    assert "**" not in text.partition("Under conditions")[2]
    assert "Under conditions" not in leaderboard.fragment(board)
    assert "Under conditions" in render(board)


def test_conditions_in_json_and_csv(filled):
    filled.run(experiment("emo-db", "librosa-svm", "losgo"), skill=0.3)
    filled.run(experiment("emo-db", "librosa-svm", "losgo", **heard("mp3:8k")), skill=1)
    board = build(filled)
    (row,) = json.loads(render(board, "json"))["leaderboards"][0]["rows"]
    assert [one["condition"] for one in row["results"].values()] == [None]
    (under,) = row["conditions"]
    assert (under["condition"], under["condition_on"], under["uar"]) == ("mp3:8k", "test", 100)
    lines = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    assert [line["condition"] for line in lines] == ["", "mp3:8k"]


def test_conditions_alone(filled):
    filled.run(experiment("emo-db", "librosa-svm", "losgo", **heard("mp3:8k")))
    board = build(filled)
    ((title, header, _),) = parsed(render(board, "markdown"))
    assert (title, header) == ("Under conditions", ["corpus, model", "as it is", "mp3:8k"])
    assert "No complete results yet." in leaderboard.fragment(board)
    for format in FORMATS:
        render(board, format)


def test_incomplete_conditions_need_to_be_asked_for(filled):
    made = experiment("emo-db", "librosa-svm", "losgo", **heard("mp3:8k"))
    filled.run(made, jobs=[Job(0)])
    (notice,) = build(filled).notices
    assert notice.text.startswith(
        f"emo-db librosa-svm with mp3:8k on test {made.fingerprint[:8]}: 1 of 3 folds"
    )
    text = render(build(filled, partial=True), "markdown")
    assert "†1/3" in text
    assert "† incomplete: folds done" in text


@pytest.mark.parametrize("condition", ["mp3", 3, [], {}, {"sides": "test"}])
def test_conditions_that_nobody_knows(filled, condition):
    filled.run(experiment("emo-db", "librosa-svm", "losgo", condition=condition))
    board = build(filled)
    assert not board.rows[0].cells
    for format in FORMATS:
        render(board, format)


def test_the_headline_of_a_protocol_comes_first(filled):
    filled.run(experiment("iemocap", "yoon2018-mdre", "yoon2018"))
    filled.run(experiment("iemocap", "wang2020-dual", "wang2020-random5"))
    board = build(filled, "yoon2018")
    text = render(board, "markdown")
    assert text.index("WAP in percent") < text.index("UAR in percent")
    folds = [predictions(Job(fold)) for fold in range(3)]
    truth = [label for fold in folds for label in fold["label"]]
    predicted = [label for fold in folds for label in fold["predicted"]]
    expected = 100 * precision_score(truth, predicted, average="weighted", zero_division=0)
    (cell,) = board.rows[0].cells.values()
    assert 100 * cell.scores["wap"] == pytest.approx(expected)
    assert f"{expected:.1f} (71.8)" in text
    other = render(build(filled, "wang2020-random5"), "markdown")
    assert other.index("WA in percent") < other.index("UAR in percent")
    assert "(72.7)" in other
    content = json.loads(render(board, "json"))["leaderboards"][0]
    assert content["headline"] == "wap"
    (row,) = content["rows"]
    assert row["published_wap"]["yoon2018-mdre"] == 71.8
    assert {"uar", "wa", "wap"} <= set(row["results"]["yoon2018-mdre"])
    (line,) = csv.DictReader(io.StringIO(render(board, "csv")))
    assert (line["headline"], line["published_wap"]) == ("wap", "71.8")
    assert float(line["wap"]) == pytest.approx(expected, abs=1e-4)


def test_other_scores_on_request(filled):
    filled.run(experiment("emo-db", "zhao2019", "losgo"))
    board = build(filled)
    captions = {
        "uar": "UAR in percent",
        "pooled": "Pooled UAR in percent",
        "wa": "WA in percent",
        "macro_f1": "Macro F1 in percent",
        "wap": "WAP in percent",
    }
    assert [HEADLINE, *captions] == list(CHOICES)
    for metric, caption in captions.items():
        for format in ("table", "markdown"):
            text = render(board, format, metrics=[metric])
            assert re.findall(r"^(?:Pooled |Macro )?\w+ in percent", text, re.MULTILINE) == [
                caption
            ]
    both = render(board, metrics=["wap", "uar"])
    assert both.index("WAP in percent") < both.index("UAR in percent")
    assert render(board, "markdown", pooled=True) == render(
        board, "markdown", metrics=["uar", "pooled", "wa"]
    )
    with pytest.raises(SpecError, match=r"--metric: expected one of .* Did you mean 'wap'"):
        render(board, metrics=["wasp"])


def test_the_command_takes_metrics(filled, monkeypatch):
    from emobench import runs

    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    filled.run(experiment("emo-db", "zhao2019", "losgo"))
    asked = ["--results", str(filled.results), "--metric", "wap", "--metric", "pooled"]
    done = CliRunner().invoke(command, asked, standalone_mode=False)
    assert done.exception is None
    assert "WAP in percent" in done.output
    assert "Pooled UAR in percent" in done.output
    assert "\nUAR in percent" not in done.output


def test_every_published_model_has_a_paper():
    printed = {
        name
        for metric in ("uar", "wa", "wap")
        for corpus in ("iemocap", "emo-db")
        for name, one in published.figures(corpus, metric).items()
        if one.protocol in protocols.names() and "(" not in name
    }
    assert {Column.named(name).model for name in printed} <= set(IN_ORDER)
    assert set(IN_ORDER) == set(models.names())
    columns = [Column(name) for name in models.names()]
    assert [one.name for one in sorted(columns, key=lambda one: one.position)] == list(IN_ORDER)
