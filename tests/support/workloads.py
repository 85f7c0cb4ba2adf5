"""What starts pods: Deployments, and the Rollouts that Argo Rollouts makes pods of in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def deployed(bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return objects with each Rollout as the Deployment that has the same pods once all steps are done."""
    return [{**body, "kind": "Deployment"} if body["kind"] == "Rollout" else body for body in bodies]
