"""The site of the committed results: its pages, its numbers, its colours."""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sites import SVG, XHTML, Page, said

from emobench import report
from emobench.cli.run import run as run_command
from emobench.metric_table import METRICS
from emobench.report import addresses

RESULTS = Path(__file__).parents[1] / "results"
LARGEST = 500_000
LONGEST_SECONDS = 60


@pytest.fixture
def site(report_site) -> Path:
    """Folder of the site of the committed results."""
    return report_site


@pytest.fixture(scope="session")
def pages(report_site) -> dict[str, Page]:
    """Every page, parsed strictly."""
    return {
        path.relative_to(report_site).as_posix(): Page(path)
        for path in sorted(report_site.rglob("*.html"))
    }


@pytest.fixture(scope="session")
def board(report_site) -> dict:
    """What `emobench leaderboard --partial --format json` says."""
    command = [sys.executable, "-m", "emobench", "leaderboard", "--partial", "--format", "json"]
    done = subprocess.run(
        [*command, "--results", str(RESULTS)], capture_output=True, text=True, check=True
    )
    assert done.stdout == (report_site / "leaderboard.json").read_text()
    return json.loads(done.stdout)


def results(board):
    for one in board["leaderboards"]:
        for row in one["rows"]:
            for column, facts in row["results"].items():
                yield one, row, column, facts


def test_there_is_a_page_for_every_number(pages, board):
    for one, row, column, _ in results(board):
        assert f"results/{one['protocol']}/{row['corpus']}/{column}.html" in pages
    for one in board["leaderboards"]:
        for row in one["rows"]:
            for facts in row["conditions"]:
                start = f"results/{one['protocol']}/{row['corpus']}/{facts['model']}+"
                assert any(name.startswith(start) for name in pages)
    assert {"index.html", "ledger.html", "corpora/savee.html", "models/latif2019.html"} <= {*pages}


def test_the_first_page_has_the_numbers_of_the_leaderboard(pages, board):
    tables = {
        one["protocol"]: one
        for one in board["leaderboards"]
        if any(r["results"] for r in one["rows"])
    }
    page = pages["index.html"]
    drawn = [table for table in page.all("table") if "board" in table.get("class", "").split()]
    assert [table.get("id").removeprefix("board-") for table in drawn] == list(tables)
    checked = 0
    for table in drawn:
        one = tables[table.get("id").removeprefix("board-")]
        rows = {row["corpus"]: row for row in one["rows"]}
        corpora = [head.get("data-corpus") for head in next(table.iter(f"{XHTML}tr"))[1:]]
        for line in table.iter(f"{XHTML}tr"):
            name = said(line[0]).replace(" ", "")
            for corpus, cell in zip(corpora, line[1:], strict=False):
                facts = rows.get(corpus, {}).get("results", {}).get(name)
                if facts is None:
                    continue
                words = said(cell)
                assert words.startswith(f"{facts[one['headline']]:.1f}"), (name, words)
                held = [facts["uar_low"], facts["uar_high"]]
                if None not in held:
                    assert "{:.1f}–{:.1f}".format(*held) in words
                assert ("†" in words) == (not facts["complete"])
                assert (cell.get("class") == "best") == facts["best"]
                if facts["published_uar"] is not None:
                    assert f"publ. {facts['published_uar']:.1f}" in words
                checked += 1
    assert checked == len(list(results(board))) > 0


def test_what_the_script_shows_are_the_numbers_of_the_leaderboard(pages, board):
    (block,) = [one for one in pages["index.html"].all("script") if one.get("id") == "data"]
    data = json.loads(block.text)
    assert data["metrics"] == [metric.name for metric in METRICS]
    seen = 0
    for one, row, column, facts in results(board):
        drawn = data["boards"][one["protocol"]]
        cell = drawn["cells"][column][drawn["corpora"].index(row["corpus"])]
        scores, more, best, printed, _ = cell + ["", "", "", [], []][len(cell) :]
        for place, (metric, told) in enumerate(zip(METRICS, scores.split(" "), strict=True)):
            assert told.split("±")[0] == f"{facts[metric.key]:.1f}"
            value = facts.get(f"published_{metric.name}")
            assert [one[1] for one in printed if one[0] == place] == (
                [] if value is None else [f"{value:.1f}"]
            )
        assert ("0" in best) == facts["best"]
        told = dict(zip(data["facts"], more.split("|"), strict=True))
        assert not facts["complete"] or told["clips"] == f"{facts['clips']:,}"
        seen += 1
    assert seen == sum(
        bool(cell)
        for drawn in data["boards"].values()
        for line in drawn["cells"].values()
        for cell in line
    )


