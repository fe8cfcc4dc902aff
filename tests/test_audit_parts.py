"""What an audit says of clips that are made up here: each rule by itself, against counting."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from emobench.audit import classes, recordings, speakers, texts
from emobench.audit.findings import SEVERITIES, Audit, Finding
from emobench.audit.material import by, equal, grouped, numbered, quoted
from emobench.audit.predictability import beyond_chance, held_out, skill
from emobench.corpora.reading.audio_files import AudioFile
from emobench.corpora.reading.clips import Clip
from emobench.spec import Fold


def clip(name: str, label: str = "anger", speaker: str = "s1", **facts: str) -> Clip:
    file = AudioFile(f"/corpus/{name}.wav", f"{name}.wav", 100, (0, 0, 0, 0))
    known = {"label": label, "emotion": label, "raw_emotion": label, "speaker": speaker}
    return Clip(name, file, {**known, "group": speaker, **facts})


def several(*given: tuple[str, str], **facts: str) -> list[Clip]:
    """Return a clip for each label and speaker."""
    return [clip(f"c{number}", *one, **facts) for number, one in enumerate(given)]


def leave_one_out(clips: list[Clip]) -> list[Fold]:
    groups = by(clips, "group")
    return [
        Fold(
            index,
            (name,),
            training=tuple(one.id for one in clips if one not in own),
            test=tuple(one.id for one in own),
        )
        for index, (name, own) in enumerate(sorted(groups.items()))
    ]


def material(clips: list[Clip], folds: list[Fold] | None = None, **headers: tuple[int, int]):
    known = {
        one.file.path: SimpleNamespace(
            sample_rate=headers.get(one.id, (16_000, 1))[0],
            channels=headers.get(one.id, (16_000, 1))[1],
        )
        for one in clips
    }
    report = SimpleNamespace(headers=SimpleNamespace(known=known))
    folds = leave_one_out(clips) if folds is None else folds
    return SimpleNamespace(clips=tuple(clips), folds=tuple(folds), report=report)


def kinds(found) -> dict[str, Finding]:
    return {one.kind: one for one in found}


BALANCED = several(*((label, f"s{n}") for n in range(3) for label in ("anger", "joy") * 2))


@pytest.mark.parametrize("rule", [classes, speakers, recordings, texts])
def test_nothing_is_said_of_a_sound_corpus(rule):
    assert list(rule.findings(material(BALANCED))) == []


@pytest.mark.parametrize("rule", [classes, speakers, recordings, texts])
def test_nothing_is_said_of_no_corpus(rule):
    assert list(rule.findings(material([]))) == []


def test_a_class_of_one_clip_is_said():
    clips = [*BALANCED, clip("odd", "fear", "s1"), clip("odder", "awe", "s2")]
    found = kinds(classes.findings(material(clips)))
    assert found["single-clip"].evidence == ("odder", "odd")
    assert "a single clip of 'awe', 'fear'" in found["single-clip"].found
    assert found["class-not-trained"].severity == "soft"


def test_classes_that_a_part_lacks_are_said_with_their_folds():
    clips = [*BALANCED, clip("x1", "fear", "s0"), clip("x2", "fear", "s0")]
    every = [one for one in classes.findings(material(clips)) if one.kind != "single-clip"]
    assert [(one.kind, one.where) for one in every] == [
        ("class-not-trained", "fold 0 (without s0)"),
        ("class-not-tested", "folds 1, 2"),
    ]
    assert "'fear' is tested but not in the training part" in every[0].found
    assert "no clip of 'fear' is tested" in every[1].found


@pytest.mark.parametrize(("more", "is_said"), [(8, False), (9, True)])
def test_folds_of_very_different_sizes_are_said(more, is_said):
    """The smallest tests four clips: beyond three times as many it is said."""
    clips = [*BALANCED, *(clip(f"more{n}", "joy", "s2") for n in range(more))]
    found = kinds(classes.findings(material(clips)))
    assert ("uneven-folds" in found) is is_said
    if is_said:
        assert found["uneven-folds"].found == "fold 0 tests 4 clips and fold 2 13"


def test_speakers_of_one_label_are_said_if_they_are_many():
    clips = several(*(("anger", "a"),) * 3, *(("joy", "b"),) * 3, ("joy", "c"), ("anger", "c"))
    found = kinds(speakers.findings(material(clips)))["speaker-tells-label"]
    assert found.evidence == ("a", "b")
    assert found.found.startswith("2 of 3 speakers have clips of one label only ('a', 'b')")
    few = [*clips[:2], *(clip(f"m{n}", ("joy", "anger")[n % 2], f"s{n % 3}") for n in range(40))]
    assert "speaker-tells-label" not in kinds(speakers.findings(material(few)))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("a", "one speaker in all"),
        ("ab", "two groups to hold out: each fold trains on one"),
        ("abc", None),
    ],
)
def test_too_few_speakers_are_said(names, words):
    clips = several(*((label, name) for name in names for label in ("anger", "joy")))
    found = kinds(speakers.findings(material(clips))).get("few-speakers")
    assert (found is None) if words is None else (words in found.found)


def test_two_speakers_in_many_sessions_are_few():
    clips = [
        clip(f"c{n}", ("joy", "anger")[n % 2], "ab"[n // 6], group=f"g{n % 4}") for n in range(12)
    ]
    assert "two speakers in all" in kinds(speakers.findings(material(clips)))["few-speakers"].found


def test_a_name_for_two_people_is_said():
    sexes = ("female", "female", "male")
    clips = [clip(f"c{n}", "joy", f"s{n // 3}", sex=sexes[n % 3]) for n in range(15)]
    found = kinds(speakers.findings(material(clips)))["speaker-of-two-sexes"]
    assert found.found.startswith("speaker 's0' has 2 female and 1 male clips; ")
    assert found.found.endswith("; and so on for 2 more")
    assert found.evidence == tuple(f"s{n}" for n in range(5))


def test_recordings_that_are_changed_for_models_are_said():
    found = kinds(
        recordings.findings(material(BALANCED, c0=(44_100, 2), c1=(44_100, 2), c2=(8_000, 1)))
    )["resampled"]
    assert found.evidence == ("c0", "c1", "c2")
    assert found.found == (
        "recorded at 16,000 Hz mono (9 files), 44,100 Hz with 2 channels (2 files), "
        "8,000 Hz mono (1 file)"
    )
    assert "tells the label" not in found.advice


def test_recordings_whose_format_tells_the_label_are_said():
    rates = {one.id: (44_100, 1) for one in BALANCED if one.facts["label"] == "joy"}
    found = kinds(recordings.findings(material(BALANCED, **rates)))["resampled"]
    assert "The format tells the label better than chance" in found.advice


def test_transcripts_that_name_their_label_are_said():
    words = {"anger": "I am so angry!", "joy": "What a JOY."}
    clips = [
        clip(f"c{n}", label, f"s{n % 3}", transcript=words[label])
        for n, label in enumerate(("anger", "joy") * 6)
    ]
    found = kinds(texts.findings(material(clips)))
    assert list(found) == ["text-names-label"]
    assert found["text-names-label"].severity == "hard"
    assert "12 of 12 transcripts name their own label, such as 'I am so angry!'" in (
        found["text-names-label"].found
    )
    crossed = [
        clip(f"c{n}", label, f"s{n % 3}", transcript=words[("joy", "anger")[n // 2 % 2]])
        for n, label in enumerate(("anger", "joy") * 6)
    ]
    assert "text-names-label" not in kinds(texts.findings(material(crossed)))


@pytest.mark.parametrize(
    ("column", "kind", "severity"),
    [
        ("transcript", "transcript-determines-label", "hard"),
        ("sentence", "sentence-determines-label", "soft"),
    ],
)
def test_words_that_others_say_under_the_same_label_are_said(column, kind, severity):
    clips = [
        clip(
            f"c{n}", label, f"s{n // 2}", **{column: {"anger": "go away", "joy": "come in"}[label]}
        )
        for n, label in enumerate(("anger", "joy") * 4)
    ]
    found = kinds(texts.findings(material(clips)))
    assert {name: one.severity for name, one in found.items()} == {kind: severity}
    same = [
        clip(one.id, one.facts["label"], one.facts["speaker"], **{column: "x"}) for one in clips
    ]
    assert list(texts.findings(material(same))) == []


def test_words_are_compared_without_signs():
    assert texts.text_of(clip("a", transcript="  Don't -- go,\tAWAY! ")) == "don't go away"
    assert texts.text_of(clip("a", transcript="?!")) is None
    assert texts.text_of(clip("a")) is None
    assert texts.spoken(clip("a", transcript="x", sentence="7")) == "7"


@pytest.mark.parametrize("seed", range(5))
def test_skill_is_balanced_accuracy_beyond_chance(seed):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 4, 200), random.integers(0, 4, 200)
    guess = np.where(random.random(200) < 0.4, truth, guess)
    told = list(zip(map(str, truth), map(str, guess), strict=True))
    expected = balanced_accuracy_score(truth, guess, adjusted=True)
    assert beyond_chance(told) == pytest.approx(expected)
    best = {key: np.bincount(truth[guess == key]).argmax() for key in np.unique(guess)}
    expected = balanced_accuracy_score(truth, [best[key] for key in guess], adjusted=True)
    assert skill(zip(guess, map(str, truth), strict=True)) == pytest.approx(expected)


def test_one_label_leaves_nothing_to_tell():
    assert beyond_chance([("a", "a")] * 3) == beyond_chance([]) == 0


def test_what_other_groups_say_under_a_key():
    clips = [("k", "x", "g1"), ("k", "x", "g2"), ("k", "y", "g3"), ("lone", "x", "g1")]
    assert held_out(clips) == ["", "", "x", None]


@pytest.mark.parametrize("seed", range(3))
def test_what_other_groups_say_is_that_of_a_loop(seed):
    random = np.random.default_rng(seed)
    clips = [
        (int(random.integers(4)), "xyz"[random.integers(3)], "gh"[random.integers(2)])
        for _ in range(60)
    ]
    for (key, _, group), told in zip(clips, held_out(clips), strict=True):
        others = [label for k, label, g in clips if k == key and g != group]
        counts = {label: others.count(label) for label in set(others)}
        leading = [label for label in counts if counts[label] == max(counts.values())]
        expected = None if not others else leading[0] if len(leading) == 1 else ""
        assert told == expected


def test_the_gravest_findings_come_first():
    every = [
        Finding(f"k{n}", severity, "found", "expected", "Advice.", "here" if n else "")
        for n, severity in enumerate(("soft", "hard", "declared", "hard"))
    ]
    audit = Audit.of("a corpus", every, ["no audio"])
    assert [one.kind for one in audit.findings] == ["k1", "k3", "k2", "k0"]
    assert [audit.count(severity) for severity in SEVERITIES] == [2, 1, 1]
    plain = audit.plain()
    assert (plain["hard"], plain["declared"], plain["soft"]) == (2, 1, 1)
    assert plain["not_checked"] == ["no audio"]
    assert [one["kind"] for one in plain["findings"]] == ["k1", "k3", "k2", "k0"]
    assert every[0].line == "found. Advice."
    assert every[1].line == "here: found. Advice."


def test_clips_are_put_together():
    clips = [*several(("anger", "a"), ("joy", "b"), ("joy", "a")), clip("x", sex="female")]
    assert {key: len(own) for key, own in by(clips, "label").items()} == {"anger": 2, "joy": 2}
    assert list(by(clips, "sex")) == ["female"]  # without those of which nothing is known
    groups = grouped(zip(clips, "1212", strict=True))
    assert groups == ((clips[0], clips[2]), (clips[1], clips[3]))
    assert grouped(zip(clips, "1234", strict=True)) == ()
    assert equal(clips[:2]) == "c0.wav = c1.wav"
    parts = [Clip(f"p{n}", clips[0].file, clips[0].facts, n, n + 1) for n in range(2)]
    assert equal(parts) == "p0 = p1"
    assert quoted("ab") == ["'a'", "'b'"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "fold 0 (without s0)"),
        (2, "folds 0, 1"),
        (5, "folds 0, 1, 2, 3, 4"),
        (9, "folds 0, 1, 2, 3, 4 and 4 more"),
    ],
)
def test_folds_are_numbered(count, text):
    folds = [Fold(number, (f"s{number}",), (), ()) for number in range(count)]
    assert numbered(folds) == text
