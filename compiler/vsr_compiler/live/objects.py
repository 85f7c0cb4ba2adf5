"""One object of the output in a cluster: whether it is there, equal to the output, and in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vsr_compiler.live.conditions import short
from vsr_compiler.live.differences import Difference, applier, of_dry_run, of_fields
from vsr_compiler.live.health import judge
from vsr_compiler.live.verdict import HEALTHY, Verdict
from vsr_compiler.manifests.kinds import BUILT_IN_HEALTH, GroupKind, Kind
from vsr_compiler.verify.api_server.client import MANAGER, DryRunClient
from vsr_compiler.verify.api_server.findings import Response
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, value_at

Presence = Literal["present", "missing", "unknown kind", "forbidden", "unreadable"]
Comparison = Literal["dry run", "fields", "none"]
_OK = range(200, 300)
_NOT_FOUND = 404
_FORBIDDEN = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object of the output as a cluster has it.

    Attributes:
        manifest: The object of the output.
        presence: Whether the API server has it.
        reason: The words of the API server, if it gives no object.
        versions: The versions of the kind's group that the server has, if it does not have this one.
        live: The object in the cluster; empty if there is none.
        comparison: How it was compared.
        refusal: Why the API server would refuse an apply; empty if it would not.
        differences: Fields that differ from the output.
        verdict: Whether it is in force.
    """

    manifest: Manifest
    presence: Presence
    reason: str = ""
    versions: tuple[str, ...] = ()
    live: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison = "none"
    refusal: str = ""
    differences: tuple[Difference, ...] = ()
    verdict: Verdict = HEALTHY

    @property
    def drifts(self) -> tuple[Difference, ...]:
        """The differences that no autoscaler explains."""
        return tuple(item for item in self.differences if not item.scaled)

    @property
    def is_live(self) -> bool:
        """Whether it is there, equal, and nothing waits or refuses it."""
        return self.presence == "present" and not self.refusal and not self.drifts and self.verdict.state <= 1


def observe(client: DryRunClient, manifest: Manifest, kinds: Mapping[GroupKind, Kind], *, dry_run: bool) -> ObjectState:
    """Return the state of an object.

    Args:
        client: The API server.
        manifest: The object of the output.
        kinds: The facts of kinds.
        dry_run: Whether to compare by a dry run, which needs the permission to patch.

    Raises:
        UnreachableError: The server does not answer.
    """
    response = client.get(manifest)
    if response.is_unknown_kind:
        return ObjectState(manifest, "unknown kind", versions=_versions(client, manifest.group))
    if response.status in _FORBIDDEN:
        return ObjectState(manifest, "forbidden", _words(response))
    if response.status == _NOT_FOUND:
        return ObjectState(manifest, "missing", _words(response))
    if response.status not in _OK:
        return ObjectState(manifest, "unreadable", _words(response))
    live = response.body
    comparison, refusal, differences = _compare(client, manifest, live, dry_run=dry_run)
    kind = kinds.get((manifest.group, manifest.kind))
    health = BUILT_IN_HEALTH if kind is None else kind.health
    return ObjectState(
        manifest,
        "present",
        live=live,
        comparison=comparison,
        refusal=refusal,
        differences=tuple(differences),
        verdict=judge((manifest.group, manifest.kind), health, live),
    )


def _compare(
    client: DryRunClient, manifest: Manifest, live: Mapping[str, Any], *, dry_run: bool
) -> tuple[Comparison, str, list[Difference]]:
    if dry_run:
        response = client.dry_run(manifest, applier(live) or MANAGER)
        if response.status in _OK:
            return "dry run", "", of_dry_run(live, response.body)
        if response.status not in _FORBIDDEN:
            return "dry run", _words(response), of_fields(live, manifest.body)
    return "fields", "", of_fields(live, manifest.body)


def _words(response: Response) -> str:
    return short(as_string(response.body.get("message"))) or f"status {response.status}"


def _versions(client: DryRunClient, group: str) -> tuple[str, ...]:
    """Return the versions of an API group that the server has."""
    response = client.read(f"/apis/{group}") if group else Response(_NOT_FOUND, {})
    if response.status not in _OK:
        return ()
    names = (as_string(value_at(item, "version")) for item in as_mappings(as_mapping(response.body).get("versions")))
    return tuple(short(name) for name in names if name)[:20]
