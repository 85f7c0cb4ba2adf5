"""Changes that no order makes safe: what must be done in two steps, and what other projects answer with 500."""

from __future__ import annotations

from support.rollouts.serving import served_names
from support.rollouts.versions import Body, Versions

SIDECAR, PICKER = "AI Gateway's sidecar: unknown backend", "no picker"


def two_steps(versions: Versions) -> str:
    """Return why a change needs two steps: the first one leads requests away, the second one removes; empty if not."""
    for name in versions.changed:
        old, new = (versions.body(name, side) for side in (0, 1))
        if old is None or new is None:
            continue
        if name[0] == "Deployment" and (lost := _served(old) - _served(new)):
            return f"the server {name[2]} loses {', '.join(sorted(lost))}"
        if name[0] == "Gateway" and (closed := _admitted(old) - _admitted(new)):
            return f"the Gateway no longer admits {', '.join(sorted(closed))}"
    return ""


def _served(body: Body) -> set[str]:
    return served_names(body["spec"]["template"]["spec"]["containers"][0].get("args", []))


def _admitted(body: Body) -> set[str]:
    selectors = (
        listener["allowedRoutes"]["namespaces"].get("selector", {}).get("matchExpressions", [])
        for listener in body["spec"]["listeners"]
    )
    return {value for expressions in selectors for item in expressions for value in item["values"]}


def tolerated(versions: Versions) -> set[str]:
    """Return who answers 500 during a change: limits that the documentation names."""
    found = set()
    for name in versions.changed:
        old, new = (versions.body(name, side) for side in (0, 1))
        if old is None or new is None:
            continue
        if name[0] == "AIGatewayRoute" and _backends(old) != _backends(new):
            found.add(SIDECAR)
        if name[0] == "Deployment" and name[2].endswith("-epp"):
            recreated = "Recreate" in {body["spec"]["strategy"]["type"] for body in (old, new)}
            found |= {PICKER} if recreated else set()
    return found


def _backends(body: Body) -> list[list[str]]:
    return [[ref["name"] for ref in rule["backendRefs"]] for rule in body["spec"]["rules"]]