def test_the_page_of_a_number_has_its_figures(pages, board):
    for one, row, column, facts in results(board):
        page = pages[f"results/{one['protocol']}/{row['corpus']}/{column}.html"]
        scores = page.table("Scores in percent")
        assert [line[1] for line in scores[1:]] == [f"{facts[m.key]:.1f}" for m in METRICS]
        lines = page.table("Rows are true classes")[2:]
        counts = [
            [int(cell.split(" ")[1].replace(",", "")) for cell in line[1:-1]] for line in lines
        ]
        assert counts == facts["confusion"]
        assert [line[0] for line in lines] == facts["labels"]
        recalls = {line[0]: line[1] for line in page.table("Share of a class's clips")[1:]}
        assert recalls == {
            label: "–" if value is None else f"{value:.1f}"
            for label, value in facts["recall"].items()
        }
        folds = page.table("UAR of each fold")
        values = [[float(cell) for cell in line[3:] if cell != "–"] for line in folds[1:]]
        assert sum(map(len, values[:-1])) == facts["folds_done"]
        assert sum(values[-1]) / len(values[-1]) == pytest.approx(facts["uar"], abs=0.06)


def pairs(board):
    """Yield what the leaderboard says of results between corpora, and the address of their page."""
    for one in board["leaderboards"]:
        for row in one.get("across", ()):
            for column, facts in row["results"].items():
                address = f"results/{one['protocol']}/{row['corpus']}/{column}.html"
                yield row["corpus"].split("-to-"), facts, address


def test_a_result_between_corpora_has_a_page(pages, board):
    for (trained, tested), facts, address in pairs(board):
        page = pages[address]
        scores = page.table("Scores in percent")
        assert [line[1] for line in scores[1:]] == [f"{facts[m.key]:.1f}" for m in METRICS]
        lines = page.table("Rows are true classes")[2:]
        counts = [
            [int(cell.split(" ")[1].replace(",", "")) for cell in line[1:-1]] for line in lines
        ]
        assert counts == facts["confusion"]
        command = said(page.all("pre")[0])
        assert f"--corpus {trained} --test-corpus {tested} " in command
        assert page.table("Speakers: sex")[1:]
        assert page.table("Provenance, from the records")[0] == [
            "fingerprint",
            facts["fingerprint"],
        ]
        links = {link.get("href") for link in page.all("a")}
        assert {f"../../../corpora/{name}.html" for name in (trained, tested)} <= links
    assert len({address for *_, address in pairs(board)}) >= 4


def test_a_page_between_corpora_tells_what_the_records_say_of_labels(pages, board):
    for (trained, tested), facts, address in pairs(board):
        folder = RESULTS.joinpath(*Path(address).parts[1:-1], Path(address).stem)
        stored = json.loads((folder / facts["fingerprint"][:8] / "experiment.json").read_text())
        heads, *lines = pages[address].table("Common emotions")
        assert {*heads[1:]} == {trained, tested}
        assert {line[0] for line in lines} == {*stored["words"]}
        for line in lines:
            own = stored["words"][line[0]]
            assert line[1:] == [", ".join(own[name]) for name in heads[1:]]
        dropped = {why: int(clips) for why, clips in pages[address].table("Left out on both")[1:]}
        assert dropped == stored["dropped"]


def test_the_map_of_pairs_leads_to_their_pages(pages, board):
    links = {link.get("href") for link in pages["across.html"].all("a")}
    assert {address for *_, address in pairs(board)} <= links


def test_the_committed_leaderboard_and_the_site_agree(pages):
    committed = json.loads((RESULTS / "leaderboard.json").read_text())
    names = {
        f"results/{one['protocol']}/{row['corpus']}/{column}.html": facts
        for one, row, column, facts in results(committed)
    }
    assert {*names} & {*pages}
    for name in {*names} & {*pages}:  # what is stale by now is for `make leaderboard` to leave out
        page, facts = pages[name], names[name]
        assert page.table("Scores in percent")[1][1] == f"{facts['uar']:.1f}"


