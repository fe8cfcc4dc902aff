"""`emobench audit` of corpora and protocols: each finding in a corpus that was made to have it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trees
from sklearn.metrics import balanced_accuracy_score

from emobench import cli, protocols
from emobench.audit import of_corpora, predictability
from emobench.audit.findings import Audit, Finding
from emobench.spec import Fold, Protocol

ENTRY = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z]+)_(?P<emotion>angry|happy|sad)_(?P<repetition>\d+)\.wav$
  emotions: {angry: angry -> anger, happy: happy -> happiness, sad: sad -> sadness}
"""
BOTH = ("angry", "angry", "sad", "sad")
WHOLE = {"a": BOTH, "b": BOTH, "c": BOTH}


@pytest.fixture
def audit(tmp_path, monkeypatch, capsys):
    """Audit a corpus as a user does: its exit status, and its findings by kind."""
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMOBENCH_DATA", str(tmp_path))

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["audit", *words, "--datasets", str(tmp_path / "mine.yaml")])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out

    def audited(entry: str = "", protocol: str = "losgo") -> tuple[int, dict[str, dict]]:
        (tmp_path / "mine.yaml").write_text(ENTRY + entry if "mine:" not in entry else entry)
        status, text = run("mine", "--protocol", protocol, "--json")
        (made,) = json.loads(text)["audits"]
        kinds = [finding["kind"] for finding in made["findings"]]
        assert len(set(kinds)) == len(kinds) or "class-not-tested" in kinds
        assert status == int(any(one["severity"] == "hard" for one in made["findings"]))
        return status, {finding["kind"]: finding for finding in made["findings"]}

    audited.as_text, audited.folder = run, tmp_path / "mine"
    return audited


def plant(folder: Path, clips: dict[str, tuple[str, ...]], **sound: float) -> None:
    """Write clips of speakers, given by the labels of each."""
    names = [
        f"{who}_{label}_{number}.wav"
        for who, labels in clips.items()
        for number, label in enumerate(labels)
    ]
    trees.plant(folder, names, **sound)


def say(folder: Path, texts: dict[str, str]) -> str:
    """Write what is said in the clips of each label, and return what the entry needs."""
    for path in folder.glob("*.wav"):
        path.with_suffix(".txt").write_text(texts[path.stem.split("_")[1]])
    return '  texts: "*.txt"\n'


def again(path: Path, copy: Path) -> None:
    """Write the same samples with other bytes."""
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(copy, samples.astype(np.int32) << 16, rate, subtype="PCM_24")
    assert copy.read_bytes() != path.read_bytes()


@pytest.fixture
def with_protocol(monkeypatch):
    """Register a protocol like the default, with some changes."""

    def register(**changes: object) -> str:
        made = replace(protocols.get("losgo"), name="mine", **changes)
        monkeypatch.setattr(protocols, "_PROTOCOLS", (*protocols._PROTOCOLS, made))
        return made.name

    return register


def test_a_balanced_corpus_has_none_but_what_every_protocol_declares(audit):
    plant(audit.folder, WHOLE)
    status, found = audit()
    assert (status, list(found)) == (0, ["test-clips-normalise"])
    assert found["test-clips-normalise"]["severity"] == "declared"


# Hard ---------------------------------------------------------------------------------------------

SESSIONS = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z]+)(?P<group>\d)_(?P<emotion>angry|happy|sad)_(?P<repetition>\d+)\.wav$
  emotions: {angry: angry -> anger, happy: happy -> happiness, sad: sad -> sadness}
  folds: session
