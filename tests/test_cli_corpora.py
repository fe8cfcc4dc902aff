"""`corpora show`, `utterances` and `folds` as a person or a program reads them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import licensed_trees as licensed
import pandas as pd
import pytest
import trees
from sklearn.model_selection import GroupKFold

from emobench import cli, protocols

WHOLE = {
    "cafe": trees.cafe,
    "enterface05": trees.enterface05,
    "jl": trees.jl,
    "portuguese": trees.portuguese,
    "ravdess": trees.ravdess,
    "savee": trees.savee,
    "tess": trees.tess,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Whole corpora whose names follow a grammar, and a few clips of those that need a licence."""
    root = tmp_path_factory.mktemp("data")
    for name, tree in WHOLE.items():
        trees.plant(root / name, tree())
    licensed.iemocap(root / "iemocap")
    licensed.smartkom(root / "smartkom")
    return root


@pytest.fixture
def command(data, tmp_path, monkeypatch, capsys):
    """Run a command as a user does; return its exit status, what it says, and its complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOBENCH_DATA", str(data))
    monkeypatch.setenv("EMOBENCH_CACHE", str(data / "cache"))

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return run


def described(text: str) -> dict[str, list[str]]:
    """Return what stands behind each word of `corpora show`."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines()[1:]:
        key = line[2:14].strip() or key
        found.setdefault(key, []).append(line[14:].strip())
    return found


# show ---------------------------------------------------------------------------------------------


def test_show_tells_all_that_is_known_of_a_corpus(command):
    status, out, _ = command("corpora", "show", "ravdess")
    assert status == 0
    known = described(out)
    assert "Livingstone and Russo" in known["citation"][0]
    assert known["licence"] == ["CC BY-NC-SA 4.0"]
    assert known["size"] == ["about 208 MB"]
    assert known["access"] == ["open"]
    assert "https://zenodo.org/records/1188976 (about 208 MB)" in known["get it"][0]
    assert "`emobench download ravdess`" in known["get it"][0]
    assert known["clips"][0].startswith("1,440: anger 192, happiness 192")
    assert known["speakers"] == ["24"]
    assert "other         from 02 (calm)" in known["labels"]
    assert known["folds"] == ["groups:6 (one of 6 groups of speakers is held out)"]
    assert known["transcripts"][0].startswith("yes; each text is spoken in every emotion")
    assert known["variant"][0] == "ravdess:song: RAVDESS (song)"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("emo-db", "speaker (one speaker is held out at a time)"),
        ("iemocap", "session (one session is held out at a time)"),
        ("emo-db-to-ravdess", "tested: ravdess (all speakers of ravdess are tested)"),
    ],
)
def test_what_is_held_out_is_told(command, name, rule):
    assert described(command("corpora", "show", name)[1])["folds"] == [rule]


def test_show_a_corpus_that_needs_a_licence_and_trains_on_its_own_words(command):
    known = described(command("corpora", "show", "smartkom")[1])
    assert known["access"] == ["for those who are granted a licence"]
    assert known["get it"][0].startswith("Ask for a licence at https://clarin.phonetik")
    assert "pondering     from Uberlegen/Nachdenken (other)" in known["labels"]
    assert "trained on in the words of the corpus; counted by emotion" in known["labels"]
    assert known["labels by"] == ["the reader of smartkom's own label files"]
    assert known["transcripts"] == ["yes"]


def test_show_a_variant_and_a_pool(command):
    known = described(command("corpora", "show", "iemocap:no-excited")[1])
    assert known["variant of"] == ["iemocap"]
    assert known["variant"] == ["iemocap:paper-speakers: IEMOCAP (speakers as in the paper's code)"]
    assert known["folds"] == ["session (one session is held out at a time)"]
    known = described(command("corpora", "show", "ravdess+tess")[1])
    assert known["made of"] == ["ravdess (RAVDESS) and tess (TESS)"]
    assert "surprise      from ps (pleasant surprise)" in known["in tess"]
    assert "pattern" not in known


def test_show_says_nothing_of_codes_that_are_the_labels(command):
    assert described(command("corpora", "show", "demo")[1])["labels"] == [
        "anger, happiness, sadness, fear, neutral"
    ]


def test_show_without_transcripts(command):
    assert described(command("corpora", "show", "emofilm")[1])["transcripts"] == ["no"]


def test_every_corpus_and_variant_can_be_shown(command):
    rows = json.loads(command("corpora", "--json")[1])
    names = [name for row in rows for name in (row["name"], *row["variants"])]
    assert len(names) > 25
    for name in names:
        status, out, err = command("corpora", "show", name)
        assert (status, err) == (0, "")
        assert out.startswith(f"{name}: ")
        assert {"labels", "folds", "clips", "transcripts"} <= set(described(out))
    (ravdess,) = [row for row in rows if row["name"] == "ravdess"]
    assert ravdess["constant_texts"] is True


