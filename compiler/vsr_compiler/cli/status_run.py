"""Looks at the clusters of an environment, and prints what is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.live.findings import findings
from vsr_compiler.live.parallel import ask
from vsr_compiler.live.report import report, text
from vsr_compiler.live.status import look
from vsr_compiler.live.waiting import wait
from vsr_compiler.verify.api_server import client as api
from vsr_compiler.verify.api_server.client import DryRunClient, UnreachableError
from vsr_schemas.reports_status import ClustersStatusReport, ClusterStatus

if TYPE_CHECKING:
    from vsr_compiler.live.desired import Desired
    from vsr_schemas.reports_status import StatusReport

CONNECT_SECONDS = 60.0
"""For the kubeconfig, which may start a program of the user's to get a token."""


@dataclass(frozen=True, slots=True)
class Options:
    """How clusters are asked.

    Attributes:
        gitops_context: The context of the cluster with the objects of Argo CD or Flux; None for the same cluster.
        dry_run: Whether objects are compared by dry runs.
        forward: Whether pods are asked.
        seconds: How long to wait until everything is live; None to look once.
        as_json: Whether the report is JSON.
    """

    gitops_context: str | None
    dry_run: bool
    forward: bool
    seconds: float | None
    as_json: bool


def run(desired: Desired, context: str | None, options: Options) -> int:
    """Look at one cluster, and print what is there. Return the exit code."""
    result, found = _examined(desired, context, options)
    if result is not None:
        console.print_data(result.model_dump_json(indent=2, by_alias=True) if options.as_json else text(result))
    console.print_findings(found)
    return int(result is None or not result.live)


def run_all(environment: str, desired: Mapping[str, Desired], contexts: Mapping[str, str], options: Options) -> int:
    """Look at the clusters of an environment, one after the other, and print one report. Return the exit code.

    A cluster that cannot be asked does not hide the others. All wait until the same deadline.
    """
    end = None if options.seconds is None else time.monotonic() + options.seconds
    statuses: list[ClusterStatus] = []
    for name, own in desired.items():
        left = None if end is None else max(end - time.monotonic(), 0.0)
        result, found = _examined(own, contexts[name], replace(options, seconds=left), f"cluster {name}")
        reason = found[0].message if result is None else ""
        statuses.append(ClusterStatus(cluster=name, context=contexts[name], report=result, unreachable=reason))
        if not options.as_json:
            console.print_data(f"cluster {name}: {text(result) if result is not None else reason}\n")
        console.print_findings(found)
    live = [item.cluster for item in statuses if item.report is not None and item.report.live]
    whole = ClustersStatusReport(
        policy=next(iter(desired.values())).policy,
        environment=environment,
        live=len(live) == len(statuses),
        clusters=statuses,
    )
    if options.as_json:
        console.print_data(whole.model_dump_json(indent=2, by_alias=True))
    else:
        others = ", ".join(item.cluster for item in statuses if item.cluster not in live)
        line = f"{whole.policy}, environment {environment}: live on {len(live)} of {len(statuses)} clusters"
        console.print_data(f"{line}{f'; not on {others}' if others else ''}")
    return int(not whole.live)


def _examined(
    desired: Desired, context: str | None, options: Options, place: str = "cluster"
) -> tuple[StatusReport | None, list[Diagnostic]]:
    """Return the report of a cluster and its findings; without a report if the cluster cannot be asked."""
    try:
        client, delivery = _connected(context, options.gitops_context)
        waited = wait(
            lambda: look(client, delivery, desired, dry_run=options.dry_run, forward=options.forward),
            lambda seen: findings(desired, seen, dry_run=options.dry_run),
            console.print_message,
            0.0 if options.seconds is None else options.seconds,
        )
    except UnreachableError as error:
        hint = "Check the kubeconfig (KUBECONFIG, --context) and that the cluster responds."
        if "not installed" in str(error):
            hint = "Run: pip install 'vsr-compile[kubernetes]'."
        return None, [Diagnostic("VSR573", str(error), Span(place), hint)]
    if waited.timed_out and options.seconds is not None:
        console.print_message(f"not live after {options.seconds:g} s")
    return report(desired, waited.seen, waited.found), waited.found


def _connected(context: str | None, gitops_context: str | None) -> tuple[DryRunClient, DryRunClient]:
    """Return the clients of the environment's cluster and of that of Argo CD or Flux."""
    try:
        clients = ask(api.connect, [context, gitops_context] if gitops_context else [context], CONNECT_SECONDS)
    except UnreachableError as error:
        if "have no answer" not in str(error):
            raise
        raise UnreachableError(f"the kubeconfig gives no credentials within {CONNECT_SECONDS:g} s") from None
    return clients[0], clients[-1]
