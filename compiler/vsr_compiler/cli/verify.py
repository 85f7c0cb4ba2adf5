"""``vsr-compile verify``: errors in Kubernetes manifests, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from vsr_compiler.cli import console, options, output_folder
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity
from vsr_compiler.pipeline import read_policy
from vsr_compiler.releases import PROFILES
from vsr_compiler.verify import Assumptions, Manifest
from vsr_compiler.verify import settings as settings_of
from vsr_compiler.verify.files import Read
from vsr_compiler.verify.ignores import applied
from vsr_compiler.verify.placeholders import without_dependent
from vsr_compiler.verify.shown import IN_REPORTS, IN_TEXT, capped, once_per_place
from vsr_compiler.verify.worlds import check_worlds

DEFAULT_NAMESPACE = "default"
"""The namespace in which `kubectl apply` creates objects that name none."""


def _explain(context: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    if name is None or context.resilient_parsing:
        return
    from vsr_compiler.diagnostics.suggestions import use_one_of  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.verify.rules import RULES, page  # noqa: PLC0415 - as above

    rule = RULES.get(name.strip().upper())
    if rule is None:
        raise click.UsageError(f"There is no rule `{name}`. {use_one_of(RULES, limit=len(RULES))}")
    console.print_data(page.explanation(rule))
    context.exit()


def _list_rules(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - of click
    if value and not context.resilient_parsing:
        from vsr_compiler.verify.rules import page  # noqa: PLC0415 - as above

        console.print_data(page.listing())
        context.exit()


def _print_page(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - of click
    if value and not context.resilient_parsing:
        from vsr_compiler.verify.rules import page  # noqa: PLC0415 - as above

        console.print_data(page.markdown())
        context.exit()


@click.command(name="verify", short_help="Report errors in Kubernetes manifests.")
@click.argument("manifests", nargs=-1, required=True, metavar="FILE|DIR|-...", type=click.Path(path_type=Path))
@click.option(
    "--assume",
    multiple=True,
    metavar="KIND/NAMESPACE/NAME",
    help="An object that exists elsewhere. KIND/NAME without a namespace; Pod/NAMESPACE/KEY=VALUE for pods by label.",
)
@click.option(
    "--crds",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True),
    help="CustomResourceDefinitions to use before those in VSR_CRDS and those that `crds pull` has fetched.",
)
@click.option(
    "--versions",
    type=click.Choice(sorted(PROFILES)),
    help="Releases to check for. Output of vsr-compile records its own.",
)
@click.option(
    "--release",
    multiple=True,
    metavar="COMPONENT=RELEASE",
    help="A release to check for, such as `envoy-gateway=1.9.0`: what of it breaks the objects. Before --versions.",
)
@click.option(
    "--envoy/--no-envoy",
    default=None,
    help="Let Envoy validate the values of EnvoyFilters and EnvoyPatchPolicies. Default: if Envoy is installed.",
)
@click.option(
    "--server", is_flag=True, help="Also ask an API server, by dry runs. Nothing else in this command uses the network."
)
@click.option("--context", "cluster", metavar="NAME", help="Context of the kubeconfig, with --server.")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="Source policy used to map findings back to policy lines. Detected for the output of policies/.",
)
@click.option(
    "--explain",
    metavar="RULE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Print the documentation of a rule, such as L16, and exit.",
)
@click.option(
    "--list-rules",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_rules,
    help="List the rules, and exit.",
)
@click.option(
    "--rules-page",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_page,
    help="Print the rules as Markdown (docs/reference/verify-rules.md), and exit.",
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    help="Namespace of objects that name none, as `kubectl apply -n` sets it. Default: `default`.",
)
@click.option("--separate", is_flag=True, help="Check each file and each kustomization by itself, as examples.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Report only errors and warnings that are not in this file of --write-baseline.",
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the present errors and warnings to a file, as known, and exit 0.",
)
@click.option("--all-findings", is_flag=True, help="Show every finding, not only the first 50 of each rule.")
@options.findings_format
@options.strict
@click.pass_context
def command(  # noqa: PLR0913 - the flags of a command are its arguments
    context: click.Context,
    manifests: tuple[Path, ...],
    *,
    assume: tuple[str, ...],
    crds: tuple[Path, ...],
    versions: str | None,
    release: tuple[str, ...],
    envoy: bool | None,
    server: bool,
    cluster: str | None,
    policy: Path | None,
    namespace: str | None,
    separate: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    all_findings: bool,
    output_format: str,
    strict: bool,
) -> None:
    """Report broken references between Kubernetes objects and violations of their schemas.

    Writes nothing but a baseline, and contacts no cluster without `--server`.

    The link rules check all objects together that are applied together: references, grants, selectors, endpoint
    pickers, filters, timeouts and permissions. Kustomizations are built, and the files beside them are checked too.
    Folders that define the same objects are separate examples. Output of vsr-compile is checked overlay by overlay.
    `-` is standard input. Settings and ignores of a repository are in `.vsr-verify.yaml`.

    Each object is validated against the schema of its kind, CEL rules included: Kubernetes' own kinds always, others
    if their CustomResourceDefinitions are known.

    Envoy itself validates the values of EnvoyFilters and EnvoyPatchPolicies. It loads no code and reads no file for
    this. Findings in output of vsr-compile point to the line of the policy.

    \b
    kubectl kustomize overlays/dev | vsr-compile verify -
    vsr-compile verify manifests/ --assume Service/models/vllm
    vsr-compile verify manifests/ --release envoy-gateway=1.9.0 --release gateway-api=1.6.1
    vsr-compile verify out/quickstart --server --context staging
    vsr-compile verify --explain L16
    """
    from vsr_compiler.cli.verify_releases import Releases, without_repeated  # noqa: PLC0415 - as above
    from vsr_compiler.deploy.file_releases import releases_of_file  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.verify import check_links, schema  # noqa: PLC0415 - as above

    if cluster and not server:
        raise click.UsageError("--context requires --server.")
    manifests = _policies_of(manifests)
    settings, diagnostics = settings_of.read(settings_of.find(manifests))
    values = settings.values
    namespace, versions = namespace or values.namespace, _profile(versions, settings)
    assumptions = _assumptions((*assume, *values.assume), namespace)
    separate = separate or values.separate
    releases = Releases(release, versions, settings, releases_of_file)
    read = _read(manifests, namespace or DEFAULT_NAMESPACE, separate=separate, skip=settings.excludes)
    diagnostics += read.diagnostics
    objects = _objects(read)
    source = _source(manifests, policy)
    if source:
        try:
            more, foreign = _by_policy(source[0], read, manifests, settings.excludes)
            assumptions, diagnostics = assumptions | more, diagnostics + foreign
        except CompileError as error:
            diagnostics += error.diagnostics
            source = None
    if envoy is not False:
        from vsr_compiler.verify.envoy import check_envoy  # noqa: PLC0415 - as above

        diagnostics += check_envoy(objects, required=envoy is True)
    if server:
        from vsr_compiler.verify.api_server import dry_run  # noqa: PLC0415 - as above

        diagnostics += dry_run(objects, cluster)
    printer = console.FindingsPrinter(output_format, strict=strict)
    for path in manifests:
        printer.add(str(path), [])
    name = str(manifests[0])
    catalog = schema.Catalog.of(crds, with_bundle=True)
    diagnostics += schema.check_schemas(objects, catalog, releases.of_definitions(catalog))
    diagnostics += check_worlds(read.worlds, assumptions, releases.checked(check_links))
    diagnostics = once_per_place(without_dependent(dict.fromkeys(without_repeated(diagnostics)), read.marks))
    diagnostics = applied(diagnostics, read.comments, settings, datetime.now(tz=UTC).date())
    diagnostics = _against_baseline(diagnostics, baseline, write_baseline)
    diagnostics = _at_policy(diagnostics, objects, *source) if source else diagnostics
    if not all_findings:
        diagnostics = capped(diagnostics, IN_TEXT if output_format == "text" else IN_REPORTS)
    printer.add(name, diagnostics)
    code = printer.close()
    if not objects and not code:
        # An empty pipe or a wrong folder must not look like a success.
        inputs = ", ".join(f"`{path}`" if str(path) != "-" else "standard input" for path in manifests)
        raise click.UsageError(f"There is no Kubernetes object in {inputs}.")
    if output_format == "text":
        console.print_message(f"{len(objects)} object{'s' * (len(objects) != 1)} verified")
    context.exit(code)


def _profile(versions: str | None, settings: settings_of.Settings) -> str | None:
    """Return the releases to check for: the option's, else those of the settings."""
    wanted = versions or settings.values.versions
    if wanted is not None and wanted not in PROFILES:
        raise click.UsageError(f"{settings.path}: `versions` is one of {', '.join(sorted(PROFILES))}.")
    return wanted


