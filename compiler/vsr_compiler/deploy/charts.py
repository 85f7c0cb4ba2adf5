"""The Helm charts that `gitops.charts` names, as an environment needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.targets import TARGETS
from vsr_compiler.targets.common.helm import FOLDER, ChartSource, Values

OCI = "oci://"


@dataclass(frozen=True, slots=True)
class InstalledChart:
    """A chart in an environment.

    Attributes:
        source: Where the chart is, and its names.
        version: Its version.
        namespace: The namespace into which it is installed.
        values: Its values; None if its defaults fit.
        file: The file of the values below the policy's output; empty if there are none.
    """

    source: ChartSource
    version: str
    namespace: str
    values: Values | None
    file: str

    @property
    def serves(self) -> bool:
        """Whether the chart runs what requests need, so that it belongs to the rollout of the environment."""
        return not self.source.namespace


def installed(
    policy: ir.Policy, environment: ir.Environment, own: ir.Policy, values: Iterable[Values], common: Iterable[Values]
) -> tuple[InstalledChart, ...]:
    """Return the charts of an environment in the order of the target's table.

    Args:
        policy: The policy of the base.
        environment: The environment.
        own: The policy as the environment resolves it.
        values: The values that hold there.
        common: Those of the base, which have files of their own.
    """
    names = policy.gitops.charts if policy.gitops is not None else ()
    by_chart = {item.chart: item for item in values}
    base = {item.path: item.body for item in common}
    result = []
    for source in sources(environment.target, own):
        item = by_chart.get(source.chart)
        if source.chart not in names or (item is None and not source.namespace):
            continue
        file = ""
        if item is not None:
            folder = f"{environment.target}/{FOLDER}"
            same = item.body == base.get(item.path)
            file = f"{folder}/{item.path}" if same else f"{folder}/{environment.name}/{item.path}"
        namespace = source.namespace or (item.services[0].namespace if item is not None else "")
        version = f"{source.prefix}{own.versions[source.project]}"
        result.append(InstalledChart(source, version, namespace, item, file))
    return tuple(result)


def sources(target: str, policy: ir.Policy) -> Iterator[ChartSource]:
    """Yield the charts of a target: those of the stack in front first, whose controllers the others need."""
    for part, _ in reversed(TARGETS[target].parts(policy)):
        yield from part.installs


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR371 for a chart that no environment needs, and for values that Argo CD cannot read from an artifact."""
    gitops = policy.gitops
    if gitops is None or not gitops.charts:
        return
    known = {source.chart: None for target in policy.targets for source in sources(target, policy)}
    for name in gitops.charts:
        if name not in known:
            message = f"no target of the policy installs a chart `{name}`"
            hint = f"Use one of: {', '.join(f'`{chart}`' for chart in known)}." if known else "Remove `charts`."
            yield Diagnostic("VSR371", message, gitops.span, hint)
    if gitops.is_artifact:
        message = "Argo CD reads the values of charts from a Git repository, not from an artifact"
        yield Diagnostic("VSR371", message, gitops.span, "Remove `charts`, or use a Git repository as `repo`.")
