"""One look at a cluster: every object of an environment, its delivery, and the pods of its routers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vsr_compiler.live import inside
from vsr_compiler.live.desired import Desired
from vsr_compiler.live.inside import EnvoyState
from vsr_compiler.live.objects import ObjectState, observe
from vsr_compiler.live.parallel import ask
from vsr_compiler.live.pods import ForbiddenError, PodState, pods_of, routers
from vsr_compiler.live.served import Served
from vsr_compiler.targets import kinds
from vsr_compiler.verify.api_server.client import DryRunClient
from vsr_compiler.verify.manifest import Manifest

SECONDS = 120.0
"""For all questions of one look."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a cluster has.

    Attributes:
        objects: The objects of the environment, in the order of the output.
        delivery: Objects of Argo CD and Flux that the cluster has.
        pods: The pods of routers.
        no_pods: Why pods are not known; empty if they are.
        served: What each pod serves, or why that is not known, if ports were forwarded.
        envoys: The gateways' Envoys, if ports were forwarded.
    """

    objects: tuple[ObjectState, ...]
    delivery: tuple[ObjectState, ...]
    pods: tuple[PodState, ...]
    no_pods: str = ""
    served: Mapping[tuple[str, str], Served | str] = field(default_factory=dict)
    envoys: tuple[EnvoyState, ...] = ()


def look(
    client: DryRunClient, delivery: DryRunClient, desired: Desired, *, dry_run: bool, forward: bool = False
) -> Look:
    """Return what a cluster has.

    Args:
        client: The API server of the environment.
        delivery: The API server of Argo CD or Flux, which may be the same.
        desired: The output.
        dry_run: Whether objects are compared by dry runs.
        forward: Whether pods are asked, by port forwards.

    Raises:
        UnreachableError: A server does not answer.
    """
    table = kinds()
    objects = ask(lambda item: observe(client, item, table, dry_run=dry_run), desired.manifests, SECONDS)
    delivered = ask(lambda item: observe(delivery, item, table, dry_run=False), desired.delivery, SECONDS)
    pods, no_pods = _pods(client, routers(desired.manifests))
    seen = Look(tuple(objects), tuple(item for item in delivered if item.presence == "present"), pods, no_pods)
    if not forward:
        return seen
    return replace(
        seen,
        served=inside.served_by(client, routers(desired.manifests), pods, SECONDS),
        envoys=inside.envoys(client, desired.manifests, SECONDS),
    )


def _pods(client: DryRunClient, deployments: list[Manifest]) -> tuple[tuple[PodState, ...], str]:
    try:
        found = ask(lambda item: pods_of(client, item), deployments, SECONDS)
    except ForbiddenError as error:
        return (), str(error)
    return tuple(pod for own in found for pod in own), ""
