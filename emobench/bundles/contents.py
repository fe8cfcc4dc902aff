"""What a bundle says of itself: everything that predicts but the weights, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from .. import encoders, features, models, versions
from ..errors import BundleError, SpecError
from ..experiments.fitted_input import FittedInput
from ..features import Fitted
from ..scaling import Standard
from ..spec import ModelSpec, Scaling, plain

FORMAT = 1
"""Raised whenever bundles change in a way that earlier versions cannot read."""

_PARTS = ("resampling", "scaling")
"""Shared parts that compute when a bundle predicts; see `versions`."""

_AWAY = ("vectors",)
"""Parameters that name files of the machine that trained; they were read when it did."""


class EncoderError(BundleError):
    """The frozen encoder that a model is fed from was not given, or another was."""


@dataclass(frozen=True)
class Contents:
    """A trained model, but for its weights.

    Attributes:
        model: name, with options
        config: every hyper-parameter, those that were searched or fitted included
        labels: classes, in the order of the probabilities
        inputs: front-ends with all that training taught them, by name
        versions: of what computes, by part
        training: what it was trained on and how, for people and for the card
        licences: what must be heeded by who uses it, one text each
    """

    model: str
    config: Mapping[str, Any]
    labels: tuple[str, ...]
    inputs: Mapping[str, FittedInput]
    versions: Mapping[str, int]
    training: Mapping[str, Any] = field(default_factory=dict)
    licences: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        config: Any,
        labels: tuple[str, ...],
        inputs: Mapping[str, FittedInput],
    ) -> Contents:
        """Return the contents of a model that was trained here.

        Args:
            spec: of the model
            config: it was trained with
            labels: classes
            inputs: it was trained with
        """
        return cls(spec.name, plain(config), labels, inputs, _versions(spec))

    @property
    def spec(self) -> ModelSpec:
        """The model as it is registered here, with the hyper-parameters of the bundle."""
        known = models.get(self.model)
        return replace(known, config=_configured(known.config, self.config))

    def to_json(self) -> dict[str, Any]:
        """Return plain values, from which `from_json` makes the same contents."""
        return {
            "model": self.model,
            "config": plain(self.config),
            "labels": list(self.labels),
            "inputs": {name: _described(item) for name, item in self.inputs.items()},
            "versions": dict(self.versions),
            "training": plain(self.training),
            "licences": list(self.licences),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], encoder: Path | None = None) -> Contents:
        """Return contents that can be used here.

        Args:
            values: of a bundle
            encoder: folder of the frozen encoder that the model is fed from, where there is one

        Raises:
            EncoderError: if the encoder is not the one that the model was trained on
            BundleError: if this version of emobench would compute something else, or a value is not
                what it can be
        """
        try:
            found = cls(
                model=str(values["model"]),
                config=dict(values["config"]),
                labels=tuple(map(str, values["labels"])),
                inputs={name: _input(item, encoder) for name, item in values["inputs"].items()},
                versions=dict(values["versions"]),
                training=dict(values["training"]),
                licences=tuple(map(str, values["licences"])),
            )
            spec = found.spec
            _insist_on_fit(found, spec)
        except SpecError as error:
            raise BundleError(
                f"is of a model or front-end that is not known here: {error}"
            ) from None
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BundleError(f"cannot be made out ({type(error).__name__}: {error})") from None
        _insist_on_versions(found.versions, _versions(spec))
        return found


def _versions(spec: ModelSpec) -> dict[str, int]:
    """Return the versions of what computes when a model predicts."""
    names = sorted({wanted.feature for wanted in spec.inputs.values()})
    return {
        f"model {spec.name.partition(':')[0]}": spec.version,
        **{f"front-end {name}": features.get(name).version for name in names},
        **{part: versions.VERSIONS[part] for part in _PARTS},
    }


def _insist_on_versions(found: Mapping[str, int], here: Mapping[str, int]) -> None:
    differing = [part for part in here if found.get(part) != here[part]]
    if differing:
        listed = ", ".join(f"{part} {found.get(part)} (here {here[part]})" for part in differing)
        raise BundleError(f"was made with other versions of what computes: {listed}")


def _insist_on_fit(found: Contents, spec: ModelSpec) -> None:
    """Check that labels and inputs are such as the model can have.

    Raises:
        ValueError: if they are not
    """
    if len(set(found.labels)) < max(len(found.labels), 2):
        raise ValueError(f"expected two labels or more, found {list(found.labels)}")
    wanted = {name: item.feature for name, item in spec.inputs.items()}
    given = {name: item.spec.name for name, item in found.inputs.items()}
    if wanted != given:
        raise ValueError(f"expected the inputs {wanted}, found {given}")
    for name, item in found.inputs.items():
        columns = None if item.standard is None else len(item.standard.mean)
        if columns != _columns(item):
            raise ValueError(f"{name}: expected means of {_columns(item)} columns, found {columns}")


def _columns(item: FittedInput) -> int | None:
    """Return how many columns are standardised; None for text."""
    if item.front_end.text:
        return None
    cached = features.get(item.front_end.source or item.spec.name)
    return cached.shape(dict(item.spec.params))[1]


def _configured(config: Any, stored: Mapping[str, Any]) -> Any:
    """Return a config with the values of JSON, which has lists for tuples."""
    known = {item.name for item in fields(config)}
    if known != set(stored):
        raise ValueError(f"expected the options {sorted(known)}, found {sorted(stored)}")
    return type(config)(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    )


def _described(item: FittedInput) -> dict[str, Any]:
    key, named = item.front_end.folder, {}
    if key:
        named = {"encoder": encoders.described(Path(dict(item.spec.params)[key]))}
    params = {name: "" if name in (*_AWAY, key) else value for name, value in item.spec.params}
    standard = None
    if item.standard is not None:
        standard = {
            "mean": item.standard.mean.tolist(),
            "scale": item.standard.scale.tolist(),
            "constant": np.flatnonzero(item.standard.constant).tolist(),
        }
    return {
        "feature": item.spec.name,
        "params": params,
        "scaling": item.scaling,
        "standard": standard,
        "shape": list(item.shape),
        "rows_multiple": item.front_end.bucket_multiple,
        "state": plain(item.fitted.state),
        **named,
    }


def _input(values: Mapping[str, Any], encoder: Path | None) -> FittedInput:
    shape = tuple(None if size is None else int(size) for size in values["shape"])
    params = dict(values["params"])
    if key := features.get(values["feature"]).folder:
        params[key] = str(_encoder(values["encoder"], encoder))
    spec = features.spec(values["feature"], **params)
    return FittedInput(
        spec=spec,
        scaling=_scaling(values["scaling"]),
        standard=None if values["standard"] is None else _standard(values["standard"]),
        fitted=Fitted(shape, state=values["state"]),
    )


def _encoder(wanted: Mapping[str, Any], folder: Path | None) -> Path:
    """Return the folder of an encoder if it is the one that the model was trained on.

    Raises:
        EncoderError: if it is another, or none
    """
    if folder is None:
        raise EncoderError(
            f"the model is fed from the encoder {wanted['name']}, and none was given. Give its "
            "folder with --encoder."
        )
    try:
        found = encoders.described(folder)
    except SpecError as error:
        raise EncoderError(str(error)) from None
    if any(found[key] != wanted[key] for key in encoders.identity(folder)):
        raise EncoderError(
            f"the model is fed from the encoder {wanted['name']} (SHA-256 "
            f"{wanted['sha256'][:12]}…), and {folder} holds {found['name']} "
            f"({found['sha256'][:12]}…). Give the folder of that encoder with --encoder."
        )
    return folder


def _standard(values: Mapping[str, Any]) -> Standard:
    mean = np.array(values["mean"], dtype=np.float64)
    scale = np.array(values["scale"], dtype=np.float64)
    if mean.ndim != 1 or mean.shape != scale.shape or not (scale > 0).all():
        raise ValueError("expected as many means as scales above 0")
    constant = np.zeros(len(mean), dtype=bool)
    constant[np.array(values["constant"], dtype=np.int64)] = True
    return Standard(mean, scale, constant)


def _scaling(value: Any) -> Scaling:
    if value not in get_args(Scaling):
        raise ValueError(f"expected a kind of scaling, found {value!r}")
    return value
