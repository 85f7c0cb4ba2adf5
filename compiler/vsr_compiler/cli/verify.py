"""``vsr-compile verify``: what is wrong with manifests, whoever wrote them."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console, options, output
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity
from vsr_compiler.pipeline import read_policy
from vsr_compiler.releases import PROFILES
from vsr_compiler.verify import Manifest


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
@click.option("--server", is_flag=True, help="Ask an API server by dry runs as well: nothing else here uses a network.")
@click.option("--context", "cluster", metavar="NAME", help="The kubeconfig's context to ask, with --server.")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="The policy that made the manifests, at whose lines findings are told; output of policies/ knows its own.",
)
@options.form
@options.strict
@click.pass_context
def command(  # noqa: PLR0913 - a verb's flags are its arguments
    context: click.Context,
    manifests: tuple[Path, ...],
    *,
    assume: tuple[str, ...],
    crds: tuple[Path, ...],
    versions: str | None,
    envoy: bool | None,
    server: bool,
    cluster: str | None,
    policy: Path | None,
    form: str,
    strict: bool,
) -> None:
    """Find broken links between Kubernetes objects, and what their schemas refuse.

    Writes nothing, and asks no cluster unless told to.

    The rules L01 to L23 look at all objects together: references, grants, selectors, pickers, filters, timeouts and
    rights; docs/reference/verify-rules.md lists them. A folder stands for its `*.yaml`, one with a kustomization for
    the resource files that it names, with JSON patches only. Output of ours is checked an overlay at a time. `-` is
    standard input.

    Each object is held against the schema of its kind, rules in CEL among them: Kubernetes' own kinds always, others
    where their CustomResourceDefinitions are known.

    What stands in EnvoyFilters and EnvoyPatchPolicies is put to Envoy itself, which loads no code and reads no file for
    it. On output of ours, findings are told at the line of the policy.

    \b
    kubectl kustomize overlays/dev | vsr-compile verify -
    vsr-compile verify manifests/ --assume Service/models/vllm
    vsr-compile verify out/quickstart --server --context staging
    """
    from vsr_compiler.deploy.policy_assumptions import rendered_assumptions  # noqa: PLC0415 - as above
    from vsr_compiler.verify import Assumed, links, schema  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.verify.schema.releases import of_file, of_profile  # noqa: PLC0415 - as above

    if cluster and not server:
        raise click.UsageError("--context is for --server.")
    try:
        assumed = Assumed.parse(assume)
    except ValueError as error:
        raise click.BadParameter(f"`{error}` is no KIND/NAMESPACE/NAME.", param_hint="--assume") from None
    worlds, found = _read(manifests)
    objects = list({each.content: each for world in worlds for each in world}.values())
    source = _source(manifests, policy)
    if source:
        try:
            assumed |= rendered_assumptions(read_policy(source[0]))
        except CompileError as error:
            found += error.diagnostics
            source = None
    if envoy is not False:
        from vsr_compiler.verify.envoy import verdicts  # noqa: PLC0415 - as above

        found += verdicts(objects, wanted=envoy is True)
    if server:
        from vsr_compiler.verify.server import dry_run  # noqa: PLC0415 - as above

        found += dry_run(objects, cluster)
    printer = console.Findings(form, strict=strict)
    for path in manifests:
        printer.add(str(path), [])
    name = str(manifests[0])
    releases = of_file if versions is None else lambda _file: of_profile(versions)
    found += schema.check(objects, schema.Catalog.of(crds), releases)
    found += dict.fromkeys(item for world in worlds for item in links(world, assumed))
    printer.add(name, _at_policy(found, objects, *source) if source else found)
    code = printer.close()
    if not objects and not code:
        # A pipeline whose first command failed, or a folder that was named wrongly, is nothing that is right.
        given = ", ".join(f"`{path}`" if str(path) != "-" else "standard input" for path in manifests)
        raise click.UsageError(f"There is no Kubernetes object in {given}.")
    if form == "text":
        console.say(f"{len(objects)} object{'s' * (len(objects) != 1)} verified")
    context.exit(code)


def _read(manifests: tuple[Path, ...]) -> tuple[list[list[Manifest]], list[Diagnostic]]:
    """The objects that are applied together, a list each, and what is wrong with reading them."""
    from vsr_compiler.verify.files import read  # noqa: PLC0415 - as above

    found: dict[Diagnostic, None] = {}
    worlds = []
    for together in _together(manifests):
        objects, problems = read(together)
        worlds.append(objects)
        found |= dict.fromkeys(problems)
    return worlds, list(found)


def _together(manifests: tuple[Path, ...]) -> list[tuple[Path, ...]]:
    """What of output of ours is applied together: an overlay, or a base with its components. Else all that is given."""
    if len(manifests) != 1 or not manifests[0].is_dir() or output.folder_of(manifests[0]) is None:
        return [manifests]
    (given,) = manifests
    if given.name == "overlays":
        return [(each,) for each in sorted(given.iterdir()) if each.is_dir()] or [manifests]
    folders = [given, *sorted(each for each in given.iterdir() if each.is_dir())]
    found: list[tuple[Path, ...]] = []
    for target in (each for each in folders if (each / "overlays").is_dir()):
        found += [(each,) for each in sorted((target / "overlays").iterdir()) if each.is_dir()]
        found.append((target / "base", target / "components"))
    rest = [each for each in folders[1:] if found and each.name in {"argocd", "router"}]
    return [*found, *((each,) for each in rest)] or [manifests]


def _source(manifests: tuple[Path, ...], policy: Path | None) -> tuple[Path, Path] | None:
    """The policy that manifests came from and the output root that they lie in; None where nothing tells."""
    folder = output.folder_of(manifests[0]) if str(manifests[0]) != "-" else None
    if policy is not None:
        return policy, folder.parent if folder else Path("out")
    if folder is None:
        return None
    try:
        return output.policy_of(folder)[1], folder.parent
    except CompileError:
        # Output of a policy that lies elsewhere is checked like anybody's.
        return None


def _at_policy(found: list[Diagnostic], objects: list[Manifest], source: Path, out: Path) -> list[Diagnostic]:
    """The findings at the lines of the policy that the manifests came from, where there is need."""
    if not any(item.level is not Severity.NOTE for item in found):
        return found
    from vsr_compiler.review.policy_spans import map_to_policy  # noqa: PLC0415 - only where something is wrong

    try:
        fresh = output.compiled(read_policy(source).name, source, out)
    except CompileError as error:
        return [*found, *error.diagnostics]
    return map_to_policy(found, objects, fresh)