# utterances ---------------------------------------------------------------------------------------


def test_utterances_of_segments_say_where_they_are(command, data):
    _, out, _ = command("utterances", "smartkom")
    head, first, *_ = out.splitlines()
    assert head.split()[-4:] == ["start", "end", "duration", "path"]
    assert first.split()[-4:-1] == ["0.00", "0.25", "0.25"]
    assert first.split()[-1].startswith("SK-Public/w001_pk/")
    _, out, _ = command("utterances", "tess")
    assert "start" not in out.splitlines()[0]


def test_paths_are_told_below_the_folder_however_it_is_spelt(command, data):
    _, straight, _ = command("utterances", "savee", "--csv")
    status, winding, _ = command("utterances", "savee", "--csv", "--data", data / "tess" / "..")
    assert status == 0
    assert winding == straight
    rows = list(csv.DictReader(io.StringIO(straight)))
    assert rows[0]["path"] == "AudioData/DC/a01.wav"


def test_utterances_of_a_pool_are_below_the_folder_of_both(command):
    rows = list(csv.DictReader(io.StringIO(command("utterances", "ravdess+tess", "--csv")[1])))
    assert len(rows) == 4240
    assert {row["path"].partition("/")[0] for row in rows} == {"ravdess", "tess"}


@pytest.mark.parametrize("words", [("check", "savee"), ("utterances", "savee", "--csv")])
def test_answers_come_without_what_takes_long_to_load(command, words):
    assert command(*words)[0] == 0  # the durations are known from now on
    code = (
        "import sys\nfrom emobench import cli\n"
        f"try:\n    cli.main({list(words)!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(sorted({'pandas', 'sklearn', 'soundfile', 'av', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# folds --------------------------------------------------------------------------------------------


def as_table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def test_folds_as_table_csv_and_json_agree(command):
    _, out, err = command("folds", "ravdess")
    lines = out.splitlines()
    assert err.startswith("warning: 1,440 of 1,440 test clips say one of 2 sentences")
    assert err.count("\n") == 1
    assert lines[0].split() == ["fold", "held", "out", "training", "test"]
    assert lines[1].split() == ["0", "11", "12", "15", "23", "1,200", "240"]
    clips = as_table(command("folds", "ravdess", "--csv")[1])
    made = json.loads(command("folds", "ravdess", "--json")[1])
    assert list(clips.columns) == ["fold", "part", "id", "label", "speaker", "group"]
    assert set(clips["part"]) == {"test"}
    assert sorted(clips["id"]) == sorted(made[0]["test"] + made[0]["training"])
    for fold in made:
        mine = clips[clips["fold"] == str(fold["fold"])]
        assert list(mine["id"]) == fold["test"]
        assert sorted(set(mine["group"])) == fold["held_out"]
        assert not fold["development"]


def test_sessions_name_their_speakers(command):
    _, out, err = command("folds", "iemocap")
    assert out.splitlines()[0].split()[:4] == ["fold", "held", "out", "speakers"]
    assert out.splitlines()[1].split()[:4] == ["0", "1", "Ses01F", "Ses01M"]
    assert "This copy holds 125 clips instead of 5,531" in err


def test_random_parts_and_development_clips(command):
    status, out, _ = command("folds", "tess", "--protocol", "yoon2018")
    assert status == 0
    assert out.splitlines()[0].split()[-3:] == ["training", "development", "test"]
    assert out.splitlines()[1].split()[-3:] == ["2,240", "140", "420"]
    assert "caution: SPEAKER-DEPENDENT" in out
    _, text, err = command("folds", "tess", "--protocol", "yoon2018", "--csv")
    assert "SPEAKER-DEPENDENT" in err
    clips = as_table(text)
    assert clips["id"].is_unique
    assert len(clips) == 2800
    assert clips.groupby("part").size().to_dict() == {"development": 700, "test": 2100}
    made = json.loads(command("folds", "tess", "--protocol", "yoon2018", "--json")[1])
    for fold in made:
        parts = [set(fold[part]) for part in ("training", "development", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 2800


def test_greedy_groups_are_those_of_scikit_learn(command):
    clips = as_table(command("folds", "enterface05", "--protocol", "keesing2020", "--csv")[1])
    table = clips.sort_values("id")
    parts = GroupKFold(6).split(table, groups=table["speaker"])
    expected = {frozenset(table["id"].iloc[test]) for _, test in parts}
    assert {frozenset(part["id"]) for _, part in clips.groupby("fold")} == expected


def test_both_formats_are_too_many(command):
    status, _, err = command("folds", "tess", "--csv", "--json")
    assert status == 2
    assert "expected one of --json and --csv, found both" in err


def test_folds_do_not_depend_on_how_an_archive_was_unpacked(command, tmp_path):
    trees.plant(tmp_path / "other" / "TESS" / "a", list(reversed(trees.tess()))[:1400])
    trees.plant(tmp_path / "other" / "TESS" / "B", list(reversed(trees.tess()))[1400:])
    for protocol in ("losgo", "yoon2018"):
        here = command("folds", "tess", "--csv", "--protocol", protocol)[1]
        words = ("--protocol", protocol, "--data", tmp_path / "other")
        assert command("folds", "tess", "--csv", *words)[1] == here


PINNED = {
    "cafe": {
        "losgo": "c170ceddc1d1",
        "keesing2020": "c170ceddc1d1",
        "wang2020": "f50483e8f9fe",
        "wang2020-random5": "03963a4eef88",
        "yoon2018": "f2c6928899a6",
        "krishna2019": "6fec5e88a091",
        "mirsamadi2017": "f50483e8f9fe",
        "quick": "a15d536b7851",
        "smoke": "a15d536b7851",
        "leaky-random-clips": "b002e8130f48",
        "leaky-copies": "9ecaa180237c",
    },
    "enterface05": {
        "losgo": "fa5fcca327c1",
        "keesing2020": "e3e9696a9c3f",
        "wang2020": "4f1b2a93055d",
        "wang2020-random5": "3106b50ccd36",
        "yoon2018": "4085f051e373",
        "krishna2019": "fa8be0faa8f5",
        "mirsamadi2017": "4f1b2a93055d",
        "quick": "22c11199a3ed",
        "smoke": "22c11199a3ed",
        "leaky-random-clips": "89b19f6773f9",
        "leaky-copies": "3ad6f2288cc4",
    },
    "jl": {
        "losgo": "997f0618fb64",
        "keesing2020": "997f0618fb64",
        "wang2020": "997f0618fb64",
        "wang2020-random5": "714025fbf043",
        "yoon2018": "9d241bb62274",
        "krishna2019": "5cd827ee123d",
        "mirsamadi2017": "997f0618fb64",
        "quick": "c9a663b0330b",
        "smoke": "c9a663b0330b",
        "leaky-random-clips": "5b7c6f985fef",
        "leaky-copies": "4e9e970e668f",
    },
    "ravdess": {
        "losgo": "97852c3fc3e5",
        "keesing2020": "ba18544a18df",
        "wang2020": "af1368568fd5",
        "wang2020-random5": "c84f8b419509",
        "yoon2018": "a70b39ee830e",
        "krishna2019": "6513bd96e9bd",
        "mirsamadi2017": "af1368568fd5",
        "quick": "d809b0b6009d",
        "smoke": "d809b0b6009d",
        "leaky-random-clips": "be05ebe18350",
        "leaky-copies": "768d9c478ebd",
    },
    "savee": {
        "losgo": "fca40270e61c",
        "keesing2020": "fca40270e61c",
        "wang2020": "fca40270e61c",
        "wang2020-random5": "42f7f92fb461",
        "yoon2018": "f0522c90dd6f",
        "krishna2019": "7fb98cd56684",
        "mirsamadi2017": "fca40270e61c",
        "quick": "0f87524beead",
        "smoke": "0f87524beead",
        "leaky-random-clips": "6152439026e7",
        "leaky-copies": "9b66c88ee2b6",
    },
}
REAL = {"emo-db": {"losgo": "49ec37207bfb", "yoon2018": "845a99a22163"}}
"""Beginning of the SHA-256 of `folds --csv`, for corpora whose file names follow from a grammar."""


@pytest.mark.parametrize("name", PINNED)
def test_folds_are_those_of_every_machine_and_release(command, name):
    found = {}
    for protocol in PINNED[name]:
        status, out, _ = command("folds", name, "--protocol", protocol, "--csv")
        assert status == 0
        found[protocol] = hashlib.sha256(out.encode()).hexdigest()[:12]
    assert found == PINNED[name]


def test_every_protocol_is_pinned_that_splits_otherwise_than_its_baseline():
    same = {each.name for each in protocols.variants() if not each.split and not each.copies}
    assert all(set(pinned) == set(protocols.names()) - same for pinned in PINNED.values())


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["emo-db", "ravdess"])
def test_folds_of_the_real_corpora(command, real_data, name):
    for protocol, pinned in (PINNED | REAL)[name].items():
        words = ("--protocol", protocol, "--data", real_data)
        _, out, err = command("folds", name, *words, "--csv")
        assert hashlib.sha256(out.encode()).hexdigest()[:12] == pinned
        assert "This copy holds" not in err
