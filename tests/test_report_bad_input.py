"""What a results folder may hold that is no result: pages say so, and none breaks."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
from pathlib import Path

import chromium
import pandas as pd
import pytest
import stored
from sites import Page, said

from emobench import leaderboard, metrics, models, report, runs
from emobench.analysis import ledger, speaker_scores
from emobench.cli import main
from emobench.corpora import load_registry
from emobench.errors import SpecError, StoreError
from emobench.report.evidence import Evidence
from emobench.report.pages import leaderboard as first
from emobench.report.site import MANIFEST, contents
from emobench.report.templating import render
from emobench.results import gathering
from emobench.results.gathering import COLUMNS
from emobench.spec import Job
from emobench.storage import writing

RESULTS = Path(__file__).parents[1] / "results"
EVIL = "<script>alert(1)<"


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture
def made(registry, tmp_path):
    """Make the site of a folder of results, as the command does."""

    def make(results: Path) -> dict[str, Page]:
        def current(experiment):
            return runs.current_fingerprint(experiment, registry)

        folder = tmp_path / "site"
        report.write(results, folder, registry=registry, current=current)
        return {path.relative_to(folder).as_posix(): Page(path) for path in folder.rglob("*.html")}

    return make


@pytest.fixture
def some(tmp_path) -> Path:
    """A folder with one committed result."""
    results = tmp_path / "results"
    shutil.copytree(RESULTS / "losgo/ravdess/svm-is09", results / "losgo/ravdess/svm-is09")
    return results


def test_an_empty_folder(made, tmp_path):
    (tmp_path / "results").mkdir()
    pages = made(tmp_path / "results")
    assert "Nothing to show yet" in pages["index.html"].words()
    assert "There are no results." in pages["findings.html"].words()
    assert "There is no result on this corpus yet." in pages["corpora/emo-db.html"].words()
    assert not [name for name in pages if name.startswith("results/")]


def test_no_folder(made, tmp_path):
    with pytest.raises(StoreError, match="expected a folder of results, found none"):
        made(tmp_path / "absent")
    assert not (tmp_path / "site").exists()


def test_a_record_that_is_half_written(made, some):
    record = next(some.rglob("fold-02-repetition-1.json"))
    record.write_bytes(record.read_bytes()[:100])
    pages = made(some)
    findings = pages["findings.html"].words()
    assert "fold-02-repetition-1.json: it is damaged" in findings
    page = pages["results/losgo/ravdess/svm-is09.html"]
    assert "† 5/6" in page.words()
    assert "Not to be compared: incomplete" in page.words()
    assert [line[0] for line in page.table("UAR of each fold")[1:-1]] == ["0", "1", "3", "4", "5"]


def test_predictions_that_are_cut_short(made, some):
    path = next(some.rglob("fold-02-repetition-1.parquet"))
    path.write_bytes(path.read_bytes()[:500])
    assert "† 5/6" in made(some)["index.html"].words()


def test_a_description_that_is_damaged(made, some):
    next(some.rglob("experiment.json")).write_text("{")
    pages = made(some)
    assert "experiment.json: it is damaged" in pages["findings.html"].words()
    assert not [name for name in pages if name.startswith("results/")]


def test_a_failed_job_with_a_hostile_reason(made, some):
    record = next(some.rglob("fold-02-repetition-1.json"))
    content = json.loads(record.read_text())
    kept = ("fold", "repetition", "fingerprint")
    failure = {key: content[key] for key in kept} | {"reason": f"{EVIL}/script> \x1b[2J\x00 died"}
    record.with_name("fold-02-repetition-1.failure.json").write_text(json.dumps(failure))
    record.unlink()
    page = made(some)["findings.html"]
    assert f"fold 2 repetition 1: {EVIL}/script> \\x1b[2J\\x00 died" in page.words()
    assert len(page.all("script")) == 1


def test_a_model_that_is_gone_is_said_to_be_unknown(made, some):
    """A record of a model that no version has: its fingerprints hold, but nothing makes it."""
    folder = some / "losgo/ravdess/gone2011"
    results = some.parent / "results"
    filled = stored.Filled(results)
    filled.run(stored.experiment("ravdess", "gone2011", "losgo"))
    pages = made(some)
    assert folder.is_dir()
    assert "ravdess gone2011" in pages["findings.html"].words()
    assert "unknown to this version" in pages["findings.html"].words()
    assert "models/gone2011.html" not in pages
    assert "results/losgo/ravdess/svm-is09.html" in pages


def hostile(results: Path, registry) -> dict[str, bytes]:
    """Return the files of a site whose every name is hostile."""
    store = stored.Filled(results).store
    made = stored.experiment(EVIL, "<img src=x onerror=alert(1)>", "losgo", n_folds=4)
    labels = [f"{EVIL}/script>", "\"'><b>", "neutral]]>", "sadness-->"]
    store.open(made, {"labels": labels, "n_clips": 80})
    for fold in range(4):
        table = stored.predictions(Job(fold))
        names = dict(zip(stored.LABELS, labels, strict=True))
        table = table.rename(columns={f"p_{old}": f"p_{new}" for old, new in names.items()})
        table[["label", "predicted"]] = table[["label", "predicted"]].replace(names)
        table["speaker"] = f"</script><script>alert({fold})</script>"
        table["id"] = [f"{EVIL}&amp;{fold}-{place}" for place in range(len(table))]
        record = {
            "scores": metrics.score(table, labels),
            "held_out": ["<svg onload=alert(1)>"],
            "device": "</td></table><script>",
            "seconds": 1.5,
            "n_training": 60,
            "loss": [2.0, None, 1.0],
            "epochs": 3,
            "versions": {"<i>": "</i>"},
            "parameters": {"</script>": 1.0},
        }
        store.add(made, Job(fold), record, table)
    reading = {"registry": registry, "current": stored.current}
    columns = (*COLUMNS, *speaker_scores.COLUMNS)
    boards = leaderboard.build_all(results, partial=True, columns=columns, **reading)
    evidence = Evidence(results, registry, tuple(boards), ledger.build(results, **reading), ())
    return dict(contents(evidence))


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory, registry) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in hostile(folder / "results", registry).items():
        path = folder / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "site"


def test_hostile_names_are_words(hostile_site):
    pages = [Page(path) for path in sorted(hostile_site.rglob("*.html"))]
    for page in pages:
        scripts = page.all("script")
        assert {one.get("type") or one.get("src", "").split("/")[-1] for one in scripts} <= {
            "application/json",
            "emobench.js",
        }
        for element in page.root.iter():
            assert not [key for key in element.attrib if key.startswith("on")], page.path
            assert not element.get("href", "").lower().startswith("javascript")
        assert [one for one in page.all("img")] == []
    (cell,) = [page for page in pages if "results" in page.path.parts]
    assert said(cell.all("h1")[0]) == f"<img src=x onerror=alert(1)> on {EVIL}"
    assert cell.table("Speakers: sex")[1][0] == "</script><script>alert(0)</script>"
    index = next(page for page in pages if page.path.name == "index.html")
    data = next(one for one in index.all("script") if one.get("id") == "data")
    ((protocol, drawn),) = json.loads(data.text)["boards"].items()
    address = "/".join([protocol, *drawn["corpora"], *drawn["cells"]])
    assert index.path.parent / f"results/{address}.html" == cell.path
    model = next(page for page in pages if "This version does not know the model" in page.words())
    assert "Learning curves" in model.words()
    corpus = next(page for page in pages if "does not know the corpus" in page.words())
    assert EVIL in corpus.words()


@pytest.mark.skipif(chromium.PATH is None, reason="needs Chromium")
def test_hostile_names_do_nothing_in_a_browser(hostile_site, tmp_path):
    browser = chromium.Browser(tmp_path / "profile")
    try:
        for path in hostile_site.rglob("*.html"):
            if path.parent.name in ("models", "corpora") and "script" not in path.name:
                continue
            tab = browser.open(path)
            focused = "document.querySelector('td.cell > a')?.focus(); null"
            tab.evaluate(focused)
            assert tab.complaints == []
            assert "Page.javascriptDialogOpening" not in [
                one.get("method") for one in browser.events
            ]
            tab.close()
    finally:
        browser.close()


def test_a_folder_of_other_things_is_left_alone(made, some, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("years of work")
    with pytest.raises(SpecError, match="expected a new or empty folder or a site"):
        made(some)
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["thesis.txt"]


def test_a_site_is_replaced_and_what_is_gone_from_it_removed(made, some, tmp_path):
    assert "results/losgo/ravdess/svm-is09.html" in made(some)
    (tmp_path / "site" / "notes.txt").write_text("mine")
    shutil.rmtree(some / "losgo")
    pages = made(some)
    assert not [name for name in pages if name.startswith("results/")]
    assert (tmp_path / "site" / "notes.txt").read_text() == "mine"


def test_a_list_of_files_outside_the_site_removes_none(made, some, tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "site").mkdir()
    listed = {"files": ["../precious", str(tmp_path / "precious")]}
    (tmp_path / "site" / MANIFEST).write_text(json.dumps(listed))
    made(some)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_disk_that_cannot_be_written_is_told(made, some, tmp_path):
    (tmp_path / "site").write_text("a file")
    with pytest.raises(SpecError, match="expected a folder for the site, found a file in the way"):
        made(some)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, r"expected room for [\d,]+ bytes, found a full disk\. Free some space, or"),
        (errno.EROFS, "expected a folder that can be written, found 'Read-only file system'"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_site(
    made, some, tmp_path, monkeypatch, number, message
):
    made(some)
    site = tmp_path / "site"
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    for record in some.rglob("fold-*.json"):
        record.unlink()
    written = []

    def settle(stream):
        written.append(Path(stream.name))
        if len(written) == 30:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(writing, "settle", settle)
    with pytest.raises(SpecError, match=f"{re.escape(str(site))}: {message}"):
        made(some)
    after = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert json.loads(after.pop(site / MANIFEST)) == json.loads(before.pop(site / MANIFEST))
    assert after == before  # to the last byte, and nothing half-written beside it
    assert written[-1].parent != site


def test_what_a_killed_report_left_is_removed(made, some, tmp_path):
    made(some)
    left = tmp_path / "site" / "models" / ".latif2019.html.0123.tmp"
    left.write_text("half a page")
    os.utime(left, (0, 0))
    made(some)
    assert not left.exists()


def test_the_command(some, tmp_path, capsys):
    out = tmp_path / "pages"
    with pytest.raises(SystemExit) as stop:
        main(["report", "--results", str(some), "--out", str(out)])
    assert not stop.value.code
    said_so = capsys.readouterr().out
    count = len([*out.rglob("*.html")])
    assert said_so == f"{count} pages, {_megabytes(out):.1f} MB: {out / 'index.html'}\n"
    with pytest.raises(SystemExit) as stop:
        main(["report", "--results", str(tmp_path / "absent"), "--out", str(out)])
    assert stop.value.code == 1
    assert "expected a folder of results" in capsys.readouterr().err


def _megabytes(folder: Path) -> float:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    return sum(path.stat().st_size for path in files) / 1e6


def test_unknown_sexes_and_speakers_have_pages(tmp_path, registry):
    filled = stored.Filled(tmp_path)
    made = stored.experiment("emo-db", "svm-is09", "losgo", n_folds=2)
    filled.store.open(made, {"labels": stored.LABELS, "n_clips": 40})
    for fold in range(2):
        table = stored.predictions(Job(fold)).assign(speaker=None, sex=None)
        record = {"scores": metrics.score(table, stored.LABELS)}
        filled.store.add(made, Job(fold), record, pd.DataFrame(table))
    reading = {"registry": registry, "current": stored.current}
    columns = (*COLUMNS, *speaker_scores.COLUMNS)
    boards = leaderboard.build_all(tmp_path, partial=True, columns=columns, **reading)
    evidence = Evidence(tmp_path, registry, tuple(boards), (), ())
    files = dict(contents(evidence))
    path = tmp_path / "cell.html"
    path.write_bytes(files["results/losgo/emo-db/svm-is09.html"])
    lines = Page(path).table("Speakers: sex")[1:]
    assert [line[:2] for line in lines] == [["speaker0", "unknown"], ["speaker1", "unknown"]]


def many(registry, monkeypatch, protocols: list[str], zoo: list[str]) -> Evidence:
    """Return results of some models on every corpus under some protocols, without any file."""
    corpora = [name for name in registry.names() if not registry.get(name).synthetic]
    pairs = list(itertools.product(corpora, zoo))
    every = {
        protocol: [
            stored.in_memory(stored.experiment(*pair, protocol, repetitions=2), seed)
            for seed, pair in enumerate(pairs)
        ]
        for protocol in protocols
    }
    monkeypatch.setattr(gathering, "stored_protocols", lambda results: list(every))
    monkeypatch.setattr(
        gathering, "read_experiments", lambda results, protocol, columns: every[protocol]
    )
    reading = {"registry": registry, "current": stored.current}
    boards = leaderboard.build_all(Path(), partial=True, **reading)
    evidence = Evidence(Path(), registry, tuple(boards), (), ())
    assert len(evidence.cells) == len(protocols) * len(pairs)
    return evidence


def test_a_full_table_is_a_small_page(monkeypatch, registry):
    """Much of the zoo on every corpus under both usual protocols, on the first page."""
    evidence = many(registry, monkeypatch, ["losgo", "keesing2020"], models.names()[:30])
    assert len(evidence.cells) >= 900
    [page] = first.pages(evidence)
    assert len(render(page)) < 350_000


def test_what_the_first_page_has_no_room_for_has_a_page(monkeypatch, registry, tmp_path):
    protocols = ["losgo", "keesing2020", "wang2020"]
    evidence = many(registry, monkeypatch, protocols, ["svm-is09", "latif2019"])
    [whole] = first.pages(evidence)
    assert len(whole.data["boards"]) == 3
    monkeypatch.setattr(first, "MOST_RESULTS", len(evidence.cells) // 3)
    found = list(first.pages(evidence))
    names = ["index.html", *(f"protocols/{name}.html" for name in protocols[1:])]
    assert sorted(page.address for page in found) == sorted(names)
    seen = set()
    for page in found:
        path = tmp_path / page.address
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(render(page))
        drawn = Page(path)
        [board] = [one for one in drawn.all("table") if "board" in one.get("class", "")]
        own = board.get("id").removeprefix("board-")
        assert list(page.data["boards"]) == [own]
        seen.add(own)
        links = [one.get("href") for one in drawn.all("a") if "results/" in one.get("href")]
        assert len(links) == len(evidence.cells) // 3
        assert {link.split("results/")[1].split("/")[0] for link in links} == {own}
    assert seen == {*protocols}
    links = {one.get("href") for one in Page(tmp_path / "index.html").all("a")}
    assert {*names[1:]} <= links
