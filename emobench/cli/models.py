"""`emobench models`."""

from __future__ import annotations

import json

import click


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
    """Show a model: citation, front-end, hyper-parameters, layers, deviations."""
    from .. import models as zoo
    from ..spec import plain

    spec = zoo.get(name)
    click.echo(f"{spec.name}\n  {spec.citation}\n")
    for key, wanted in spec.inputs.items():
        params = ", ".join(f"{key}={value}" for key, value in wanted.params.items())
        scaling = wanted.scaling or "the front-end's own"
        click.echo(f"input {key}: {wanted.feature}({params}), scaling {scaling}")
    for key, value in plain(spec.config).items():
        click.echo(f"  {key}: {value}")
    click.echo("padded frames are " + ("masked" if spec.masked else "ordinary input (unmasked)"))
    for deviation in spec.deviations:
        click.echo(f"deviation: {deviation}")
    if spec.kind == "network":
        network = zoo.build(spec.name, classes)
        click.echo(f"\n{network.count_params():,} parameters for {classes} classes")
        network.summary(print_fn=click.echo, line_length=100)
