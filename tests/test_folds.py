from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from emobench import folds, protocols
from emobench.errors import CorpusError, SpecError

LOSGO, KEESING, SMOKE = (protocols.get(name) for name in ("losgo", "keesing2020", "smoke"))
RULES = ("speaker", "session", "groups: 2", "groups:3", "groups: 6")


def corpus(groups, labels, speakers=None) -> pd.DataFrame:
    index = pd.Index([f"clip{n:03d}" for n in range(len(groups))], name="id")
    columns = {"label": labels, "speaker": speakers or groups, "group": groups}
    return pd.DataFrame(columns, index=index)


@st.composite
def corpora(draw):
    clips = draw(
        st.lists(
            st.tuples(st.integers(1, 14), st.sampled_from(["anger", "fear", "neutral"])),
            min_size=1,
            max_size=60,
        )
    )
    return corpus([f"{group:02d}" for group, _ in clips], [label for _, label in clips])


def regular(n_speakers: int, per_class: int = 2) -> pd.DataFrame:
    rows = [
        (f"{speaker:02d}", label)
        for speaker in range(1, n_speakers + 1)
        for label in ("anger", "fear", "joy")
        for _ in range(per_class)
    ]
    return corpus([group for group, _ in rows], [label for _, label in rows])


def made_or_none(table, rule, protocol):
    try:
        return folds.make(table, rule, protocol)
    except CorpusError:
        return None


def held_out(made):
    return [(fold.held_out, set(fold.test), set(fold.training)) for fold in made or ()]


@settings(deadline=None, max_examples=60)
@given(corpora(), st.sampled_from(RULES), st.sampled_from([LOSGO, KEESING]))
def test_no_group_is_on_both_sides_and_every_clip_is_tested_once(table, rule, protocol):
    made = made_or_none(table, rule, protocol)
    for index, fold in enumerate(made or ()):
        assert fold.index == index
        sides = table.loc[list(fold.training)], table.loc[list(fold.test)]
        assert not set(sides[0]["group"]) & set(sides[1]["group"])
        assert set(sides[1]["group"]) == set(fold.held_out)
        assert sides[0]["label"].nunique() > 1
        assert len(fold.training) + len(fold.test) == len(table)
    if made is not None:
        assert sorted(clip for fold in made for clip in fold.test) == sorted(table.index)


@settings(deadline=None, max_examples=60)
@given(
    corpora(),
    st.sampled_from(RULES),
    st.sampled_from([LOSGO, KEESING]),
    st.randoms(use_true_random=False),
)
def test_row_order_changes_no_fold(table, rule, protocol, random):
    shuffled = table.loc[random.sample(list(table.index), len(table))]
    made, again = (made_or_none(each, rule, protocol) for each in (table, shuffled))
    assert held_out(made) == held_out(again)
    for fold in again or ():
        order = {clip: position for position, clip in enumerate(shuffled.index)}
        for side in (fold.training, fold.test):
            assert list(side) == sorted(side, key=order.__getitem__)


@settings(deadline=None, max_examples=60)
@given(corpora(), st.integers(2, 6))
def test_groups_are_dealt_as_scikit_learn_deals_them(table, n_folds):
    if table["group"].nunique() < n_folds:
        return
    for protocol, splitter in (
        (KEESING, GroupKFold(n_folds)),
        (LOSGO, GroupKFold(n_folds, shuffle=True, random_state=0)),
    ):
        made = made_or_none(table, f"groups: {n_folds}", protocol)
        if made is None:
            continue
        expected = splitter.split(table, groups=table["group"].to_numpy(dtype=str))
        for fold, (training, test) in zip(made, expected, strict=True):
            found = folds.positions(fold, table)
            np.testing.assert_array_equal(found[0], training)
            np.testing.assert_array_equal(found[1], test)


@settings(deadline=None, max_examples=60)
@given(corpora())
def test_leaving_one_out_is_scikit_learns(table):
    made = made_or_none(table, "speaker", LOSGO)
    if made is None:
        return
    expected = LeaveOneGroupOut().split(table, groups=table["group"].to_numpy(dtype=str))
    for fold, (_, test) in zip(made, expected, strict=True):
        assert fold.test == tuple(table.index[test])


