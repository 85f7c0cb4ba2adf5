"""``vsr-compile status``: whether a cluster has what a policy was compiled to, and uses it. Read-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.cli import console, options
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span

if TYPE_CHECKING:
    from vsr_compiler.live.desired import Desired
    from vsr_compiler.pipeline import Compiled

MAX_WAIT = 86_400


@click.command(name="status", short_help="Show whether a cluster has and uses the output of a policy.")
@click.argument("place", type=click.Path(path_type=Path, exists=True))
@click.option("--env", "--environment", "environment", metavar="NAME", help="The environment. Default: the only one.")
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="NAME",
    help="Context of the kubeconfig. Default: its current context. For an environment on several clusters "
    "CLUSTER=NAME, once for each; default: the context with the name of the cluster.",
)
@click.option(
    "--gitops-context",
    metavar="NAME",
    help="Context of the cluster with the objects of Argo CD or Flux, if it is another one.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The policy, if PLACE is an output folder and the policy is not in policies/.",
)
@options.out
@click.option(
    "--dry-run/--no-dry-run",
    default=True,
    show_default=True,
    help="Compare by server-side dry runs, which need the permission to patch; otherwise field by field.",
)
@click.option(
    "--forward",
    is_flag=True,
    help="Also ask pods by port forwards: what routers serve, and whether the gateway's Envoy has the filters.",
)
@click.option("--wait", is_flag=True, help="Look again until everything is live, and print the progress.")
@click.option(
    "--timeout",
    type=click.FloatRange(1, MAX_WAIT),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long --wait waits.",
)
@click.option("--rbac", is_flag=True, help="Print the Roles that this command needs, and exit. Asks no cluster.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report: text for people, json for programs.",
)
@click.pass_context
def command(  # noqa: PLR0913 - the flags of a command are its arguments
    context: click.Context,
    place: Path,
    *,
    environment: str | None,
    contexts: tuple[str, ...],
    gitops_context: str | None,
    policy: Path | None,
    out: Path,
    dry_run: bool,
    forward: bool,
    wait: bool,
    timeout: float,
    rbac: bool,
    output_format: str,
) -> None:
    """Show whether a cluster has the objects of an environment as they were compiled, and uses them.

    PLACE is a policy or its output folder. For each object of the lock: whether it is there, equal to the output, and
    in force by its conditions, at the line of the policy that made it. For each pod of the router: whether it is ready,
    and which configuration it was started with. Objects of Argo CD and Flux are judged if the cluster has them.

    Nothing is changed: every request is a GET, or a PATCH with `dryRun=All`. Without the permission for dry runs, the
    fields of the output are compared, and a note says so. `--forward` sends GET requests to pods, through the API
    server.

    An environment on several clusters is checked on each of them, with one report; `--env ENVIRONMENT-CLUSTER` checks
    one of them. It needs the policy.

    \b
    vsr-compile status policies/quickstart.yaml --env dev --context kind-dev
    vsr-compile status out/quickstart --env dev --wait --timeout 900
    vsr-compile status policies/shop.yaml --env prod --context eu=kind-eu --context us=kind-us
    vsr-compile status out/quickstart --env dev --forward --format json
    vsr-compile status out/quickstart --env dev --rbac | kubectl apply -f -

    Exit codes: 0 everything is live, 1 something is not, or the cluster cannot be asked.
    """
    try:
        desired = _desired(place, environment, policy, out)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    if rbac:
        if len(desired) > 1:
            # Roles of the same name in the cluster of Argo CD would replace each other.
            names = ", ".join(f"`{environment}-{name}`" for name in desired)
            raise click.UsageError(f"The Roles differ by cluster. Name one by --env: {names}.")
        for each in desired.values():
            console.print_data(_roles(each, dry_run=dry_run, forward=forward))
        context.exit()
    from vsr_compiler.cli import status_run  # noqa: PLC0415 - as in `_desired`

    options_of_run = status_run.Options(
        gitops_context, dry_run, forward, timeout if wait else None, as_json=output_format == "json"
    )
    if list(desired) == [""]:
        if len(contexts) > 1:
            raise click.UsageError("--context is repeated only for an environment on several clusters.")
        context.exit(status_run.run(desired[""], contexts[0] if contexts else None, options_of_run))
    context.exit(status_run.run_all(environment or "", desired, _contexts(contexts, list(desired)), options_of_run))


def _contexts(given: tuple[str, ...], clusters: list[str]) -> dict[str, str]:
    """Return the context of each cluster."""
    contexts = {name: name for name in clusters}
    named: set[str] = set()
    for item in given:
        name, equals, context = item.partition("=")
        if not equals or not context or name not in contexts:
            listed = ", ".join(f"`{one}`" for one in clusters)
            raise click.UsageError(f"--context `{item}` is not CLUSTER=NAME with one of the clusters {listed}.")
        if name in named:
            raise click.UsageError(f"--context names the cluster `{name}` twice.")
        named.add(name)
        contexts[name] = context
    return contexts


def _desired(place: Path, environment: str | None, policy: Path | None, out: Path) -> dict[str, Desired]:
    """Return the objects of the environment by cluster, with the places in the policy if it is at hand.

    The name of the only cluster of an environment is empty.
    """
    from vsr_compiler.live import desired as of  # noqa: PLC0415 - `--help` must not pay for it

    folder, source = _folder(place, policy, out)
    compiled, problems = _compiled(source, folder)
    clusters = [] if compiled is None or environment is None else of.clusters(compiled.policy, environment)
    if clusters:
        return {
            name: of.with_warnings(of.read_desired(folder, f"{environment}-{name}", compiled), problems)
            for name in clusters
        }
    found = of.read_desired(folder, environment or _only(folder), compiled)
    return {"": of.with_warnings(found, problems)}


def _folder(place: Path, policy: Path | None, out: Path) -> tuple[Path, Path | None]:
    """Return the output folder and the policy; None if the policy is not at hand."""
    from vsr_compiler.cli import output_folder  # noqa: PLC0415 - as above
    from vsr_compiler.pipeline import read_policy  # noqa: PLC0415 - as above

    if place.is_dir():
        folder = output_folder.enclosing(place)
        if folder is None:
            hint = "Name a policy, or a folder that vsr-compile has written, such as out/quickstart."
            message = f"{place} is no output folder: it has no lock"
            raise CompileError([Diagnostic("VSR500", message, Span(str(place)), hint)])
        folder = place if folder == place.resolve() else folder
        if policy is not None:
            return folder, policy
        try:
            return folder, output_folder.policy_of(folder)[1]
        except CompileError as error:
            if any(item.code != "VSR307" for item in error.diagnostics):
                raise
            return folder, None
    if policy is not None:
        raise click.UsageError("--policy is for an output folder.")
    folder = out / read_policy(place).name
    if not folder.is_dir():
        message = f"the policy is not compiled: there is no {folder}"
        raise CompileError([Diagnostic("VSR500", message, Span(str(place)), f"Run vsr-compile {place}.")])
    return folder, place


def _compiled(source: Path | None, folder: Path) -> tuple[Compiled | None, list[Diagnostic]]:
    """Return a fresh compile; None with warnings if the policy does not compile today."""
    from vsr_compiler.cli import output_folder  # noqa: PLC0415 - as above

    if source is None:
        return None, []
    try:
        return output_folder.compile_with_existing_heads(folder.name, source, folder.parent), []
    except CompileError as error:
        message = f"{source} does not compile, so the lines that made the objects are not known"
        first = error.diagnostics[0]
        hint = f"The first error is {first.code}: {first.message}."
        return None, [Diagnostic("VSR576", message, first.span, hint, Severity.WARNING)]


def _only(folder: Path) -> str:
    from vsr_compiler.deploy import packaging  # noqa: PLC0415 - as above
    from vsr_compiler.live.desired import environments  # noqa: PLC0415 - as above

    known = sorted(environments(packaging.read(folder)[0]))
    if len(known) != 1:
        names = ", ".join(f"`{name}`" for name in known)
        raise click.UsageError(f"Name the environment by --env: {names}." if known else "There is no environment.")
    return known[0]


def _roles(desired: Desired, *, dry_run: bool, forward: bool) -> str:
    from vsr_compiler.live import access, filters  # noqa: PLC0415 - as above
    from vsr_compiler.live.pods import routers  # noqa: PLC0415 - as above

    own = {item.namespace for item in routers(desired.manifests)}
    others = {name for item in filters.proxies(desired.manifests) for name in item.namespaces} if forward else set()
    return access.roles(
        desired.manifests, desired.delivery, own | others, own | others if forward else (), dry_run=dry_run
    )
