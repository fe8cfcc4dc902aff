"""What a bundle says of itself: it comes back from JSON, and nonsense in it is told, not used."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from emobench import features, models
from emobench.bundles import folder
from emobench.bundles.contents import FORMAT, Contents, EncoderError
from emobench.errors import BundleError
from emobench.experiments.fitted_input import FittedInput
from emobench.features import Fitted
from emobench.scaling import Standard
from emobench.spec import fingerprint

LABELS = ("anger", "happiness", "neutral")


def standard(columns: int) -> Standard:
    random = np.random.default_rng(columns)
    constant = np.zeros(columns, bool)
    constant[[0, columns - 1]] = True
    return Standard(random.standard_normal(columns), random.uniform(0.5, 2, columns), constant)


def made() -> Contents:
    """Return the contents of a machine on functionals, as if it had been trained."""
    spec = models.get("svm-is09")
    heard = FittedInput(features.spec("is09"), "training", standard(384), Fitted((1, 384)))
    return Contents.of(spec, spec.config, LABELS, {"functionals": heard})


@pytest.fixture
def values() -> dict:
    """What stands in the file, read anew."""
    return json.loads(json.dumps(made().to_json()))


def test_contents_come_back(values):
    found, expected = Contents.from_json(values), made()
    assert (found.model, found.labels, found.versions) == ("svm-is09", LABELS, expected.versions)
    assert found.spec == expected.spec
    own, other = found.inputs["functionals"], expected.inputs["functionals"]
    assert (own.spec, own.scaling, own.shape) == (other.spec, other.scaling, other.shape)
    for name in ("mean", "scale", "constant"):
        assert np.array_equal(getattr(own.standard, name), getattr(other.standard, name))
    clip = np.random.default_rng(1).standard_normal((1, 384)).astype(np.float32)
    assert np.array_equal(own.apply(clip), other.apply(clip))
    assert found.to_json() == values


def put(*place: str, value: object) -> Callable[[dict], None]:
    """Return what writes a value into a nested place."""

    def change(values: dict) -> None:
        *above, last = place
        for key in above:
            values = values[key]
        values[last] = value

    return change


def drop(*place: str) -> Callable[[dict], None]:
    """Return what removes a nested key."""

    def change(values: dict) -> None:
        *above, last = place
        for key in above:
            values = values[key]
        del values[last]

    return change


HEARD = ("inputs", "functionals")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("labels", value=["anger"]), r"expected two labels or more, found \['anger'\]"),
        (put("labels", value=["joy", "joy"]), "expected two labels or more"),
        (put("labels", value=7), "cannot be made out .TypeError"),
        (put("model", value="svm-is10"), "not known here: --model: expected the name of a model"),
        (put(*HEARD, "feature", value="is10"), "not known here: feature: expected one of"),
        (put(*HEARD, "params", value={"bands": 1}), "not known here: is09: expected one of its"),
        (put(*HEARD, "scaling", value="loudly"), "expected a kind of scaling, found 'loudly'"),
        (put(*HEARD, "scaling", value=None), "expected a kind of scaling, found None"),
        (
            put(*HEARD, "standard", value=None),
            "functionals: expected means of 384 columns, found No",
        ),
        (put(*HEARD, "standard", "scale", value=[1.0]), "as many means as scales above 0"),
        (put(*HEARD, "standard", "scale", value=[0.0] * 384), "as many means as scales above 0"),
        (put(*HEARD, "standard", "mean", value=[[1.0]]), "as many means as scales above 0"),
        (put(*HEARD, "standard", "mean", value="x"), "cannot be made out .ValueError"),
        (put(*HEARD, "standard", "constant", value=[384]), "cannot be made out .IndexError"),
        (put(*HEARD, "shape", value=["wide"]), "cannot be made out .ValueError"),
        (put("inputs", value={}), r"expected the inputs .*is09.*, found \{\}"),
        (put("inputs", value=[]), "cannot be made out .AttributeError"),
        (put("config", value={}), r"expected the options \[.*C.*\], found \[\]"),
        (put("config", "kernel", value="x"), "expected the options"),
        (drop("versions"), "cannot be made out .KeyError: 'versions'"),
        (drop("training"), "cannot be made out .KeyError: 'training'"),
        (drop(*HEARD, "state"), "cannot be made out .KeyError: 'state'"),
        (put("versions", "resampling", value=99), "made with other versions.* resampling 99"),
        (drop("versions", "front-end is09"), r"front-end is09 None \(here \d"),
        (put("versions", "model svm-is09", value=0), r"model svm-is09 0 \(here \d"),
    ],
)
def test_what_makes_no_sense_is_told(values, change, message):
    change(values)
    with pytest.raises(BundleError, match=message):
        Contents.from_json(values)


def test_means_of_too_few_columns_are_told(values):
    fewer = standard(383)
    values["inputs"]["functionals"]["standard"] = {
        "mean": fewer.mean.tolist(),
        "scale": fewer.scale.tolist(),
        "constant": [],
    }
    with pytest.raises(BundleError, match="expected means of 384 columns, found 383"):
        Contents.from_json(values)


NONSENSE = (None, 3, "text", [[]], {"a": {"b": []}})
TEXT_FOR_PEOPLE = {("training", 4), ("licences", 2), ("licences", 3), ("licences", 4)}
"""Keys that nothing is computed from, with the nonsense that they may hold."""


@pytest.mark.parametrize("key", sorted(made().to_json()))
@pytest.mark.parametrize("position", range(len(NONSENSE)))
def test_no_nonsense_gets_through(values, key, position):
    values[key] = NONSENSE[position]
    if (key, position) in TEXT_FOR_PEOPLE:
        assert Contents.from_json(values).spec == made().spec
        return
    with pytest.raises(BundleError) as refused:
        Contents.from_json(values)
    assert "\n" not in str(refused.value)


def test_an_encoder_is_to_be_given(values):
    values["inputs"]["functionals"] |= {
        "feature": "encoder",
        "params": {},
        "encoder": {"name": "wav2vec", "sha256": "0" * 64},
    }
    with pytest.raises(EncoderError, match="fed from the encoder wav2vec, and none was given"):
        Contents.from_json(values)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "does not list its files"),
        ([], "does not list its files"),
        ({}, r"expected to list .*, found none"),
        ({"../x": "0"}, r"names a file outside the bundle: '\.\./x'"),
        ({"weights": "0"}, "expected a file of the bundle, found no file"),
    ],
)
def test_a_bundle_lists_its_files(tmp_path, values, files, message):
    about = {**values, "format": FORMAT}
    about |= {} if files is None else {"files": files}
    about["sha256"] = fingerprint(about)
    (tmp_path / folder.ABOUT).write_text(json.dumps(about))
    with pytest.raises(BundleError, match=message):
        folder.open_bundle(tmp_path)
