"""``vsr-compile verify``: what is wrong with manifests, whoever wrote them."""

from __future__ import annotations

from pathlib import Path

import click

from compiler.cli import console, options


@click.command(name="verify", short_help="Find what is wrong with manifests.")
@click.argument("manifests", nargs=-1, required=True, metavar="FILE|DIR|-...", type=click.Path(path_type=Path))
@click.option(
    "--assume",
    multiple=True,
    metavar="KIND/NAMESPACE/NAME",
    help="What exists elsewhere; KIND/NAME if it has no namespace, Pod/NAMESPACE/KEY=VALUE for pods by labels.",
)
@click.option(
    "--envoy/--no-envoy",
    default=None,
    help="Put the values of EnvoyFilters and EnvoyPatchPolicies to Envoy; left out, where it is installed.",
)
@click.option("--server", is_flag=True, help="Ask an API server by dry runs as well: nothing else here uses a network.")
@click.option("--context", "cluster", metavar="NAME", help="The kubeconfig's context to ask, with --server.")
@options.form
@options.strict
@click.pass_context
def command(
    context: click.Context,
    manifests: tuple[Path, ...],
    *,
    assume: tuple[str, ...],
    envoy: bool | None,
    server: bool,
    cluster: str | None,
    form: str,
    strict: bool,
) -> None:
    """Find broken links between Kubernetes objects. Writes nothing, asks no cluster.

    The rules L01 to L23 look at all objects together: references, grants, selectors, pickers, filters, timeouts and
    rights; docs/verify.md has them all. A folder stands for its `*.yaml`, one with a kustomization for the resource
    files that it names, unbuilt. `-` is standard input.

    \b
    kubectl kustomize overlays/dev | vsr-compile verify -
    vsr-compile verify manifests/ --assume Service/models/vllm
    """
    from compiler.verify import Assumed, links  # noqa: PLC0415 - `--help` must not pay for it
    from compiler.verify.files import read  # noqa: PLC0415 - as above

    if cluster and not server:
        raise click.UsageError("--context is for --server.")
    try:
        assumed = Assumed.parse(assume)
    except ValueError as error:
        raise click.BadParameter(f"`{error}` is no KIND/NAMESPACE/NAME.", param_hint="--assume") from None
    objects, found = read(manifests)
    if envoy is not False:
        from compiler.verify.envoy import verdicts  # noqa: PLC0415 - as above

        found += verdicts(objects, wanted=envoy is True)
    if server:
        from compiler.verify.server import dry_run  # noqa: PLC0415 - as above

        found += dry_run(objects, cluster)
    printer = console.Findings(form, strict=strict)
    for path in manifests:
        printer.add(str(path), [])
    name = str(manifests[0])
    printer.add(name, [*found, *links(objects, assumed)])
    code = printer.close()
    if form == "text":
        console.say(f"{len(objects)} objects verified")
    context.exit(code)