def test_the_committed_site_is_of_the_committed_records(site):
    committed, made = _bytes(RESULTS / "site"), _bytes(site)
    stale = sorted(name for name in {*committed, *made} if committed.get(name) != made.get(name))
    assert stale == [], "`make report` writes results/site anew"


def test_the_price_list_has_the_numbers_of_the_command(pages):
    command = [sys.executable, "-m", "emobench", "leakage", "--stored", "--format", "json"]
    done = subprocess.run(
        [*command, "--results", str(RESULTS)], capture_output=True, text=True, check=True
    )
    lists = json.loads(done.stdout)["price_lists"]
    tables = [
        [[said(cell) for cell in row] for row in table.iter(f"{XHTML}tr")]
        for table in pages["prices.html"].all("table")
        if "What each practice adds" in said(table)
    ]
    assert len(tables) == len(lists)
    for table, one in zip(tables, lists, strict=True):
        for line, facts in zip(table[1:], one["practices"], strict=True):
            assert line[0].removesuffix(" leaks") == facts["practice"]
            assert ("leaks" in line[0].split()) == facts["leaks"]
            assert line[2] == ("–" if facts["uar"] is None else f"{facts['uar']:.1f}")
            if facts["difference"] is not None:
                assert float(line[3]) == pytest.approx(facts["difference"], abs=0.051)


def test_pages_are_small(site):
    assert max(path.stat().st_size for path in site.rglob("*.*")) < LARGEST
    assert sum(path.stat().st_size for path in site.rglob("*.*")) < 4_000_000


def test_the_same_results_give_the_same_bytes_elsewhere(site, tmp_path):
    """Where other corpora are at hand as well, and nothing is kept beside the records."""
    environment = {**os.environ, "PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    environment["EMOBENCH_DATA"] = str(tmp_path / "corpora")
    (tmp_path / "corpora/emo-db/wav").mkdir(parents=True)
    before = sorted(RESULTS.iterdir())
    command = [sys.executable, "-m", "emobench", "report", "--results", str(RESULTS)]
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "site")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert end.ru_utime - start.ru_utime < LONGEST_SECONDS
    assert f"{tmp_path / 'site' / 'index.html'}" in done.stdout
    assert _bytes(tmp_path / "site") == _bytes(site)
    assert sorted(RESULTS.iterdir()) == before


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_page_can_be_read_by_everybody(pages):
    for name, page in pages.items():
        assert page.root.get("lang") == "en", name
        assert len(page.all("h1")) == len(page.all("main")) == 1, name
        assert [one for one, number in Counter(page.ids).items() if number > 1] == [], name
        for table in page.all("table"):
            assert table[0].tag == f"{XHTML}caption", (name, said(table))
            assert said(table[0]), name
        for head in page.all("th"):
            assert head.get("scope") in ("row", "col", "rowgroup", "colgroup"), (name, said(head))
        for picture in page.all("svg", SVG):
            assert picture.get("role") == "img", name
            assert picture.get("aria-labelledby") == picture[0].get("id"), name
            assert picture[0].text, name
        for field in (*page.all("select"), *page.all("input")):
            labelled = [one for one in page.all("label") if field in [*one.iter()]]
            assert labelled, (name, field.get("name"))
        levels = [
            int(one.tag[-1])
            for one in page.root.iter()
            if re.fullmatch(r".*\}h[1-6]", str(one.tag))
        ]
        assert levels[0] == 1, name
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), (name, levels)


def test_every_link_leads_somewhere_on_disk(site, pages):
    for name, page in pages.items():
        for element in page.root.iter():
            for key in ("href", "src"):
                target = element.get(key)
                if target is None or target in ("#", "data:,"):
                    continue
                if element.tag == f"{XHTML}a" and re.match(r"https?://", target):
                    assert element.get("rel") == "noreferrer", (name, target)
                    continue
                assert "://" not in target, (name, target)
                path, _, place = target.partition("#")
                file = (site / name).parent / path if path else site / name
                assert file.is_file(), (name, target)
                if place:
                    there = pages[file.resolve().relative_to(site.resolve()).as_posix()]
                    assert place in there.ids, (name, target)


