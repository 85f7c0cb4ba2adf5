"""Hosts: which containers a change replaces, what they need by then, and how the host learns of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.rollout.words import listed, mapping
from vsr_schemas.reports_diff import RolloutChange

FILE = "compose.yaml"
ENVOY = "envoy"
_UP = "`docker compose up --detach --wait --remove-orphans`"


def host_changes(policy: str, trees: Comparison) -> Iterator[RolloutChange]:
    """Yield one change per host whose files differ."""
    changed = sorted({pair.path.split("/")[1] for pair in trees.pairs if pair.path.startswith(f"{COMPOSE}/")})
    for host in changed:
        path = f"{COMPOSE}/{host}/{FILE}"
        old, new = mapping(trees.old(path)), mapping(trees.new(path))
        if not new:
            yield RolloutChange(
                text=f"host {host} is removed from the policy, but its containers go on",
                steps=["To stop them, on the host: `docker compose down`. Volumes stay until `docker volume rm`."],
            )
            continue
        copy = f"Copy `out/{policy}/{COMPOSE}/{host}` to the host, with deletions."
        added = sorted(_needs(new) - _needs(old))
        missing = [f"To the folder of secrets: {listed(added)}"] if added else []
        yield RolloutChange(text=_text(host, old, new), steps=[*missing, copy, f"There: {_UP}"])


def _text(host: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = mapping(old.get("services")), mapping(new.get("services"))
    if not old:
        return f"host {host} is new"
    replaced = [name for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    parts = {
        "replaces": replaced,
        "starts": sorted(after.keys() - before.keys()),
        "stops": sorted(before.keys() - after.keys()),
    }
    words = [f"{what} {listed(names)}" for what, names in parts.items() if names]
    if not words:
        return f"host {host}: no container is replaced; the router reads its changed files"
    text = f"the update of host {host} {'; '.join(words)}"
    return f"{text}; between two Envoys there is a moment without answers" if ENVOY in replaced else text


def _needs(body: Mapping[str, Any]) -> set[str]:
    """Return the files of the folder of secrets that a host needs."""
    files = [mapping(item).get("file") for item in mapping(body.get("secrets")).values()]
    for service in mapping(body.get("services")).values():
        variables = mapping(service).get("env_file")
        files += [mapping(item).get("path") for item in variables] if isinstance(variables, list) else []
    return {str(file).rpartition("}/")[2] for file in files if isinstance(file, str)}