def test_random_groups_are_the_same_everywhere():
    made = folds.make(regular(13), "groups: 6", LOSGO)
    assert [fold.held_out for fold in made] == [
        ("05", "07", "12"),
        ("03", "11"),
        ("02", "09"),
        ("08", "10"),
        ("01", "04"),
        ("06", "13"),
    ]


def test_smoke_runs_the_first_folds_of_the_default():
    table = regular(14)
    assert folds.make(table, "groups: 6", SMOKE) == folds.make(table, "groups: 6", LOSGO)[:2]


def test_sessions_hold_their_speakers_together():
    table = regular(4)
    table["group"] = ["Ses01" if speaker < "03" else "Ses02" for speaker in table["speaker"]]
    first, second = folds.make(table, "session", LOSGO)
    assert (first.held_out, second.held_out) == (("Ses01",), ("Ses02",))
    assert set(table.loc[list(first.test), "speaker"]) == {"01", "02"}


def test_a_class_with_one_clip_can_be_split():
    table = regular(3)
    table.iloc[0, table.columns.get_loc("label")] = "disgust"
    first, *others = folds.make(table, "speaker", LOSGO)
    assert "disgust" not in set(table.loc[list(first.training), "label"])
    assert all("disgust" in set(table.loc[list(fold.training), "label"]) for fold in others)
    for fold in (first, *others):
        folds.inner_splits(fold, table)
        folds.development(fold, table, 0.2, 0)


def test_corpora_that_cannot_be_split_say_so():
    table = regular(3)
    with pytest.raises(CorpusError, match=r"'speaker': expected at least 2 speakers, found 1\."):
        folds.make(table[table["group"] == "01"], "speaker", LOSGO)
    with pytest.raises(CorpusError, match=r"'groups: 6': expected at least 6 speakers, found 3\."):
        folds.make(table, "groups: 6", LOSGO)
    with pytest.raises(CorpusError, match=r"'session': expected at least 2 sessions, found 0\."):
        folds.make(table[:0], "session", LOSGO)
    with pytest.raises(SpecError, match="expected 'speaker', 'session' or 'groups: N', found 'k'"):
        folds.make(table, "k", LOSGO)
    lone = corpus(["a", "a", "b"], ["fear", "fear", "joy"])
    with pytest.raises(CorpusError, match=r"fold 0 \(without a\): .* found only 'joy'"):
        folds.make(lone, "speaker", LOSGO)
    table.loc["clip003", "group"] = None
    with pytest.raises(CorpusError, match="clip003: expected a speaker or session, found none"):
        folds.make(table, "speaker", LOSGO)


@settings(deadline=None, max_examples=60)
@given(corpora(), st.floats(0.05, 0.9), st.integers(0, 5))
def test_development_sets_share_no_speaker_where_there_are_several(table, share, seed):
    for fold in (made_or_none(table, "speaker", LOSGO) or ())[:3]:
        try:
            training, development, kind = folds.development(fold, table, share, seed)
        except CorpusError:
            continue
        assert development
        assert sorted((*training, *development)) == sorted(fold.training)
        speakers = [set(table.loc[list(side), "speaker"]) for side in (training, development)]
        several = table.loc[list(fold.training), "speaker"].nunique() > 1
        assert kind == ("speaker-disjoint" if several else "within-speaker")
        assert bool(speakers[0] & speakers[1]) != several
        assert folds.development(fold, table, share, seed) == (training, development, kind)


def test_the_development_set_holds_the_share_asked_for():
    table = regular(10)
    fold, *_ = folds.make(table, "speaker", LOSGO)
    chosen = [set(table.loc[list(folds.development(fold, table, 0.2, seed)[1]), "group"])
              for seed in range(8)]  # fmt: skip
    assert {len(groups) for groups in chosen} == {2}
    assert len({frozenset(groups) for groups in chosen}) > 1


