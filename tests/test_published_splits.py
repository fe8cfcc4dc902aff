"""Who is held out where, pinned: the same on every machine and in every release.

The hashes are of `[[who is held out], …]` as compact JSON, fold by fold. They may only change
with a protocol's definition, never with a library.
"""

from __future__ import annotations

import hashlib
import json

import grammars
import pandas as pd
import pytest
import trees
from sklearn.model_selection import GroupKFold

from emobench import corpora, folds, protocols
from emobench.corpora.registry import PACKAGED

REGISTRY = corpora.load_registry([PACKAGED])

WHOLE = {
    "cafe": grammars.cafe,
    "enterface05": grammars.enterface05,
    "jl": grammars.jl,
    "portuguese": grammars.portuguese,
    "ravdess": grammars.ravdess,
    "ravdess:song": lambda: grammars.ravdess("02"),
    "savee": grammars.savee,
    "tess": grammars.tess,
}

PINNED = {
    ("cafe", "losgo"): "37b084139135e5dfc319afb5f3ac571c7642d6b4c1d224775e8620e2c88d9154",
    ("cafe", "keesing2020"): "37b084139135e5dfc319afb5f3ac571c7642d6b4c1d224775e8620e2c88d9154",
    ("enterface05", "losgo"): "4d9c564bb7824d43ea956c0c5924759839402d7ef2ba30c952b925dfe14157f7",
    (
        "enterface05",
        "keesing2020",
    ): "481039781bf20becb2c0a04d7e6b96f8f78cf89a82ba6af330b7fc93cd885cfa",
    ("jl", "losgo"): "ab99dc97d3775d3a397d9d098af5672cf147ffa85f52f7fdbbdde547a56a2067",
    ("jl", "keesing2020"): "ab99dc97d3775d3a397d9d098af5672cf147ffa85f52f7fdbbdde547a56a2067",
    ("portuguese", "losgo"): "5d52fbab29e92341f3ff2ab4177b1636b9a3d6d708ddcfe83890bbdc313e6030",
    (
        "portuguese",
        "keesing2020",
    ): "5d52fbab29e92341f3ff2ab4177b1636b9a3d6d708ddcfe83890bbdc313e6030",
    ("ravdess", "losgo"): "105d683323d36d088e214f5de14ff4e5d13ead3f686ea6a97d4df17e61674aee",
    ("ravdess", "keesing2020"): "a5095e84dff8e04d0ef778e85c329b47c166e5feefde05f0dc094a8192f5c400",
    ("ravdess:song", "losgo"): "e90f6154c6fe16d20cbca250763120ac80fd011d48b842741bbe7a07563f01b5",
    (
        "ravdess:song",
        "keesing2020",
    ): "43b54d0eb84ef9b58de4c0810fe2199d55a291c4a91c3bb2ac31499616fcdf86",
    ("savee", "losgo"): "5b75f586b9bb7cf873986c4e5195fe64ea3d3b924e0be375394fed2aedaa05f2",
    ("savee", "keesing2020"): "5b75f586b9bb7cf873986c4e5195fe64ea3d3b924e0be375394fed2aedaa05f2",
    ("tess", "losgo"): "2799f9581ec55ecf757c1d48dfc9196f3bffa355d48fcc181a48f137b15bebaa",
    ("tess", "keesing2020"): "2799f9581ec55ecf757c1d48dfc9196f3bffa355d48fcc181a48f137b15bebaa",
    ("emo-db", "losgo"): "4168aa10875f10cff0c96c6df71b236696290936ac909c2939518874678a1648",
    ("emo-db", "keesing2020"): "4168aa10875f10cff0c96c6df71b236696290936ac909c2939518874678a1648",
    ("crema-d", "losgo"): "9eef7514ef454aee16c37fba223e36780c83eb9a73b209c03287c3a976e1209a",
    ("crema-d", "keesing2020"): "ccf9da7ec15d83080cefdc15f638e9fccab3f8a8a7d66813db01ce0f147074d5",
}


def held_out(table: pd.DataFrame, rule: str, protocol: str) -> list[list[str]]:
    """Return the groups of every fold, after seeing that the fold is what it says."""
    made = folds.make(table, rule, protocols.get(protocol))
    for fold in made:
        assert set(table.loc[list(fold.test), "group"]) == set(fold.held_out)
        assert set(fold.held_out).isdisjoint(table.loc[list(fold.training), "group"])
    return [list(fold.held_out) for fold in made]


def digest(groups: list[list[str]]) -> str:
    text = json.dumps(groups, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Utterance tables of whole corpora by grammar."""
    root = tmp_path_factory.mktemp("whole")
    read = {}
    for name, leaves in WHOLE.items():
        trees.plant(root / name.partition(":")[0], trees.names(leaves()))
    for name in WHOLE:
        read[name] = corpora.load(REGISTRY.get(name), root, root / "cache")
    return read


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("protocol", ["losgo", "keesing2020"])
def test_splits_of_whole_corpora(tables, name, protocol):
    table, rule = tables[name], REGISTRY.get(name).folds
    groups = held_out(table, rule, protocol)
    assert digest(groups) == PINNED[name, protocol], (name, protocol, groups)
    shuffled = table.sample(frac=1, random_state=3)
    assert held_out(shuffled, rule, protocol) == groups


def by_hand(speakers: dict[str, int]) -> pd.DataFrame:
    """Return a table of speakers and their numbers of clips, of two classes in turn."""
    groups = [name for name, count in speakers.items() for _ in range(count)]
    labels = ["anger", "neutral"] * (len(groups) // 2 + 1)
    ids = [f"{number:05}" for number in range(len(groups))]
    return pd.DataFrame({"group": groups, "label": labels[: len(groups)]}, index=ids)


EMO_DB = dict(
    zip(
        ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16"),
        (49, 58, 43, 38, 55, 35, 61, 69, 56, 71),
        strict=True,
    )
)
CREMA_D = {str(actor): 82 - actor % 7 for actor in range(1001, 1092)}


@pytest.mark.parametrize(
    ("name", "speakers", "rule"),
    [("emo-db", EMO_DB, "speaker"), ("crema-d", CREMA_D, "groups:6")],
)
@pytest.mark.parametrize("protocol", ["losgo", "keesing2020"])
def test_splits_by_speakers_alone(name, speakers, rule, protocol):
    groups = held_out(by_hand(speakers), rule, protocol)
    assert digest(groups) == PINNED[name, protocol], (name, protocol, groups)


def test_random_groups_are_those_of_scikit_learn():
    table = by_hand(CREMA_D)
    split = GroupKFold(6, shuffle=True, random_state=0).split(table, groups=table["group"])
    theirs = [sorted(set(table["group"].iloc[test])) for _, test in split]
    assert theirs == held_out(table, "groups:6", "losgo")


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["emo-db", "ravdess"])
@pytest.mark.parametrize("protocol", ["losgo", "keesing2020"])
def test_splits_of_the_real_corpora(name, protocol, real_data, tmp_path):
    table = corpora.load(REGISTRY.get(name), real_data, tmp_path)
    assert digest(held_out(table, REGISTRY.get(name).folds, protocol)) == PINNED[name, protocol]