def _against_baseline(
    diagnostics: list[Diagnostic], baseline: Path | None, write_baseline: Path | None
) -> list[Diagnostic]:
    """Return the findings that no baseline knows, and write one if asked."""
    from vsr_compiler.verify.baseline import without_known, write  # noqa: PLC0415 - as above

    try:
        sources = console.sources(diagnostics) if baseline or write_baseline else {}
        if write_baseline is not None:
            write(write_baseline, diagnostics, sources)
            return without_known(write_baseline, diagnostics, sources)
        return diagnostics if baseline is None else without_known(baseline, diagnostics, sources)
    except CompileError as error:
        return [*diagnostics, *error.diagnostics]


def _assumptions(assume: tuple[str, ...], namespace: str | None) -> Assumptions:
    try:
        return Assumptions.parse(assume) | Assumptions(namespace_is_given=namespace is not None)
    except ValueError as error:
        raise click.BadParameter(f"`{error}` is not KIND/NAMESPACE/NAME.", param_hint="--assume") from None


def _read(manifests: tuple[Path, ...], namespace: str, *, separate: bool, skip: Callable[[Path], bool]) -> Read:
    """Return the objects in sets that are applied together, and the findings of reading them."""
    from vsr_compiler.deploy.file_releases import is_output  # noqa: PLC0415 - as above
    from vsr_compiler.verify.files import read_worlds  # noqa: PLC0415 - as above

    everything = Read()
    for together in _together(manifests):
        read = read_worlds(together, is_output, namespace=namespace, separate=separate, skip=skip)
        everything.worlds += read.worlds
        everything.diagnostics += read.diagnostics
        everything.marks |= read.marks
        everything.comments += [item for item in read.comments if item not in everything.comments]
    return everything


