"""What a corpus cannot teach is said by `check`, `folds` and `run`, before hours are spent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trees

from emobench import audit, cli, corpora, folds, protocols
from emobench.audit import splitting
from emobench.errors import CorpusError

ENTRY = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z]+)_(?P<emotion>angry|happy|sad)_(?P<repetition>\d+)\.wav$
  emotions: {angry: angry -> anger, happy: happy -> happiness, sad: sad -> sadness}
"""


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Write a corpus; return what is foreseen of it."""
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    file, folder = tmp_path / "mine.yaml", tmp_path / "mine"

    def made(clips: dict[str, str], more: str = "", protocol: str = "losgo") -> list[str]:
        """Speakers and the labels of their clips, such as {"a": "angry angry sad"}."""
        names = [
            f"{who}_{label}_{number}.wav"
            for who, labels in clips.items()
            for number, label in enumerate(labels.split())
        ]
        trees.plant(folder, names)
        return foreseen(more, protocol)

    def foreseen(more: str = "", protocol: str = "losgo") -> list[str]:
        file.write_text(ENTRY + more)
        entry = corpora.load_registry([file]).get("mine")
        found = audit.foresee(entry, protocols.get(protocol), tmp_path, tmp_path / "cache")
        return [finding.line for finding in found]

    made.again, made.folder, made.file = foreseen, folder, file
    return made


BOTH = "angry angry sad sad"
WHOLE = {"a": BOTH, "b": BOTH, "c": BOTH}


def test_nothing_is_said_of_a_balanced_corpus(corpus):
    assert corpus(WHOLE) == []


def test_a_class_that_one_speaker_alone_has(corpus):
    first, second = corpus({**WHOLE, "c": f"{BOTH} happy happy"})
    assert first == (
        "fold 2 (without c): 'happiness' is tested but not in the training part, so its recall is "
        "0. Drop the class, or hold out larger groups."
    )
    assert (
        second == "folds 0, 1: no clip of 'happiness' is tested. UAR is the mean over the others."
    )


def test_speakers_of_one_label_each(corpus):
    (said,) = [
        line
        for line in corpus({"a": "angry " * 4, "b": "angry " * 4, "c": "sad " * 4, "d": "sad " * 4})
        if "standardising" in line
    ]
    assert said.startswith("4 of 4 speakers have clips of one label only ('a', 'b', 'c', 'd')")


def test_few_clips_by_speakers_of_one_label_are_no_news(corpus):
    said = corpus({**dict.fromkeys("abcdefghijk", BOTH), "l": "sad sad"})
    assert not [line for line in said if "standardising" in line]


def test_a_single_clip_of_a_class(corpus):
    said = corpus({**WHOLE, "a": f"{BOTH} happy"})
    assert said[0].startswith("a single clip of 'happiness': it is either trained on or tested")


def test_two_speakers(corpus):
    assert corpus({"a": BOTH, "b": BOTH}) == [
        "two groups to hold out: each fold trains on one, so that tuning and development split its "
        "clips (within-speaker), and differences between folds say little. Say so beside its "
        "results."
    ]


def test_a_speaker_of_two_sexes(corpus):
    more = "  values: {sex: {from: repetition, map: {0: male}, otherwise: female}}\n"
    said = corpus(WHOLE, more)
    (line,) = said
    assert line.startswith("speaker 'a' has 3 female and 1 male clips; speaker 'b' has")
    assert line.endswith("Two people may share the name, or a label is wrong.")


def test_the_same_sound_under_two_labels_and_two_speakers(corpus):
    corpus(WHOLE)
    shutil.copy(corpus.folder / "a_angry_0.wav", corpus.folder / "b_sad_2.wav")
    label, sides = corpus.again()
    assert label.startswith(
        "the same sound under several labels, 1 time: a_angry_0.wav = b_sad_2.wav."
    )
    assert sides.startswith(
        "folds 0, 1: in training and test under several names: 1 recording "
        "(a_angry_0.wav = b_sad_2.wav)."
    )


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"angry": "I am so angry", "sad": "this makes me sad"}, True),
        ({"angry": "ANGER!", "sad": "Sad, sad."}, True),
        ({"angry": "say the word angry", "sad": "say the word angry"}, False),
        ({"angry": "kids are talking", "sad": "dogs are sitting"}, False),
        ({"angry": "sadly", "sad": "angrily"}, False),
    ],
)
def test_transcripts_that_name_the_label(corpus, texts, told):
    corpus(WHOLE)
    for path in corpus.folder.glob("*.wav"):
        path.with_suffix(".txt").write_text(texts[path.stem.split("_")[1]])
    said = [line for line in corpus.again('  texts: "*.txt"\n') if "name their own" in line]
    assert bool(said) is told
    if told:
        assert said[0].startswith("12 of 12 transcripts name their own label, such as '")


def test_one_speaker_cannot_be_split(corpus):
    with pytest.raises(CorpusError):
        corpus({"a": BOTH})


# Where it is said ---------------------------------------------------------------------------------


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(
                [
                    *map(str, words),
                    "--data",
                    str(tmp_path),
                    "--datasets",
                    str(tmp_path / "mine.yaml"),
                ]
            )
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    return run


def test_check_folds_and_run_say_the_same(corpus, say, tmp_path, caplog):
    expected = corpus({"a": f"{BOTH} happy", "b": BOTH})
    assert len(expected) == 4
    status, out, _ = say("check", "mine")
    assert status == 0
    assert [line[9:] for line in out.splitlines() if line.startswith("warning: ")] == expected
    assert out.splitlines()[-1].endswith("See the 4 warnings above.")
    _, _, err = say("folds", "mine")
    assert [line[9:] for line in err.splitlines() if line.startswith("warning: ")] == expected
    words = ("--corpus", "mine", "--protocol", "smoke", "--results", tmp_path / "results")
    say("run", "--model", "svm-is09", *words)
    told = [record.getMessage() for record in caplog.records if "cautions" not in record.name]
    assert [line[6:] for line in told if line.startswith("mine: ")] == expected


def test_check_says_that_one_speaker_cannot_be_run(corpus, say):
    with pytest.raises(CorpusError):
        corpus({"a": BOTH})
    _, out, _ = say("check", "mine")
    assert "warning: It cannot be run: " in out


def test_a_corpus_of_one_speaker_fails_before_features_are_extracted(corpus, say, tmp_path):
    with pytest.raises(CorpusError):
        corpus({"a": BOTH})
    words = ("--corpus", "mine", "--protocol", "smoke", "--results", tmp_path / "results")
    status, _, err = say("run", "--model", "svm-is09", *words)
    assert status == 1
    assert "failed: mine svm-is09: " in err
    kept = {path.name.partition("-")[0] for path in (tmp_path / "cache").glob("*")}
    assert kept <= {"headers", "sounds", "bytes"}


def test_folds_are_those_that_are_trained_on(corpus, tmp_path):
    """Where single groups are held out no table is made for this; it must not differ."""
    corpus({"b": BOTH, "a": f"{BOTH} happy", "c": BOTH})
    entry = corpora.load_registry([corpus.file]).get("mine")
    reading = corpora.open_corpus(entry, tmp_path, tmp_path / "cache")
    table = corpora.load(entry, tmp_path, tmp_path / "cache")
    protocol = protocols.get("losgo")
    quick = splitting.split(reading, protocol, tmp_path / "cache")
    whole = folds.make(table, entry.folds, protocol)
    assert [(fold.index, fold.held_out) for fold in quick] == [
        (fold.index, fold.held_out) for fold in whole
    ]
    for one, other in zip(quick, whole, strict=True):
        assert (set(one.training), set(one.test)) == (set(other.training), set(other.test))
