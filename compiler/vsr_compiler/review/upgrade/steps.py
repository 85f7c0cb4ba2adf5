"""The order in which definitions, controllers and our objects are upgraded, with commands and what to wait for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vsr_compiler.releases.installation import INSTALLATION, Installation
from vsr_schemas.reports_upgrade import Finding, ReleaseChange, UpgradeStep

_SERVERS = (
    "kubectl wait deployment -A -l app.kubernetes.io/managed-by=vsr-compile --for=condition=Available --timeout=1h"
)
_REFUSES = (
    "Its admission policy refuses older definitions from then on: nothing else may bring some, such as a chart with a "
    "copy of its own."
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the objects of a policy come into the cluster.

    Attributes:
        policy: The policy.
        file: Its file.
        overlays: The folder of each environment's overlay.
        argo_cd: Whether Argo CD applies them.
        flux: Whether Flux applies them.
        values: The file of Helm values by chart.
        with_envoy_gateway: Whether Envoy Gateway's chart installs definitions of the experimental channel.
    """

    policy: str
    file: str
    overlays: Mapping[str, str]
    argo_cd: bool = False
    flux: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    with_envoy_gateway: bool = False


def steps(
    changes: Sequence[ReleaseChange], before: Sequence[Finding], after: Sequence[Finding], delivery: Delivery
) -> list[UpgradeStep]:
    """Return the steps of an upgrade, in order.

    Args:
        changes: The projects whose release changes.
        before: What of today's objects the new releases break.
        after: What of the new objects today's releases break.
        delivery: How the objects come into the cluster.
    """
    if not changes:
        return []
    installed = installations(changes, delivery)
    compiled = UpgradeStep(
        title="Set the releases in the policy and compile it; apply and merge nothing yet",
        commands=[f"vsr-compile {delivery.file}"],
        reason="The Helm values of the next steps are in its output." if delivery.values else "",
    )
    outside = [change for change in changes if change.installed_by != "objects"]
    objects = _objects(delivery, _reason(outside, before, after))
    if objects_first(outside, before, after):
        needed = list(_definitions([change for change in changes if change not in outside], delivery))
        return [compiled, *needed, objects, *(step for step in installed if step not in needed)]
    return [compiled, *installed, objects]


def installations(changes: Sequence[ReleaseChange], delivery: Delivery) -> list[UpgradeStep]:
    """Return the steps outside of the compiled objects: definitions, then controllers."""
    return [*_definitions(changes, delivery), *_controllers(changes, delivery)]


def is_later(change: ReleaseChange) -> bool:
    """Whether a project gets a later release, and not an earlier one."""
    return _numbers(change.new) > _numbers(change.old)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in release.split("."))


def _errors(findings: Sequence[Finding]) -> int:
    return sum(item.severity == "error" for item in findings)


def objects_first(outside: Sequence[ReleaseChange], before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Whether the objects go before the releases: only today's releases take today's objects, and both the new ones."""
    goes_back = bool(outside) and not any(is_later(change) for change in outside)
    return (bool(_errors(before)) or goes_back) and not _errors(after)


def _reason(outside: Sequence[ReleaseChange], before: Sequence[Finding], after: Sequence[Finding]) -> str:
    if not outside:
        return ""
    old, new = _errors(before), _errors(after)
    if old and new:
        return (
            "No order is free of faults: from the first change of definitions or controllers until this step, what is "
            "listed as broken does not work. Plan a window, or go over a release in between."
        )
    if old:
        return "Today's releases take the new objects, and the new releases do not take today's."
    if new:
        return "Today's releases do not take the new objects, so they come last."
    return "Both releases take both, so that the order only keeps each step small."


def _definitions(changes: Sequence[ReleaseChange], delivery: Delivery) -> Iterator[UpgradeStep]:
    for change, installation in _installations(changes):
        own = not installation.definitions_since or _numbers(change.new) >= _numbers(installation.definitions_since)
        if not installation.definitions or not own or not is_later(change):
            continue
        commands = [_filled(command, change, installation, delivery) for command in installation.definitions]
        waits = list(installation.waits) if installation.by == "definitions" else []
        reason = _REFUSES if change.component == "gateway-api" else ""
        title = f"Install the definitions of {change.title} {change.new}"
        yield UpgradeStep(title=title, commands=commands, waits=waits, reason=reason)


def _controllers(changes: Sequence[ReleaseChange], delivery: Delivery) -> Iterator[UpgradeStep]:
    ordered = list(_installations(changes))
    later = [entry for entry in ordered if is_later(entry[0])]
    earlier = [entry for entry in reversed(ordered) if not is_later(entry[0])]
    for change, installation in (*later, *earlier):
        if installation.by != "controller":
            continue
        word = "Upgrade" if is_later(change) else "Go back with"
        flags = [flag for since, flag in installation.further if _numbers(change.new) >= _numbers(since)]
        commands = [
            " ".join([_filled(command, change, installation, delivery), *flags]) for command in installation.commands
        ]
        reason = "" if is_later(change) else "Its definitions stay: an earlier controller works with later ones."
        title = f"{word} {change.title} to {change.new}"
        yield UpgradeStep(title=title, commands=commands, waits=list(installation.waits), reason=reason)


def _installations(changes: Sequence[ReleaseChange]) -> Iterator[tuple[ReleaseChange, Installation]]:
    known = [(change, INSTALLATION[change.component]) for change in changes if change.component in INSTALLATION]
    yield from sorted(known, key=lambda entry: entry[1].order)


def _filled(command: str, change: ReleaseChange, installation: Installation, delivery: Delivery) -> str:
    values = delivery.values.get(installation.values, f"values-{installation.values}.yaml")
    channel = "experimental" if delivery.with_envoy_gateway else "standard"
    return command.replace("{release}", change.new).replace("{values}", values).replace("{channel}", channel)


def _objects(delivery: Delivery, reason: str) -> UpgradeStep:
    title, waits = "Apply the compiled objects", []
    if delivery.argo_cd:
        title = "Merge the compiled objects; Argo CD applies them in waves"
        names = [f"{delivery.policy}-{name}" for name in delivery.overlays]
        waits = [f"argocd app wait {name} --sync --health" for name in names]
        return UpgradeStep(title=title, waits=waits, reason=reason)
    if delivery.flux:
        title = "Merge the compiled objects; Flux applies them in the order of its Kustomizations"
        return UpgradeStep(title=title, waits=["flux get kustomizations -A --watch"], reason=reason)
    commands: list[str] = []
    for folder in delivery.overlays.values():
        apply = f"kubectl apply --server-side --field-manager=vsr-compile-{delivery.policy} -k {folder}"
        commands += [
            f"{apply} -l '!vsr.dev/step'",
            _SERVERS,
            f"{apply} -l 'vsr.dev/step!=router'",
            apply,
            "kubectl -n vllm-semantic-router-system rollout status deployment semantic-router",
        ]
    return UpgradeStep(title=f"{title}: servers, then routes, then the router", commands=commands, reason=reason)