def _objects(read: Read) -> list[Manifest]:
    """Return the objects of all sets, equal ones once."""
    units = {id(unit): unit for world in read.worlds for unit in world.units}
    return list({item.canonical_json: item for unit in units.values() for item in unit.manifests}.values())


def _policies_of(manifests: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the output of the only policy instead of the root of the output."""
    if len(manifests) == 1 and manifests[0].is_dir() and output_folder.enclosing(manifests[0]) is None:
        inside = [path for path in sorted(manifests[0].iterdir()) if path.is_dir() and output_folder.enclosing(path)]
        if len(inside) == 1:
            return (inside[0],)
    return manifests


def _together(manifests: tuple[Path, ...]) -> list[tuple[Path, ...]]:
    """Return the inputs that are applied together: of our output an overlay, or a base with its components."""
    if len(manifests) != 1 or not manifests[0].is_dir() or output_folder.enclosing(manifests[0]) is None:
        return [manifests]
    (folder,) = manifests
    if folder.name == "overlays":
        return [(path,) for path in sorted(folder.iterdir()) if path.is_dir()] or [manifests]
    folders = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    together: list[tuple[Path, ...]] = []
    for target in (path for path in folders if (path / "overlays").is_dir()):
        together += [(path,) for path in sorted((target / "overlays").iterdir()) if path.is_dir()]
        together.append(tuple(path for path in (target / "base", target / "components") if path.is_dir()))
    rest = [path for path in folders[1:] if together and path.name in {"argocd", "flux", "router"}]
    return [*together, *((path,) for path in rest)] or [manifests]


def _source(manifests: tuple[Path, ...], policy: Path | None) -> tuple[Path, Path] | None:
    """Return the source policy of manifests and the output root that they are in; None if it is not known."""
    folder = output_folder.enclosing(manifests[0]) if str(manifests[0]) != "-" else None
    if policy is not None:
        return policy, folder.parent if folder else Path("out")
    if folder is None:
        return None
    try:
        return output_folder.policy_of(folder)[1], folder.parent
    except CompileError:
        # The policy is not in policies/: findings point into the manifests.
        return None


def _by_policy(
    source: Path, read: Read, inputs: tuple[Path, ...], skip: Callable[[Path], bool]
) -> tuple[Assumptions, list[Diagnostic]]:
    """Return what a policy assumes, and the hosts that its environments must not refer to."""
    from vsr_compiler.cli.verify_residency import residency_findings  # noqa: PLC0415 - as above
    from vsr_compiler.deploy.policy_assumptions import rendered_assumptions  # noqa: PLC0415 - as above

    policy = read_policy(source)
    return rendered_assumptions(policy), residency_findings(policy, read, inputs, skip)


def _at_policy(diagnostics: list[Diagnostic], objects: list[Manifest], source: Path, out: Path) -> list[Diagnostic]:
    """Return the findings at the policy lines that made the manifests, if there is more than notes."""
    if not any(item.level is not Severity.NOTE for item in diagnostics):
        return diagnostics
    from vsr_compiler.review.policy_spans import map_to_policy  # noqa: PLC0415 - only where something is wrong

    try:
        fresh = output_folder.compile_with_existing_heads(read_policy(source).name, source, out)
    except CompileError as error:
        return [*diagnostics, *error.diagnostics]
    # A host of another region is not in the policy: it was written where it is found.
    by_hand = [item for item in diagnostics if item.code == "VSR567"]
    rest = [item for item in diagnostics if item.code != "VSR567"]
    return [*map_to_policy(rest, objects, fresh), *by_hand]
