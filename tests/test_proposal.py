"""Entries that are proposed for folders: read by the registry, they say what was planted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

import pytest
import trees
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import cafe, jl, plant, ravdess, savee, tess, wav_bytes

from emobench.cli import main
from emobench.corpora import load_registry
from emobench.corpora.opening import read
from emobench.corpora.proposal import Proposal, add_to, propose
from emobench.corpora.proposal.parts import Split
from emobench.corpora.proposal.vocabulary import meaning, sexes
from emobench.errors import CorpusError, SpecError

Truth = Mapping[str, tuple[str, str]]
"""Speaker and canonical emotion by path."""


def planted(folder: Path, truth: Truth) -> Path:
    return plant(folder, truth)


def found(folder: Path, proposal: Proposal) -> dict[str, tuple[str, str]]:
    """Return what the registry reads by a proposal, as a user would use it."""
    file = folder.parent / f"{proposal.name}.yaml"
    file.write_text(proposal.text)
    corpus = load_registry([file]).get(proposal.name)
    reading = read(corpus, folder)
    reading.raise_problems()
    return {
        clip.file.relative: (clip.facts["speaker"], clip.facts["emotion"]) for clip in reading.clips
    }


def tree(
    form: str, speakers: Iterable[object], labels: Mapping[object, str], numbers: Iterable = (1, 2)
) -> dict[str, tuple[str, str]]:
    """Return paths with who speaks in them and how."""
    return {
        form.format(speaker, label, number): (str(speaker), emotion)
        for speaker, (label, emotion), number in product(speakers, labels.items(), numbers)
    }


ENGLISH = {"happy": "happiness", "cross": "anger", "plain": "neutral"}
GERMAN = {"wütend": "anger", "fröhlich": "happiness", "neutral": "neutral", "ängstlich": "fear"}
FRENCH = {"Colère": "anger", "Joie": "happiness", "Dégoût": "disgust", "Peur": "fear"}
SPANISH = {"enojo": "anger", "alegría": "happiness", "tristeza": "sadness"}
ITALIAN = {"rab": "anger", "gio": "happiness", "tri": "sadness", "pau": "fear", "col": "other"}
INITIALS = {"W": "anger", "F": "happiness", "T": "sadness", "A": "fear"}
INITIALS |= {"E": "disgust", "N": "neutral", "L": "other"}
NAMES = ("anna", "ben", "cleo")

LAYOUTS = {
    "own recordings": tree("{}-{}-{}.wav", NAMES, ENGLISH),
    "prefix": tree("{1}_{0}_{2:02}.wav", ("s1", "s2", "s3"), ENGLISH),
    "blanks and brackets": tree("{} ({}) {}.wav", ("Anna Maria", "Ben", "Uwe K."), GERMAN),
    "square brackets": tree("[{1}] {0} - take {2}.wav", ("Anna", "Ben", "Cleo"), ENGLISH),
    "stuck together": tree("{}{}{}.wav", NAMES, ENGLISH),
    "capitals": tree(
        "{}{}{}.wav", ("Anna", "Ben", "Cleo"), {k.title(): v for k, v in ENGLISH.items()}
    ),
    "emotion folders": tree("{1}/{0}_{2}.flac", NAMES, FRENCH),
    "speaker folders": tree("{}/{}{:03}.wav", ("DC", "JE", "JK"), SPANISH),
    "both folders": tree("speaker {}/{}/{}.wav", (1, 2, 13), SPANISH),
    "folders above": tree("{1}/{0}/audio/{2}.wav", NAMES, GERMAN),
    "initials": tree("wav/{}a01{}{}.wav", ("03", "08", "11"), INITIALS, "ab"),
    "abbreviations": tree("f_{}_{}{:02}a.wav", ("01", "02", "33"), ITALIAN),
    "actors": tree("{1}-{2}-Actor_{0}.mp3", ("01", "02", "03", "04"), ENGLISH),
    "capital extension": tree("{}-{}-{}.WAV", NAMES, ENGLISH),
    "video": tree("{}-{}-{}.mp4", NAMES, ENGLISH),
    "female and male": tree("{}_{}_{}.wav", ("F1", "F2", "M1", "M2"), ENGLISH),
    "RAVDESS": {
        path: (
            path[-6:-4],
            dict(
                zip(
                    ("01", "02", "03", "04", "05", "06", "07", "08"),
                    (
                        "neutral",
                        "other",
                        "happiness",
                        "sadness",
                        "anger",
                        "fear",
                        "disgust",
                        "surprise",
                    ),
                    strict=True,
                )
            )[path.rpartition("/")[2][6:8]],
        )
        for path in ravdess()
    },
    "SAVEE": {
        path: (
            path.split("/")[1],
            dict(
                a="anger",
                d="disgust",
                f="fear",
                h="happiness",
                n="neutral",
                sa="sadness",
                su="surprise",
            )[re.sub(r"\d", "", path.split("/")[2][:-4])],
        )
        for path in savee()
    },
    "TESS": {
        path: (
            path[:3],
            dict(
                angry="anger",
                disgust="disgust",
                fear="fear",
                happy="happiness",
                neutral="neutral",
                ps="surprise",
                sad="sadness",
            )[path[:-4].split("_")[2]],
        )
        for path in list(tess())[::3]
    },
    "CaFE": {
        path: (
            path.rpartition("/")[2][:2],
            dict(
                C="anger",
                D="disgust",
                J="happiness",
                N="neutral",
                P="fear",
                S="surprise",
                T="sadness",
            )[path.rpartition("/")[2][3]],
        )
        for path in cafe()
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path, name):
    truth = LAYOUTS[name]
    folder = planted(tmp_path / "My Corpus", truth)
    proposal = propose(folder)
    assert proposal.ready, proposal.text
    assert proposal.name == "my-corpus"
    assert "Ready" in proposal.text
    read_back = found(folder, proposal)
    assert read_back.keys() == truth.keys()
    for path, (_speaker, emotion) in truth.items():
        assert read_back[path][1] == emotion, path
    partition = {(read_back[path][0], truth[path][0]) for path in truth}
    assert len(partition) == len({speaker for speaker, _ in truth.values()}), partition
    assert len([line for line in proposal.text.splitlines() if not line.startswith("#")]) <= 25
    assert max(map(len, proposal.text.splitlines())) < 200
    yaml.safe_load(proposal.text)


def test_the_entry_expects_what_is_there(tmp_path):
    folder = planted(tmp_path / "voices", LAYOUTS["own recordings"])
    entry = load_text(tmp_path, propose(folder)).get("voices")
    assert entry.expect.emotions == {"anger": 6, "happiness": 6, "neutral": 6}
    assert entry.expect.speakers == 3
    assert entry.folds == "speaker"


def load_text(folder: Path, proposal: Proposal):
    file = folder / "proposed.yaml"
    file.write_text(proposal.text)
    return load_registry([file])


def test_many_speakers_are_held_out_in_groups(tmp_path):
    folder = planted(tmp_path / "many", tree("s{:02}_{}_{}.wav", range(13), ENGLISH))
    assert load_text(tmp_path, propose(folder)).get("many").folds == "groups:6"


def test_labels_that_nobody_knows_are_left_to_the_user(tmp_path):
    labels = {"happy": "happiness", "grumpy": "anger", "zonk": "other"}
    folder = planted(tmp_path / "voices", tree("{}_{}_{}.wav", NAMES, labels))
    proposal = propose(folder)
    assert not proposal.ready
    assert "say what 2 labels of 12 clips mean" in proposal.verdict
    assert "#   grumpy: ?    6 clips" in proposal.text
    entry = load_text(tmp_path, proposal).get("voices")  # it loads all the same
    assert dict(entry.emotions) == {"happy": "happiness"}
    mended = proposal.text.replace(
        "emotions: {happy: happiness}",
        "emotions: {happy: happiness, grumpy: anger, zonk: zonk -> other}",
    )
    proposal = Proposal("voices", mended, True, True, 0, "")
    assert len(found(folder, proposal)) == 18


def test_actors_of_borrowed_names_are_no_emotions(tmp_path):
    codes = itertools.product(("01", "03", "05"), ("01", "02"), ("01", "02"), range(1, 7))
    names = [f"03-01-{code}-01-{text}-{take}-{actor:02}.wav" for code, text, take, actor in codes]
    proposal = propose(trees.plant(tmp_path / "voices", names))
    assert "(?P<emotion>01|03|05)-01-" in proposal.text
    assert "Then pattern: ^03-01-(?P<emotion>01|03|05)-01-" in proposal.text.replace("\n#   ", " ")
    assert r"(?P<speaker>\d\d)\.wav$" in proposal.text


@pytest.mark.parametrize("form", ["spk{}_e{}_{}.wav", "{:02}-{:02}-{:02}.wav", "p{}/emo {}/{}.wav"])
def test_codes_without_a_legend(tmp_path, form):
    codes = {code: "other" for code in range(1, 6)}
    folder = planted(tmp_path / "voices", tree(form, range(11, 15), codes, range(6, 9)))
    proposal = propose(folder)
    assert not proposal.ready
    assert "say what 5 labels of 60 clips mean" in proposal.verdict, proposal.text
    load_text(tmp_path, proposal)


@pytest.mark.parametrize(
    "legend",
    [
        "The second number is the emotion (01 = neutral, 02 = angry, 03 = sad, 04 = happy).\n",
        "1: neutral\n2: anger (hot)\n3: Trauer\n4: joie\n",
        "code,label\n1,neutral\n2,anger\n3,sadness\n4,happiness\n",
        "01\tneutral\n02\tanger\n03\tsadness\n04\thappiness\n",
    ],
)
def test_codes_with_a_legend(tmp_path, legend):
    truth = tree(
        "{:02}-{}-{}.wav",
        range(11, 15),
        {"01": "neutral", "02": "anger", "03": "sadness", "04": "happiness"},
    )
    folder = planted(tmp_path / "voices", truth)
    (folder / "README.txt").write_text(legend)
    proposal = propose(folder)
    assert proposal.ready, proposal.text
    assert "README.txt" in proposal.text
    assert found(folder, proposal) == truth


def test_a_folder_without_speakers_says_so(tmp_path):
    truth = tree("{1}_{2:03}.wav", ("?",), ENGLISH, range(8))
    proposal = propose(planted(tmp_path / "voices", truth))
    assert not proposal.ready
    assert "# - Who speaks is not found" in proposal.text
    assert "no speaker can be held out" in " ".join(proposal.text.replace("#", "").split())
    with pytest.raises(SpecError, match="expected something that yields 'speaker'"):
        load_text(tmp_path, proposal)
    mended = proposal.text.replace("  folds:", "  defaults: {speaker: me}\n  folds:")
    load_text(tmp_path, Proposal("voices", mended, True, True, 0, ""))


def test_a_folder_without_labels_says_so(tmp_path):
    proposal = propose(plant(tmp_path / "voices", [f"{number}.wav" for number in range(9)]))
    assert not proposal.ready
    assert "looks like emotions" in proposal.text
    assert "Who speaks is not found" in proposal.text


ROWS = [
    (
        f"rec{number:03}",
        ("anger", "joy", "calm")[number % 3],
        f"P{number // 9}",
        "fm"[number // 9 % 2],
    )
    for number in range(36)
]


@pytest.mark.parametrize(
    ("file", "separator", "before", "key", "encoding"),
    [
        ("meta.csv", ",", "", "{}.wav", "utf-8"),
        ("meta.csv", ";", "", "audio/{}.wav", "utf-8-sig"),
        ("labels/Meta Data.tsv", "\t", "", "{}", "utf-8"),
        ("meta.txt", "\t", "Our corpus\n\n", "audio\\{}.WAV", "cp1252"),
    ],
)
def test_tables(tmp_path, file, separator, before, key, encoding):
    folder = plant(tmp_path / "voices", [f"audio/{row[0]}.wav" for row in ROWS])
    lines = [("File", "Émotion" if encoding == "cp1252" else "Label", "Speaker ID", "Gender")]
    lines += [(key.format(row[0]), *row[1:]) for row in ROWS]
    (folder / file).parent.mkdir(exist_ok=True)
    text = before + "\n".join(separator.join(line) for line in lines) + "\n"
    (folder / file).write_text(text, encoding=encoding)
    proposal = propose(folder)
    assert proposal.ready, proposal.text
    assert "pattern" not in yaml.safe_load(proposal.text)["voices"]
    names = {"anger": "anger", "joy": "happiness", "calm": "other"}
    truth = {f"audio/{row[0]}.wav": (row[2], names[row[1]]) for row in ROWS}
    assert found(folder, proposal) == truth
    sexes_found = {
        clip.facts["sex"]
        for clip in read(load_text(tmp_path, proposal).get("voices"), folder).clips
    }
    assert sexes_found == {"female", "male"}


def test_labels_in_a_table_and_speakers_in_names_and_in_another_table(tmp_path):
    names = [f"P{number // 9}_{number % 9}" for number in range(36)]
    folder = plant(tmp_path / "voices", [f"{name}.wav" for name in names])
    plant(folder, ["noise.wav"])
    labels = ("angry", "joyful", "sad")
    rows = [f"{name},{labels[number % 3]}" for number, name in enumerate(names)]
    (folder / "labels.csv").write_text("clip,x\n" + "\n".join(rows) + "\n")
    (folder / "people.csv").write_text(
        "id,Geschlecht,Alter\nP0,weiblich,20\nP1,männlich,30\nP2,weiblich,44\nP3,männlich,51\n"
    )
    proposal = propose(folder)
    assert proposal.ready, proposal.text
    assert "noise.wav: named otherwise than the rest" in proposal.text
    corpus = load_text(tmp_path, proposal).get("voices")
    clips = {clip.id: clip.facts for clip in read(corpus, folder).clips}
    assert len(clips) == 36
    assert clips["P1_0"]["sex"] == "male"
    assert clips["P1_0"]["age"] == "30"
    assert {facts["emotion"] for facts in clips.values()} == {"anger", "happiness", "sadness"}


def test_a_table_of_speakers_by_clip_and_nothing_that_tells_emotions(tmp_path):
    folder = plant(tmp_path / "voices", [f"{row[0]}.wav" for row in ROWS])
    rows = [f"{row[0]},{row[2]}" for row in ROWS]
    (folder / "meta.csv").write_text("file,speaker\n" + "\n".join(rows) + "\n")
    proposal = propose(folder)
    assert not proposal.ready
    assert "columns: {speaker: speaker}" in proposal.text
    assert "looks like emotions" in proposal.text


def test_a_table_of_ratings_is_no_table_of_clips(tmp_path):
    truth = LAYOUTS["own recordings"]
    folder = planted(tmp_path / "voices", truth)
    rows = [f"{path},{rater},{'anger' if rater else 'joy'}" for path in truth for rater in (0, 1)]
    (folder / "ratings.csv").write_text("file,rater,label\n" + "\n".join(rows) + "\n")
    proposal = propose(folder)
    assert proposal.ready
    assert found(folder, proposal) == truth


def test_a_table_that_does_not_list_every_clip(tmp_path):
    folder = plant(tmp_path / "voices", [f"{row[2]}_{row[0]}.wav" for row in ROWS])
    rows = [f"{row[2]}_{row[0]},{row[1]}" for row in ROWS[:30]]
    (folder / "meta.csv").write_text("file,label\n" + "\n".join(rows) + "\n")
    proposal = propose(folder)
    assert not proposal.ready
    assert "files without a row in it: 6" in proposal.text
    load_text(tmp_path, proposal)


def test_copies_are_told_and_same_names_in_other_folders_are_not_copies(tmp_path):
    folder = planted(tmp_path / "twice", LAYOUTS["own recordings"])
    for path in list(folder.iterdir()):
        copy = folder / "again" / path.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    proposal = propose(folder)
    assert proposal.ready
    assert proposal.clips == 18
    assert "18 of 36 files bear the name of another" in proposal.text
    truth = tree("{}/{}_{}.wav", NAMES, ENGLISH)
    proposal = propose(planted(tmp_path / "once", truth))
    assert proposal.clips == 18
    assert found(tmp_path / "once", proposal) == truth


def test_the_same_recordings_in_two_formats(tmp_path):
    truth = LAYOUTS["own recordings"]
    folder = planted(tmp_path / "voices", truth)
    plant(folder / "mp3", [path.replace(".wav", ".mp3") for path in list(truth)[:-1]])
    proposal = propose(folder)
    assert proposal.ready
    assert "seem to be there as .mp3 too; only .wav is read" in " ".join(proposal.text.split())
    assert found(folder, proposal) == truth


def test_several_formats_of_different_recordings(tmp_path):
    truth = tree("{}-{}-{}.wav", NAMES, ENGLISH) | tree("{}-{}-{}.flac", ("dora",), ENGLISH)
    folder = planted(tmp_path / "voices", truth)
    proposal = propose(folder)
    assert found(folder, proposal) == truth


def test_a_corpus_that_the_registry_knows(tmp_path):
    folder = plant(tmp_path / "savee", savee())
    proposal = propose(folder)
    assert proposal.ready
    assert "The registry knows 'savee' (SAVEE)." in " ".join(proposal.text.split())
    proposal = propose(folder, "mine")  # the folder would be found by two entries
    assert not proposal.loads
    assert "The registry knows 'savee'" in proposal.verdict
    proposal = propose(folder.rename(tmp_path / "mine"))
    assert proposal.ready
    assert "registry knows" not in proposal.text


def test_a_corpus_that_other_entries_build_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = planted(tmp_path / "one", LAYOUTS["own recordings"])
    entry = propose(folder).text + "  variants: {half: {}}\n"
    pool = "two:\n  title: Two\n  pool: ['one:half', three]\n"
    (tmp_path / "datasets.yaml").write_text(entry + entry.replace("one:", "three:") + pool)
    proposal = propose(folder)
    assert not proposal.ready
    assert not proposal.loads
    assert "The registry knows 'one'" in proposal.verdict


def test_secondary_emotions_are_left_to_the_user(tmp_path):
    proposal = propose(plant(tmp_path / "voices", list(jl())[::4]))
    assert "#   apologetic: ?" in proposal.text
    assert "excited: other" in proposal.text


def test_one_speaker_is_not_enough(tmp_path):
    proposal = propose(planted(tmp_path / "voices", tree("anna_{1}_{2}.wav", ("",), ENGLISH)))
    assert not proposal.ready


@pytest.mark.parametrize("name", ["Größe & Co", "!!!", "All", "x" * 200])
def test_odd_folder_names(tmp_path, name):
    folder = planted(tmp_path / name, LAYOUTS["own recordings"])
    proposal = propose(folder)
    assert proposal.ready or "all" in proposal.text
    if proposal.ready:
        corpus = load_text(tmp_path, proposal).get(name if name != "!!!" else "my-corpus")
        assert corpus.name == proposal.name


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(CorpusError, match=r"expected audio files such as \*.wav"):
        propose(tmp_path)
    with pytest.raises(CorpusError, match="expected a folder of audio, found nothing"):
        propose(tmp_path / "absent")


names = st.lists(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12),
        min_size=1,
        max_size=3,
    ).map("/".join),
    min_size=1,
    max_size=8,
    unique_by=lambda path: path.casefold(),
)


@given(names)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_files_are_called(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("any")
    for path in paths:
        target = folder / "voices" / f"{path}.wav"
        # What begins with a dot is hidden, and no clip.
        if any(part[0] == "." for part in path.split("/")) or len(target.name.encode()) > 200:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wav_bytes())
    if not list(folder.rglob("*.wav")):
        return
    proposal = propose(folder / "voices")
    yaml.compose(proposal.text)
    if proposal.ready:
        assert found(folder / "voices", proposal)


parts = st.sampled_from(
    ["{0}_{1}_{2}", "{1}-{0}-{2}", "{0}/{1}/{2}", "{1}/{0} ({2})", "{2}.{0}.{1}"]
)
people = st.lists(
    st.sampled_from(["anna", "ben", "cleo", "dora", "emil", "fred", "gina"]),
    min_size=3,
    unique=True,
)
languages = st.sampled_from([ENGLISH, GERMAN, FRENCH, SPANISH])


@given(parts, people, languages, st.sampled_from(["wav", "flac", "aiff"]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_ordinary_layouts_are_understood(tmp_path_factory, form, speakers, labels, kind):
    truth = tree(f"{form}.{kind}", speakers, labels, range(1, 4))
    folder = planted(tmp_path_factory.mktemp("any") / "voices", truth)
    proposal = propose(folder)
    assert proposal.ready, proposal.text
    assert found(folder, proposal) == truth


@pytest.mark.parametrize(
    ("labels", "language", "emotions"),
    [
        ("W L E A F T N", "German", "anger other disgust fear happiness sadness neutral"),
        ("C D J N P S T", "French", "anger disgust happiness neutral fear surprise sadness"),
        ("A D F H N S", "English", "anger disgust fear happiness neutral sadness"),
        ("rab gio tri pau", "Italian", "anger happiness sadness fear"),
        ("ang hap sad neu", "English", "anger happiness sadness neutral"),
        ("ANGRY Freude tristesse miedo", None, "anger happiness sadness fear"),
        ("Überraschung Ekel", None, "surprise disgust"),
    ],
)
def test_words(labels, language, emotions):
    told = meaning(dict.fromkeys(labels.split(), 3))
    assert " ".join(told.emotions[label] for label in labels.split()) == emotions
    assert told.language == language


@pytest.mark.parametrize("labels", ["IEO DFA TIE", "a b", "m f", "1 2 3", "bar foo", "OAF YAF"])
def test_what_is_no_emotion(labels):
    assert meaning(dict.fromkeys(labels.split(), 3)).score == 0


def test_sexes():
    assert sexes(["Weiblich", "männlich"]) == {"Weiblich": "female", "männlich": "male"}
    assert sexes(["f", "f"]) is None
    assert sexes(["f", "x"]) is None


@pytest.fixture
def say(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return int(stop.value.code or 0), printed.out, printed.err

    return run


def test_the_command(tmp_path, say):
    planted(tmp_path / "corpora" / "My Voices", LAYOUTS["own recordings"])
    status, text, told = say("corpora", "add", "corpora/My Voices")
    assert status == 0
    assert list(yaml.safe_load(text)) == ["my-voices"]
    assert f"emobench check my-voices --data {tmp_path / 'corpora'}" in told
    add = ("corpora", "add", "corpora/My Voices", "--out", "datasets.yaml")
    assert say(*add)[0] == 0
    assert say("check", "my-voices", "--data", "corpora")[0] == 0
    status, _, told = say(*add)
    assert status == 2
    assert "expected no entry of the name 'my-voices', found one" in told
    assert say(*add, "--name", "other")[0] == 2  # the folder's name is an alias of the first
    assert say("check", "my-voices", "--data", "corpora")[0] == 0  # the file is as it was
    status, _, told = say("corpora", "add", "nowhere")
    assert status == 1
    assert "found nothing" in told


def test_entries_are_added_to_a_file(tmp_path):
    folder = planted(tmp_path / "voices", LAYOUTS["own recordings"])
    file = tmp_path / "mine.yaml"
    file.write_text("# mine\n")
    add_to(file, propose(folder, "one"))
    add_to(file, propose(folder, "two"))
    assert [*yaml.safe_load(file.read_text())] == ["one", "two"]
    assert file.read_text().startswith("# mine\n")
    file.write_text("- no registry\n")
    with pytest.raises(SpecError, match=r"mine\.yaml, line 1"):
        add_to(file, propose(folder, "one"))


def test_thousands_of_names_are_looked_through_a_few_times_each(tmp_path, monkeypatch):
    """Where pairs of parts may tell the speaker, names were once gone through for each name."""
    names = [
        f"Session{session}/{role}_{dialogue:02}_{take:02}_{label}.wav"
        for session in range(1, 5)
        for role in "FM"
        for dialogue in range(10)
        for take in range(4)
        for label in ("ang", "hap", "sad")
    ]
    looked, column = [], Split.column
    monkeypatch.setattr(Split, "column", lambda *own: looked.append(own) or column(*own))
    propose(trees.plant(tmp_path / "corpus", names))
    assert len(looked) < 2 * len(names)