def with_sessions(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which two speakers share a session."""
    sessions = [f"Ses0{(int(speaker) + 1) // 2}" for speaker in table["speaker"]]
    return table.assign(group=sessions)


@pytest.mark.parametrize(("share", "n_kept"), [(0.1, 1), (0.25, 2), (0.5, 4)])
def test_speakers_are_kept_where_sessions_are_held_out(share, n_kept):
    table = with_sessions(regular(10))
    for fold in folds.make(table, "session", LOSGO):
        training, development, kind = folds.development(fold, table, share, 0)
        sides = [set(table.loc[list(side), "speaker"]) for side in (training, development)]
        assert list(map(len, sides)) == [8 - n_kept, n_kept]
        assert not sides[0] & sides[1]
        assert kind == "speaker-disjoint"


def test_speakers_are_left_out_singly_where_sessions_are_held_out():
    table = with_sessions(regular(10))
    for fold in folds.make(table, "session", LOSGO):
        splits, kind = folds.inner_splits(fold, table)
        training, _ = folds.positions(fold, table)
        expected = LeaveOneGroupOut().split(training, groups=table["speaker"].iloc[training])
        assert kind == "speaker-disjoint"
        for (own, validation), (rest, out) in zip(splits, expected, strict=True):
            np.testing.assert_array_equal(own, training[rest])
            np.testing.assert_array_equal(validation, training[out])


def test_two_speakers_of_one_session_are_told_apart():
    table = with_sessions(regular(4))
    fold, _ = folds.make(table, "session", LOSGO)
    assert (len(folds.inner_splits(fold, table)[0]), folds.inner_splits(fold, table)[1]) == (
        2,
        "speaker-disjoint",
    )
    assert folds.development(fold, table, 0.1, 0)[2] == "speaker-disjoint"


def test_one_training_speaker_is_split_class_by_class():
    table = regular(2, per_class=20)
    fold, _ = folds.make(table, "speaker", LOSGO)
    _, development, kind = folds.development(fold, table, 0.1, 3)
    assert kind == "within-speaker"
    assert table.loc[list(development), "label"].value_counts().to_dict() == {
        "anger": 2, "fear": 2, "joy": 2,
    }  # fmt: skip
    splits, kind = folds.inner_splits(fold, table)
    assert kind == "within-speaker"
    assert len(splits) == 5
    for _, validation in splits:
        assert (table.iloc[validation]["label"].value_counts() == 4).all()


@settings(deadline=None, max_examples=60)
@given(corpora())
def test_inner_splits_never_touch_the_test_fold(table):
    for fold in (made_or_none(table, "speaker", LOSGO) or ())[:3]:
        try:
            splits, kind = folds.inner_splits(fold, table)
        except CorpusError:
            continue
        test = set(folds.positions(fold, table)[1])
        for training, validation in splits:
            assert not test & {*training, *validation}
            assert not set(training) & set(validation)
            assert table.iloc[training]["label"].nunique() > 1
            shared = set(table.iloc[training]["speaker"]) & set(table.iloc[validation]["speaker"])
            assert bool(shared) == (kind == "within-speaker")


@pytest.mark.parametrize(("n_speakers", "expected"), [(4, 3), (13, 12), (14, 6), (30, 6)])
def test_nested_tuning_leaves_one_group_out_or_deals_six(n_speakers, expected):
    table = regular(n_speakers)
    fold, *_ = folds.make(table, "speaker", LOSGO)
    splits, kind = folds.inner_splits(fold, table)
    assert (len(splits), kind) == (expected, "speaker-disjoint")
    validated = np.sort(np.concatenate([validation for _, validation in splits]))
    np.testing.assert_array_equal(validated, folds.positions(fold, table)[0])


def test_what_cannot_be_tuned_says_so():
    table = corpus(["a", "a", "b", "c"], ["fear", "joy", "fear", "joy"])
    fold, *_ = folds.make(table, "speaker", LOSGO)
    with pytest.raises(CorpusError, match="tuning of fold 0: expected two classes"):
        folds.inner_splits(fold, table)
    with pytest.raises(CorpusError, match="development set of fold 0: expected two classes"):
        folds.development(fold, table, 0.5, 0)
    lone = corpus(["a", "a", "b", "b"], ["fear", "joy", "fear", "joy"])
    fold, _ = folds.make(lone, "speaker", LOSGO)
    with pytest.raises(CorpusError, match="b: expected a class with two clips or more"):
        folds.inner_splits(fold, lone)


WANG, RANDOM5, YOON, KRISHNA = (
    protocols.get(name) for name in ("wang2020", "wang2020-random5", "yoon2018", "krishna2019")
)
PARTS = ("training", "development", "test")


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(frac=1, random_state=5)


def by_part(made) -> list[list[set]]:
    return [[set(getattr(fold, part)) for part in PARTS] for fold in made]


@pytest.mark.parametrize(("n_speakers", "splitter"), [
    (5, LeaveOneGroupOut()),
    (6, GroupKFold(5, shuffle=True, random_state=0)),
    (23, GroupKFold(5, shuffle=True, random_state=0)),
])  # fmt: skip
@pytest.mark.parametrize("rule", ["speaker", "groups: 6"])
def test_five_groups_are_scikit_learns(n_speakers, splitter, rule):
    table = regular(n_speakers)
    made = folds.make(table, rule, WANG)
    expected = list(splitter.split(table, groups=table["group"].to_numpy(dtype=str)))
    assert len(made) == 5
    for fold, (training, test) in zip(made, expected, strict=True):
        assert fold.training == tuple(table.index[training])
        assert fold.test == tuple(table.index[test])
    (last,) = folds.make(table, rule, KRISHNA)
    assert (last.index, last.training, last.test) == (0, made[-1].training, made[-1].test)


def test_five_sessions_stay_whole_under_every_paper():
    table = with_sessions(regular(10))
    made = folds.make(table, "session", WANG)
    assert [fold.held_out for fold in made] == [(f"Ses0{number}",) for number in range(1, 6)]
    (last,) = folds.make(table, "session", KRISHNA)
    assert set(table.loc[list(last.test), "speaker"]) == {"09", "10"}


@settings(deadline=None, max_examples=40)
@given(st.integers(10, 90), st.sampled_from([RANDOM5, YOON]))
def test_random_parts_cover_every_clip_once(n_clips, protocol):
    table = corpus([f"{n % 3:02d}" for n in range(n_clips)], ["fear", "joy"] * (n_clips // 2)
                   + ["fear"] * (n_clips % 2))  # fmt: skip
    made = folds.make(table, "speaker", protocol)
    assert len(made) == 5
    for fold in made:
        sides = [getattr(fold, part) for part in PARTS]
        assert sorted(clip for side in sides for clip in side) == list(table.index)
        out = len(fold.development) + len(fold.test)
        assert out in (n_clips // 5, -(-n_clips // 5))
        assert fold.test
        expected = max(round(out / 4), 1) if protocol is YOON else 0
        assert len(fold.development) == expected
    tested = [clip for fold in made for clip in (*fold.development, *fold.test)]
    assert sorted(tested) == list(table.index)


@pytest.mark.parametrize("protocol", [WANG, RANDOM5, YOON, KRISHNA], ids=lambda each: each.name)
def test_no_papers_split_depends_on_the_order_of_the_table(protocol):
    table = regular(7)
    made = folds.make(table, "speaker", protocol)
    assert made == folds.make(table, "speaker", protocol)
    assert by_part(made) == by_part(folds.make(shuffled(table), "speaker", protocol))


def test_random_parts_are_no_blocks_of_a_speaker():
    table = regular(10, per_class=10)
    for fold in folds.make(table, "speaker", RANDOM5):
        assert table.loc[list(fold.test), "speaker"].nunique() == 10


def test_too_few_clips_for_random_parts_are_said():
    with pytest.raises(CorpusError, match=r"random parts: expected at least 10 clips, found 9\."):
        folds.make(regular(3, per_class=1), "speaker", RANDOM5)
