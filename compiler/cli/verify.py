"""``vsr-compile verify``: what is wrong with manifests, whoever wrote them."""

from __future__ import annotations

from pathlib import Path

import click

from compiler.cli import console, options
from compiler.releases import PROFILES


@click.command(name="verify", short_help="Find what is wrong with manifests.")
@click.argument("manifests", nargs=-1, required=True, metavar="FILE|DIR|-...", type=click.Path(path_type=Path))
@click.option(
    "--assume",
    multiple=True,
    metavar="KIND/NAMESPACE/NAME",
    help="What exists elsewhere; KIND/NAME if it has no namespace, Pod/NAMESPACE/KEY=VALUE for pods by labels.",
)
@click.option(
    "--crds",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True),
    help="CustomResourceDefinitions to check by, before those in VSR_CRDS and those that `crds pull` fetched.",
)
@click.option(
    "--versions", type=click.Choice(sorted(PROFILES)), help="Releases to check by; output of ours knows its own."
)
@click.option(
    "--envoy/--no-envoy",
    default=None,
    help="Put the values of EnvoyFilters and EnvoyPatchPolicies to Envoy; left out, where it is installed.",
)
@options.form
@options.strict
@click.pass_context
def command(
    context: click.Context,
    manifests: tuple[Path, ...],
    *,
    assume: tuple[str, ...],
    crds: tuple[Path, ...],
    versions: str | None,
    envoy: bool | None,
    form: str,
    strict: bool,
) -> None:
    """Find broken links between Kubernetes objects, and what their schemas refuse. Writes nothing, asks no cluster.

    The rules L01 to L23 look at all objects together: references, grants, selectors, pickers, filters, timeouts and
    rights; docs/verify.md has them all. A folder stands for its `*.yaml`, one with a kustomization for the resource
    files that it names, unbuilt. `-` is standard input.

    Each object is held against the schema of its kind, rules in CEL among them: Kubernetes' own kinds always, others
    where their CustomResourceDefinitions are known.

    \b
    kubectl kustomize overlays/dev | vsr-compile verify -
    vsr-compile verify manifests/ --assume Service/models/vllm
    """
    from compiler.verify import (  # noqa: PLC0415 - `--help` must not pay for it
        Assumed,
        links,
        schema,
    )
    from compiler.verify.files import read  # noqa: PLC0415 - as above
    from compiler.verify.schema.releases import of_file, of_profile  # noqa: PLC0415 - as above

    try:
        assumed = Assumed.parse(assume)
    except ValueError as error:
        raise click.BadParameter(f"`{error}` is no KIND/NAMESPACE/NAME.", param_hint="--assume") from None
    objects, found = read(manifests)
    if envoy is not False:
        from compiler.verify.envoy import verdicts  # noqa: PLC0415 - as above

        found += verdicts(objects, wanted=envoy is True)
    printer = console.Findings(form, strict=strict)
    for path in manifests:
        printer.add(str(path), [])
    name = str(manifests[0])
    releases = of_file if versions is None else lambda _file: of_profile(versions)
    shapes = schema.check(objects, schema.Catalog.of(crds), releases)
    printer.add(name, [*found, *shapes, *links(objects, assumed)])
    code = printer.close()
    if form == "text":
        console.say(f"{len(objects)} objects verified")
    context.exit(code)
