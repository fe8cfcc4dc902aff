"""Whether what a protocol does otherwise than its baseline makes a difference to a model."""

from __future__ import annotations

from .. import protocols
from ..spec import ModelSpec, Protocol
from .configuration import scaling_of, searches


def obstacle(model: ModelSpec, protocol: Protocol) -> str:
    """Return why the practice of a variant does not apply to a model, or "".

    Args:
        model: what would be trained
        protocol: one of `protocols.variants`
    """
    scalings = {scaling_of(wanted, "") for wanted in model.inputs.values()}
    if protocol.tuning == "evaluation" and not searches(model, protocol):
        return "it has no hyper-parameters that are searched"
    if protocol.selection and model.kind != "network":
        return "it is not trained in epochs"
    if protocol.normalisation and scalings == {"none"}:
        return "its inputs are not standardised"
    if protocol.normalisation == "training" and scalings <= {"none", "training"}:
        return "its inputs are standardised so in any case"
    return ""


def baseline(model: ModelSpec, protocol: Protocol) -> Protocol:
    """Return what a variant is compared with: its baseline, or what comes to the same for a model.

    Args:
        model: what is trained
        protocol: one of `protocols.variants`
    """
    found = protocols.get(protocol.baseline)
    while found.baseline and obstacle(model, found):
        found = protocols.get(found.baseline)
    return found
