"""`emobench models`."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

import click

if TYPE_CHECKING:
    from ..spec import ModelSpec


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models, or show one."""
    if context.invoked_subcommand is not None:
        return
    from .. import models as zoo

    specs = [zoo.get(name) for name in zoo.names()]
    if as_json:
        rows = [
            {
                "name": spec.name,
                "kind": spec.kind,
                "inputs": [item.feature for item in spec.inputs.values()],
                "citation": spec.citation,
            }
            for spec in specs
        ]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        click.echo(f"{spec.name:<{width}}  {spec.citation}")


@models.command()
@click.argument("name")
@click.option(
    "--classes",
    type=click.IntRange(min=2),
    default=4,
    show_default=True,
    help="Number of emotions to count parameters for.",
)
def show(name: str, classes: int) -> None:
    """Show a model: citation, front-ends, options, layers, deviations, published results.

    NAME may carry options, such as wang2020-dual:time_fit=truncate.
    """
    from .. import models as zoo
    from ..backend import start_backend

    spec = zoo.get(name)
    click.echo(f"{spec.name}\n  {spec.citation}\n")
    _show_inputs(spec)
    _show_options(spec)
    _show_training(spec)
    for deviation in spec.deviations:
        click.echo(f"deviation: {deviation}")
    _show_published(spec.name)
    if spec.kind == "network":
        start_backend()
        network = zoo.build(spec.name, classes)
        trained = sum(math.prod(weight.shape) for weight in network.trainable_weights)
        total = network.count_params()
        note = "" if trained == total else f", {trained:,} of them trained"
        click.echo(f"\n{total:,} parameters for {classes} classes{note}")
        network.summary(print_fn=click.echo)


def _show_inputs(spec: ModelSpec) -> None:
    from .. import features

    for key, wanted in spec.inputs.items():
        front_end = features.get(wanted.feature)
        scaled = wanted.scaling or front_end.scaling
        source = "words" if front_end.text else f"scaling {scaled}"
        made = features.spec(wanted.feature, **wanted.params)
        click.echo(f"input {key}: {made}: {front_end.title}; {source}")
    if spec.kind == "network":
        click.echo("padded rows are " + ("masked" if spec.masked else "ordinary input (unmasked)"))
    for need in spec.needs:
        click.echo(f"needs: a {need} of every clip")


def _show_options(spec: ModelSpec) -> None:
    """Print the hyper-parameters, which `NAME:key=value` changes, with the words they take."""
    hints = get_type_hints(type(spec.config))
    click.echo("options")
    for item in fields(spec.config):
        value = getattr(spec.config, item.name)
        words = get_args(hints[item.name]) if get_origin(hints[item.name]) is Literal else ()
        choice = f"  ({' | '.join(map(str, words))})" if words else ""
        click.echo(f"  {item.name} = {value}{choice}")


def _show_training(spec: ModelSpec) -> None:
    if len(spec.outputs) > 1:
        for key, output in spec.outputs.items():
            read = "; gives the probabilities" if key == spec.prediction else ""
            loss = f"{output.loss}, weight {output.weight:g}" if output.loss else "no loss"
            click.echo(f"output {key}: {loss}{read}")
    if spec.development:
        kept = spec.development
        click.echo(
            f"stops early: {kept.share:.0%} of the training speakers are kept for it, "
            f"patience {kept.patience}, {kept.checks_per_epoch:.3g} checks an epoch"
        )
    if hasattr(spec.config, "statistics"):
        click.echo(
            "batch normalisation: statistics are measured on the training clips after training; "
            "protocols that reproduce a paper's code, and statistics=running, keep those collected "
            "while it trains"
        )
    for key, values in spec.grid.items():
        listed = ", ".join(f"{value:g}" for value in values)
        click.echo(f"searched inside the training folds: {key} out of {listed}")


def _show_published(name: str) -> None:
    from ..analysis.published import of_model

    for row in of_model(name):
        click.echo(
            f"published: {row['corpus']}, {row['metric'].upper()} {row['value']} "
            f"(protocol {row['protocol']})"
        )