def test_nothing_is_fetched(site):
    style = (site / "style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
    script = (site / "emobench.js").read_text()
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|innerHTML|https?:", script)


def test_commands_of_pages_are_commands(pages):
    commands = []
    for name, page in pages.items():
        if name.startswith("results/"):
            commands += [said(one) for one in page.all("pre")]
    assert commands
    for command in commands:
        program, word, *arguments = shlex.split(command)
        assert (program, word) == ("emobench", "run")
        with run_command.make_context("run", arguments) as context:
            assert context.params["corpus"]


def test_the_bibliography_is_bibtex(site):
    text = (site / "citations.bib").read_text()
    entries = re.findall(r"^@(\w+)\{([\w+-]+),\n((?:  \w+ = \{.*\},\n)+)\}$", text, re.MULTILINE)
    assert len(entries) == text.count("@") > 20
    keys = [key for _, key, _ in entries]
    assert len({*keys}) == len(keys)
    for _, key, body in entries:
        assert body.count("{") == body.count("}"), key
        assert not re.search(r"(?<!\\)[&%$#_]", re.sub(r"(doi|eprint) = .*", "", body)), key
    burkhardt = next(body for _, key, body in entries if key == "burkhardt2005")
    assert "author = {Burkhardt and Paeschke and Rolfes and Sendlmeier and Weiss}" in burkhardt
    assert "title = {A database of German emotional speech}" in burkhardt


def test_addresses_differ_where_names_do():
    names = ["a", "A", "a:b", "a+b", "<script>", "_script_", "../x", "a/b", "a b", "é", ".hidden"]
    made = {addresses.slug(name) for name in names}
    assert len(made) >= len(names) - 1, "only a:b and a+b are one, as they are in folders"
    assert all(re.fullmatch(r"[a-z0-9+=_-][a-z0-9.+=_-]*", one) for one in made)


# Contrast: WCAG 2 asks for 4.5 of text and 3 of what must be told apart; each pair that is used.
TEXT = [
    *(("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("link", "paper")),
    *(("link", "card"), ("warn-ink", "warn"), ("good", "paper"), ("good", "card"), ("ink", "heat")),
    *(("s1", "paper"), ("mark", "paper")),
]
GRAPHICS = [
    *((f"s{number}", "paper") for number in range(6)),
    *(("mark", "paper"), ("mark", "card"), ("soft", "paper")),
]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of the light and of the dark scheme."""
    text = Path(report.__file__).with_name("assets").joinpath("style.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    )
    assert {*light} == {*dark}
    rest = re.sub(r":root \{.*?\}", "", text, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?![\w-])", re.sub(r"#tip\b", "", rest)) == []
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(first: str, second: str, share: float) -> str:
    values = [
        round(
            share * int(first[place : place + 2], 16)
            + (1 - share) * int(second[place : place + 2], 16)
        )
        for place in (1, 3, 5)
    ]
    return "#" + "".join(f"{value:02x}" for value in values)


def test_contrast_is_computed_as_it_is_defined():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # as WCAG's own tools


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_contrast(scheme):
    colours = schemes()[scheme]
    for pairs, least in ((TEXT, 4.5), (GRAPHICS, 3)):
        for first, second in pairs:
            found = contrast(colours[first], colours[second])
            assert found >= least, f"{scheme}: {first} on {second}: {found:.2f}"
    for share in range(11):  # cells of a matrix, from none of a row to all of it
        shade = mixed(colours["heat"], colours["card"], share / 10)
        assert contrast(colours["ink"], shade) >= 4.5


def test_series_differ_for_the_colour_blind():
    """Colours of series stay apart when red and green look alike; each has its own marker, too."""
    for colours in schemes().values():
        for first, second in itertools.combinations(range(3), 2):
            one, other = (_as_deuteranopes_see(colours[f"s{number}"]) for number in (first, second))
            apart = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
            assert apart > 20, (first, second, apart)  # 2 is just to be noticed


def _as_deuteranopes_see(colour: str) -> list[float]:
    """Return CIE Lab of a colour without M cones (Viénot, Brettel and Mollon, 1999)."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    yellow = 0.292750 * red + 0.707250 * green
    blue += 0.022336 * (green - red)
    x = (0.4124 + 0.3576) * yellow + 0.1805 * blue
    y = (0.2126 + 0.7152) * yellow + 0.0722 * blue
    z = (0.0193 + 0.1192) * yellow + 0.9505 * blue
    fx, fy, fz = (
        max(value / white, 0) ** (1 / 3) for value, white in ((x, 0.9505), (y, 1), (z, 1.089))
    )
    return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]
