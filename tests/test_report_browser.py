"""The site in a real browser, opened from disk with the network off."""

from __future__ import annotations

import json
import re

import chromium
import pytest

from emobench.models import of_paper

pytestmark = pytest.mark.skipif(
    chromium.PATH is None, reason="needs Chromium: `apt-get install chromium`, or another package"
)

KINDS = (
    "index.html",
    "corpora.html",
    "corpora/emo-db.html",  # with results
    "corpora/savee.html",  # without
    "models.html",
    "models/mirsamadi2017-attention-lld.html",  # with learning curves
    "models/svm-is09.html",  # without
    "results/losgo/*/svm-is09.html",
    "results/losgo/*/*-lld.html",
    "results/keesing2020/*/*.html",
    "results/losgo/*/*mp3*.html",
    "results/losgo/*-to-*/svm-is09.html",
    "ledger.html",
    "speed.html",
    "bitrates.html",
    "prices.html",
    "ranks.html",
    "across.html",
    "attention.html",
    "findings.html",
    "cite.html",
)
"""A page of every kind, as a pattern of its address."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = chromium.Browser(tmp_path_factory.mktemp("chromium") / "profile")
    yield started
    started.close()


@pytest.fixture
def opened(browser, report_site):
    """Open pages, and hold each to what holds for all: no complaint, nothing fetched."""
    tabs = []

    def open_page(name: str, **settings) -> chromium.Tab:
        path = next(iter(sorted(report_site.glob(name))), None)
        if path is None:
            pytest.skip(f"no committed result has a page like {name}")
        tabs.append(browser.open(path, **settings))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        assert tab.complaints == []
        asked = [one for one in tab.requests if not one.startswith(("file:", "data:"))]
        assert asked == []
        tab.close()


def shown(tab: chromium.Tab, selector: str) -> list[str]:
    """Return the words of the elements that can be seen."""
    return tab.evaluate(
        f"[...document.querySelectorAll({selector!r})].filter((one) => one.checkVisibility())"
        ".map((one) => one.textContent.trim().replace(/\\s+/g, ' '))"
    )


def choose(tab: chromium.Tab, name: str, value: str | bool) -> None:
    """Change a field of the form as a reader would."""
    field = f"document.getElementById('filters').elements[{name!r}]"
    change = f"{field}.checked = true" if value is True else f"{field}.value = {value!r}"
    event = "new Event('change', {bubbles: true})"
    tab.evaluate(f"{change}; {field}.dispatchEvent({event}); null")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_page_opens(opened, report_site, name):
    tab = opened(name)
    assert tab.evaluate("document.querySelector('h1').textContent.length") > 3
    assert any(one.endswith("style.css") for one in tab.requests)
    for width in (1280, 390):
        narrow = opened(name, width=width, height=844)
        assert narrow.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_text_has_contrast_as_it_is_shown(opened, name, dark):
    """Every text against what lies behind it, as the browser computes it: 4.5, or 3 if large."""
    tab = opened(name, dark=dark)
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true; null")
    assert tab.evaluate(CONTRAST) == []


CONTRAST = r"""
(() => {
  const parts = (text) => {
    const numbers = text.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
    const unit = text.startsWith("color(") ? 1 : 255;
    return [...numbers.slice(0, 3).map((one) => one / unit), numbers[3] ?? 1];
  };
  const luminance = (colour) => colour
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a] = parts(getComputedStyle(one).backgroundColor.replace("srgb", ""));
      if (a > 0.99) return [r, g, b];
    }
    throw new Error("nothing lies behind");
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, title")) continue;
    const style = getComputedStyle(element);
    const svg = element.closest("svg") !== null;
    const ink = parts((svg ? style.fill : style.color).replace("srgb", "")).slice(0, 3);
    const [high, low] = [luminance(ink), luminance(behind(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24;
    const found = (high + 0.05) / (low + 0.05);
    if (found < (large ? 3 : 4.5)) poor.push([text.data.trim(), element.className, found]);
  }
  return poor;
})()
"""


def test_it_sorts(opened):
    tab = opened("corpora.html")
    numbers = "#table-corpora td:nth-child(4)"
    click = "document.querySelectorAll('#table-corpora thead button')[3].click()"
    known = [text for text in shown(tab, numbers) if text != "–"]
    for direction in ("descending", "ascending"):
        tab.evaluate(click)
        ordered = sorted(
            known, key=lambda text: int(text.replace(",", "")), reverse=direction == "descending"
        )
        assert ordered != known
        assert shown(tab, numbers)[: len(known)] == ordered, "what is not known stands last"
        head = "document.querySelector('#table-corpora th[aria-sort]')"
        assert tab.evaluate(f"[{head}.ariaSort, {head}.cellIndex]") == [direction, 3]


def test_the_leaderboard_sorts_inside_papers(opened):
    tab = opened("index.html")
    papers = shown(tab, "#board-losgo tr.paper")
    tab.evaluate("document.querySelectorAll('#board-losgo thead button')[0].click()")
    for paper in tab.evaluate(
        "[...document.querySelectorAll('#board-losgo tbody[data-paper]')].map(b => b.dataset.paper)"
    ):
        models = shown(tab, f"#board-losgo tbody[data-paper={paper}] th[scope=row]")
        assert models == sorted(
            models,
            key=lambda name: [
                int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)
            ],
        )
    assert shown(tab, "#board-losgo tr.paper") == papers
    last = "document.querySelector('#board-losgo tbody:last-of-type').className"
    assert tab.evaluate(last) == "beside"


def test_a_keyboard_sorts(opened):
    tab = opened("ledger.html")
    tab.evaluate("document.querySelector('#ledger-keesing2020 thead button').focus()")
    tab.press("Enter", 13)
    assert tab.evaluate("document.querySelector('#ledger-keesing2020 th').ariaSort") == "ascending"
    tab.press("Enter", 13)
    assert tab.evaluate("document.querySelector('#ledger-keesing2020 th').ariaSort") == "descending"
    assert "sort=" in tab.evaluate("location.hash")


def test_it_filters(opened):
    tab = opened("index.html")
    assert shown(tab, "td[data-corpus=ravdess]")
    choose(tab, "corpus", "emo-db")
    assert shown(tab, "td[data-corpus=ravdess]") == []
    assert shown(tab, "td[data-corpus=emo-db]")
    choose(tab, "paper", "yoon2018")
    models = shown(tab, "tbody[data-paper] th[scope=row]")
    assert models
    assert {*models} <= {*of_paper("yoon2018")}
    choose(tab, "complete", True)
    flags = "[...document.querySelectorAll('.flag')]"
    seen = ".filter((one) => one.checkVisibility({visibilityProperty: true})).length"
    assert tab.evaluate(flags + seen) == 0
    choose(tab, "protocol", "keesing2020")
    assert shown(tab, "section.protocol h3") == ["Protocol keesing2020"]


def test_a_filter_of_inputs_and_of_verdicts(opened):
    tab = opened("index.html")
    choose(tab, "input", "is09")
    assert {*shown(tab, "tbody[data-paper] th[scope=row]")} == {"svm-is09"}
    tab = opened("ledger.html")
    choose(tab, "verdict", "reproduced")
    verdicts = shown(tab, "tr[data-verdict] .verdict")
    assert verdicts
    assert all(text.startswith("reproduced") for text in verdicts)
    assert shown(tab, "#counted") == [f"{len(verdicts)} numbers are shown."]


def test_another_score(opened, report_site):
    tab = opened("index.html")
    own = "td.cell > a[href$='losgo/emo-db/svm-is09.html'] b"
    before = shown(tab, own)
    choose(tab, "metric", "wa")
    told = json.loads((report_site / "leaderboard.json").read_text())["leaderboards"]
    [losgo] = [one for one in told if one["protocol"] == "losgo"]
    [row] = [row for row in losgo["rows"] if row["corpus"] == "emo-db"]
    assert shown(tab, own) == [f"{row['results']['svm-is09']['wa']:.1f}"] != before
    assert "WA in percent" in shown(tab, "#board-losgo caption")[0]
    choose(tab, "metric", "uar")
    assert shown(tab, own) == before


def test_an_address_that_was_shared_shows_the_same(opened):
    tab = opened("index.html")
    choose(tab, "metric", "macro_f1")
    choose(tab, "corpus", "emo-db")
    choose(tab, "run", True)
    tab.evaluate("document.querySelectorAll('#board-losgo thead button')[1].click()")
    address = tab.evaluate("document.getElementById('permalink').href")
    assert "corpus=emo-db" in address
    table = "#board-losgo tr"
    other = opened("index.html")
    assert shown(other, table) != shown(tab, table)
    other.go("about:blank")
    other.go(address)
    assert shown(other, table) == shown(tab, table)
    other.evaluate("document.querySelector('#filters button[type=reset]').click()")
    assert shown(other, "td[data-corpus=ravdess]")


def test_links_are_followed(opened):
    tab = opened("index.html")
    tab.follow("td.cell > a[href$='losgo/emo-db/svm-is09.html']")
    assert tab.evaluate("document.querySelector('h1').textContent") == "svm-is09 on EMO-DB"
    tab.follow(".crumbs a:nth-of-type(2)")
    assert tab.evaluate("document.querySelector('h1').textContent") == "EMO-DB"
    tab.follow("nav a[href$='models.html']")
    tab.follow("a[href$='latif2019.html']")
    assert tab.evaluate("document.querySelector('h1').textContent") == "latif2019"


def test_the_rest_of_a_cell_is_told_on_focus(opened):
    tab = opened("index.html")
    assert shown(tab, "#tip") == []
    tab.evaluate("document.querySelector('td.cell > a').focus()")
    assert "Macro F1" in shown(tab, "#tip")[0]
    described = tab.evaluate("document.activeElement.getAttribute('aria-describedby')")
    assert described == "tip"
    tab.press("Escape", 27)
    assert shown(tab, "#tip") == []


def test_a_tap_tells_first_and_follows_then(opened):
    tab = opened("index.html", width=390, height=844)
    tapped = (
        "document.querySelector('td.cell > a').dispatchEvent(new PointerEvent('click',"
        " {pointerType: 'touch', bubbles: true, cancelable: true}))"
    )
    assert tab.evaluate(tapped) is False, "the first tap is not followed"
    assert "Macro F1" in shown(tab, "#tip")[0]
    done = len(tab.events)
    assert tab.evaluate(tapped) is True
    tab.wait_for("Page.loadEventFired", done)
    assert " on " in tab.evaluate("document.querySelector('h1').textContent")


def test_tables_are_there_without_scripts(opened, report_site):
    pages = {
        "index.html": "Results that may be compared",
        "ledger.html": "How many numbers got each verdict",
        "results/losgo/emo-db/svm-is09.html": "Rows are true classes",
    }
    for name, expected in pages.items():
        tab = opened(name, scripts=False)
        picture = tab.screenshot(whole=False)
        assert picture.startswith(b"\x89PNG")
        # Words as the browser lays them out, from the tree that it reads aloud.
        tree = tab.call("Accessibility.getFullAXTree")["nodes"]
        words = " ".join(str(one.get("name", {}).get("value", "")) for one in tree)
        assert expected in words
        roles = [one.get("role", {}).get("value") for one in tree if not one["ignored"]]
        assert roles.count("table") >= 2
        assert roles.count("cell") + roles.count("gridcell") > 40
        assert "combobox" not in roles, "filters do nothing without scripts and are not shown"


def test_it_prints(opened):
    for name in ("index.html", "results/losgo/emo-db/svm-is09.html"):
        printed = opened(name).pdf()
        assert printed.startswith(b"%PDF")
        assert len(printed) > 10_000