"""


def test_a_speaker_in_two_sessions(audit):
    plant(audit.folder, {"a1": BOTH, "b1": BOTH, "a2": BOTH, "c2": BOTH, "d3": BOTH})
    status, found = audit(SESSIONS)
    told = found["speaker-on-both-sides"]
    assert (status, told["severity"], told["evidence"]) == (1, "hard", ["a"])
    assert told["where"] == "folds 0, 1"
    assert told["found"] == "in training and test: 1 of 4 speakers ('a'), with 8 test clips"
    assert "group-on-both-sides" not in found


def test_random_parts_are_declared_by_a_protocol_with_a_caution_alone(audit, with_protocol):
    plant(audit.folder, {"a1": BOTH, "b1": BOTH, "c2": BOTH, "d2": BOTH})
    status, found = audit(SESSIONS, "wang2020-random5")
    kinds = {"speaker-on-both-sides", "group-on-both-sides"}
    assert status == 0
    assert {kind: found[kind]["severity"] for kind in kinds} == dict.fromkeys(kinds, "declared")
    assert found["group-on-both-sides"]["evidence"] == ["1", "2"]
    assert (
        "no measure of how a model does on new speakers" in found["speaker-on-both-sides"]["advice"]
    )
    status, found = audit(SESSIONS, with_protocol(split="random"))
    assert status == 1
    assert {kind: found[kind]["severity"] for kind in kinds} == dict.fromkeys(kinds, "hard")


def test_the_same_sound_in_other_bytes_on_both_sides(audit):
    plant(audit.folder, WHOLE)
    again(audit.folder / "a_sad_2.wav", audit.folder / "b_sad_3.wav")
    status, found = audit()
    told = found["audio-on-both-sides"]
    assert (status, told["severity"]) == (1, "hard")
    assert told["where"] == "folds 0, 1"
    assert told["found"].endswith("1 recording (a_sad_2.wav = b_sad_3.wav)")
    assert told["evidence"] == ["a_sad_2", "b_sad_3"]
    assert found["audio-with-two-speakers"]["severity"] == "soft"
    assert "audio-with-two-labels" not in found


def test_the_same_sound_under_two_labels_of_one_speaker(audit):
    plant(audit.folder, WHOLE)
    again(audit.folder / "a_sad_2.wav", audit.folder / "a_angry_0.wav")
    status, found = audit()
    told = found["audio-with-two-labels"]
    assert (status, told["severity"]) == (1, "hard")
    assert told["evidence"] == ["a_angry_0", "a_sad_2"]
    assert "audio-on-both-sides" not in found
    assert "audio-with-two-speakers" not in found


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"tuning": "evaluation"}, "test-clips-tune", "chosen on the test clips"),
        ({"selection": "best-test-epoch"}, "test-clips-choose-epoch", "choose the epoch"),
        ({"weights": "corpus"}, "test-clips-weigh", "class weights count the test clips"),
        ({"weights": "of a new kind"}, "test-clips-weigh", "class weights count the test clips"),
        ({"batching": "sorted"}, "neighbours-pad", "padded to the longest of its batch"),
        ({"normalisation": "corpus"}, "test-clips-standardise", "statistics of all clips"),
        ({"copies": 0.2}, "test-clips-train", "trained on as well"),
    ],
)
def test_test_clips_in_training(audit, with_protocol, change, kind, words):
    plant(audit.folder, WHOLE)
    assert kind not in audit()[1]
    status, found = audit(protocol=with_protocol(**change))
    assert (status, found[kind]["severity"]) == (1, "hard")
    assert words in found[kind]["found"]
    assert "The protocol does not say so" in found[kind]["advice"]


@pytest.mark.parametrize(
    ("protocol", "declared"),
    [
        ("losgo", {"test-clips-normalise"}),
        (
            "keesing2020",
            {"test-clips-normalise", "test-clips-tune", "test-clips-weigh", "neighbours-pad"},
        ),
        (
            "wang2020-random5",
            {"test-clips-normalise", "speaker-on-both-sides", "test-clips-choose-epoch"},
        ),
        ("yoon2018", {"test-clips-normalise", "speaker-on-both-sides"}),
        ("krishna2019", {"test-clips-normalise"}),
        ("training-scaling", set()),
        ("leaky-random-clips", {"test-clips-normalise", "speaker-on-both-sides"}),
        ("leaky-scaling", {"test-clips-standardise"}),
        ("leaky-copies", {"test-clips-normalise", "test-clips-train"}),
    ],
)
def test_what_each_protocol_declares(audit, protocol, declared):
    plant(audit.folder, {name: BOTH for name in "abcdef"})
    status, found = audit(protocol=protocol)
    assert status == 0
    assert {kind for kind, one in found.items() if one["severity"] == "declared"} == declared


def test_the_development_clips_of_a_test_speaker(audit, with_protocol):
    plant(audit.folder, WHOLE)
    status, found = audit(protocol=with_protocol(development=0.25))
    assert status == 1
    assert found["speaker-on-both-sides"]["evidence"] == ["a", "b", "c"]


def test_a_clip_on_both_sides_and_in_two_folds(audit, monkeypatch):
    """No protocol makes such folds; what is asked is that it would be noticed."""
    plant(audit.folder, {"a": BOTH, "b": BOTH})
    ids = [path.stem for path in sorted(audit.folder.iterdir())]
    wrong = [
        Fold(0, ("a",), training=tuple(ids[4:]), test=tuple(ids[:5])),
        Fold(1, ("b",), training=tuple(ids[:4]), test=tuple(ids[4:])),
    ]
    monkeypatch.setattr(of_corpora, "split", lambda *_: wrong)
    status, found = audit()
    assert status == 1
    assert found["clip-on-both-sides"]["evidence"] == [ids[4]]
    assert found["clip-on-both-sides"]["where"] == "fold 0 (without a)"
    assert found["tested-twice"]["evidence"] == [ids[4]]


def test_texts_that_name_the_label(audit):
    plant(audit.folder, WHOLE)
    status, found = audit(say(audit.folder, {"angry": "I am so angry", "sad": "this makes me sad"}))
    assert (status, found["text-names-label"]["severity"]) == (1, "hard")
    assert found["text-names-label"]["found"].startswith(
        "12 of 12 transcripts name their own label"
    )
    assert len(found["text-names-label"]["evidence"]) == 12


def test_a_few_texts_that_name_the_label_are_said_and_no_more(audit):
    plant(audit.folder, WHOLE)
    entry = say(audit.folder, {"angry": "say it", "sad": "say it"})
    for speaker in "ab":
        (audit.folder / f"{speaker}_angry_0.txt").write_text("I am angry")
    status, found = audit(entry)
    assert (status, found["text-names-label"]["severity"]) == (0, "soft")


def test_texts_that_determine_the_label(audit):
    plant(audit.folder, WHOLE)
    status, found = audit(say(audit.folder, {"angry": "Never again!", "sad": "It is over."}))
    told = found["transcript-determines-label"]
    assert (status, told["severity"]) == (1, "hard")
    assert told["found"].startswith("the label of 12 of 12 clips is the one")
    assert len(told["evidence"]) == 12


def test_texts_of_both_labels_tell_nothing(audit):
    plant(audit.folder, WHOLE)
    status, found = audit(say(audit.folder, {"angry": "Never again!", "sad": "never   again"}))
    assert status == 0
    assert not [kind for kind in found if "label" in kind]
    assert found["sentence-on-both-sides"]["evidence"] == ["never again"]


def test_texts_that_tell_the_label_more_often_than_not(audit):
    plant(audit.folder, {name: BOTH for name in "abcdef"})
    entry = say(audit.folder, {"angry": "never again", "sad": "it is over"})
    for speaker in "abcdef":
        (audit.folder / f"{speaker}_sad_2.txt").write_text("never again")
    status, found = audit(entry)
    assert (status, found["transcript-tells-label"]["severity"]) == (0, "soft")


def test_fewer_clips_than_expected(audit):
    plant(audit.folder, WHOLE)
    status, found = audit("  expect: {anger: 6, sadness: 9, speakers: 4}\n")
    assert (status, found["fewer-clips"]["severity"]) == (1, "hard")
    assert found["fewer-clips"]["found"] == (
        "This copy holds 12 clips instead of 15 (sadness 6 of 9, speakers 3 of 4)"
    )


def test_files_that_cannot_be_used(audit):
    plant(audit.folder, WHOLE)
    (audit.folder / "a_sad_9.wav").write_bytes(b"this is a text\n" * 40)
    status, found = audit()
    assert (status, found["unusable-files"]["evidence"]) == (1, ["a_sad_9.wav"])


@pytest.mark.corpora
@pytest.mark.parametrize("protocol", ["losgo", "keesing2020"])
@pytest.mark.parametrize("corpus", ["emo-db", "ravdess"])
def test_real_corpora_have_none(audit, real_data, tmp_path, monkeypatch, corpus, protocol):
    monkeypatch.setenv("EMOBENCH_DATA", str(real_data))
    (tmp_path / "mine.yaml").write_text(ENTRY)
    status, text = audit.as_text(corpus, "--protocol", protocol, "--json")
    assert (status, json.loads(text)["hard"]) == (0, 0)


def test_the_demo_has_none(audit, tmp_path, monkeypatch):
    monkeypatch.delenv("EMOBENCH_DATA")
    (tmp_path / "mine.yaml").write_text(ENTRY)
    status, text = audit.as_text("demo")
    assert status == 0
    assert text.splitlines()[1] == "demo under losgo: 120 clips of 6 speakers, 6 folds"
    assert text.splitlines()[-1].startswith("0 hard, ")


# Soft ---------------------------------------------------------------------------------------------


def soft(audited: tuple[int, dict[str, dict]], kind: str) -> dict:
    status, found = audited
    assert (status, found[kind]["severity"]) == (0, "soft")
    return found[kind]


def test_classes_that_a_part_lacks(audit):
    plant(audit.folder, {**WHOLE, "c": (*BOTH, "happy", "happy")})
    audited = audit()
    assert soft(audited, "class-not-trained")["where"] == "fold 2 (without c)"
    assert soft(audited, "class-not-tested")["where"] == "folds 0, 1"


def test_a_single_clip_of_a_class(audit):
    plant(audit.folder, {**WHOLE, "c": (*BOTH, "happy")})
    assert soft(audit(), "single-clip")["evidence"] == ["c_happy_4"]


def test_speakers_of_one_label(audit):
    """As in a real corpus, where 26 of 29 speakers have one emotion."""
    speakers = {f"s{chr(97 + n)}": ("angry", "sad")[n % 2 :][:1] * 4 for n in range(26)}
    plant(audit.folder, {**speakers, **WHOLE})
    told = soft(audit(), "speaker-tells-label")
    assert told["found"].startswith("26 of 29 speakers have clips of one label only")
    assert "standardising by speaker removes what tells their label" in told["found"]
    assert len(told["evidence"]) == 26


def test_a_speaker_of_two_sexes(audit):
    plant(audit.folder, WHOLE)
    entry = "  values: {sex: {from: repetition, map: {0: male}, otherwise: female}}\n"
    assert soft(audit(entry), "speaker-of-two-sexes")["evidence"] == ["a", "b", "c"]


def test_uneven_folds(audit):
    plant(audit.folder, {**WHOLE, "c": BOTH * 4})
    assert soft(audit(), "uneven-folds")["found"] == "fold 0 tests 4 clips and fold 2 16"
    plant(audit.folder, {"a": BOTH * 4, "b": BOTH * 4})
    assert "uneven-folds" not in audit()[1]


def test_one_and_two_speakers(audit):
    plant(audit.folder, {"a": BOTH * 3})
    assert soft(audit(protocol="yoon2018"), "few-speakers")["found"] == "one speaker in all"
    plant(audit.folder, {"b": BOTH})
    assert soft(audit(), "few-speakers")["found"].startswith("two groups to hold out")


def test_the_same_sentence_on_both_sides(audit):
    plant(audit.folder, WHOLE)
    told = soft(audit(ENTRY.replace("repetition", "sentence")), "sentence-on-both-sides")
    assert told["found"].startswith("12 of 12 test clips say one of 4 sentences")


def test_sentences_that_determine_the_label_but_are_not_read(audit):
    plant(audit.folder, WHOLE)
    assert soft(audit(ENTRY.replace("repetition", "sentence")), "sentence-determines-label")


def test_resampled_and_stereo_files(audit):
    plant(audit.folder, WHOLE)
    plant(audit.folder, {"d": BOTH}, rate=44_100)
    tone = np.sin(np.arange(3200) / 9)[:, None] * [0.5, 0.5]
    soundfile.write(audit.folder / "e_sad_0.wav", tone, 16_000)
    told = soft(audit(), "resampled")
    assert "44,100 Hz mono (4 files)" in told["found"]
    assert "16,000 Hz with 2 channels (1 file)" in told["found"]
    assert "tells the label" not in told["advice"]
    assert len(told["evidence"]) == 5


def test_a_format_that_tells_the_label(audit):
    plant(audit.folder, {name: ("angry", "angry") for name in "abc"}, rate=44_100)
    trees.plant(audit.folder, [f"{name}_sad_{n}.wav" for name in "abc" for n in range(2)])
    assert "tells the label better than chance" in soft(audit(), "resampled")["advice"]


def test_a_recording_twice(audit):
    plant(audit.folder, WHOLE)
    again(audit.folder / "a_sad_2.wav", audit.folder / "a_sad_3.wav")
    assert soft(audit(), "audio-repeated")["evidence"] == ["a_sad_2", "a_sad_3"]


def test_more_clips_than_expected(audit):
    plant(audit.folder, WHOLE)
    told = soft(audit("  expect: {anger: 5, sadness: 5}\n"), "more-clips")
    assert told["found"] == "This copy holds 12 clips instead of 10"


# The command --------------------------------------------------------------------------------------


def test_a_table_with_the_gravest_first(audit, tmp_path):
    plant(audit.folder, WHOLE)
    shutil.copy(audit.folder / "a_angry_0.wav", audit.folder / "b_sad_2.wav")
    (tmp_path / "mine.yaml").write_text(ENTRY)
    status, text = audit.as_text("mine")
    lines = text.splitlines()
    assert status == 1
    assert lines[1] == "mine under losgo: 12 clips of 3 speakers, 3 folds"
    assert [line.split()[0] for line in lines[2:-1]] == ["hard", "hard", "declared"]
    assert "Expected: one label for each recording." in lines[2]
    assert lines[-1] == "2 hard, 1 declared, 0 soft."


def test_a_second_audit_decodes_nothing(audit, monkeypatch, tmp_path):
    from emobench import sounds
    from emobench.storage import memory

    plant(audit.folder, WHOLE)
    (tmp_path / "mine.yaml").write_text(ENTRY)
    heard = []
    listen = sounds._listen
    monkeypatch.setattr(sounds, "_listen", lambda segment: heard.append(segment) or listen(segment))
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))
    first = audit.as_text("mine")
    assert len(heard) == 12
    assert audit.as_text("mine") == first
    assert len(heard) == 12


def test_without_anything_to_look_at(audit, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit"])
    assert ended.value.code == 2
    assert "expected a corpus or --results, found neither" in capsys.readouterr().err


def test_a_corpus_that_cannot_be_split_ends_with_a_message(audit, tmp_path, capsys):
    plant(audit.folder, {"a": BOTH})
    (tmp_path / "mine.yaml").write_text(ENTRY)
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "mine", "--datasets", str(tmp_path / "mine.yaml")])
    assert ended.value.code == 1
    assert "expected at least 2 speakers, found 1" in capsys.readouterr().err


def test_one_corpus_of_several_that_cannot_be_split_does_not_end_all(audit, tmp_path):
    plant(audit.folder, {"a": BOTH})
    plant(tmp_path / "whole", WHOLE)
    (tmp_path / "mine.yaml").write_text(ENTRY + ENTRY.replace("mine:", "whole:"))
    status, text = audit.as_text("mine", "whole", "--json")
    first, second = json.loads(text)["audits"]
    assert status == 1
    assert [one["kind"] for one in first["findings"]] == ["unreadable"]
    assert "expected at least 2 speakers, found 1" in first["findings"][0]["found"]
    assert second["hard"] == 0


# Parts --------------------------------------------------------------------------------------------


def test_beyond_chance_is_the_adjusted_balanced_accuracy():
    random = np.random.default_rng(0)
    for classes in (2, 3, 7):
        truth = random.integers(0, classes, 200).astype(str)
        guess = np.where(random.random(200) < 0.4, truth, random.integers(0, classes, 200))
        told = list(zip(truth, guess.astype(str), strict=True))
        expected = balanced_accuracy_score(truth, guess.astype(str), adjusted=True)
        assert predictability.beyond_chance(told) == pytest.approx(expected)


def test_held_out_asks_other_groups_only():
    clips = [("k", "x", "1"), ("k", "y", "1"), ("k", "y", "2"), ("k", "x", "3"), ("m", "x", "1")]
    assert predictability.held_out(clips) == ["", "", "x", "y", None]


def test_every_finding_is_one_line():
    finding = Finding("kind", "soft", "found this", "that", "Do it.", "fold 1", ("a",))
    assert finding.line == "fold 1: found this. Do it."
    audit = Audit.of("subject", [finding, replace(finding, severity="hard")])
    assert [one.severity for one in audit.findings] == ["hard", "soft"]
    assert audit.plain()["hard"] == 1


def test_every_protocol_is_named_by_what_it_declares():
    """A protocol that lets test clips in has a caution: else its audit is hard everywhere."""

    def lets_in(protocol: Protocol) -> bool:
        return bool(
            protocol.draws_clips
            or protocol.normalisation == "corpus"
            or protocol.copies
            or protocol.tuning == "evaluation"
            or protocol.selection == "best-test-epoch"
            or protocol.weights == "corpus"
        )

    every = [protocols.get(name) for name in protocols.names()]
    assert [one.name for one in every if lets_in(one) and not one.caution] == []
