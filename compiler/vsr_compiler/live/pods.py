"""The pods of the router: whether they are ready, and which configuration they were started with."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.live.conditions import short
from vsr_compiler.verify.api_server.client import DryRunClient
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, as_string_map, value_at

PAGE = 100
MAX_PAGES = 10
DIGEST = "vsr.dev/config-sha256"
_OK = 200
_CONFIG_PATHS = ("config", "candidate")


class ForbiddenError(Exception):
    """The account may not list pods. The message is the server's."""


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod of the router.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        ready: Whether it takes requests.
        image: The image of its router.
        config: The ConfigMap that it was started with; empty if it has none.
        wanted: The ConfigMap of the output.
        reason: Why it is not ready.
        restarts: How often its containers were restarted.
    """

    name: str
    namespace: str
    ready: bool
    image: str
    config: str
    wanted: str
    reason: str = ""
    restarts: int = 0

    @property
    def is_stale(self) -> bool:
        """Whether it was started with another configuration than the output's."""
        return self.config != self.wanted


def routers(manifests: tuple[Manifest, ...]) -> list[Manifest]:
    """Return the Deployments and Rollouts of routers: those that carry the digest of a configuration."""
    return [
        item
        for item in manifests
        if item.kind in {"Deployment", "Rollout"}
        and DIGEST in as_string_map(value_at(item.body, "metadata", "annotations"))
    ]


def pods_of(client: DryRunClient, deployment: Manifest) -> list[PodState]:
    """Return the pods of a router.

    Raises:
        ForbiddenError: The account may not list pods.
        UnreachableError: The server does not answer.
    """
    template = as_mapping(value_at(deployment.body, "spec", "template", "spec"))
    containers = as_mappings(template.get("containers"))
    name = as_string(containers[0].get("name")) if containers else ""
    return [
        _state(pod, deployment.namespace, config_map(template), name)
        for pod in listed(client, deployment.namespace, selector(deployment))
        if not as_mapping(pod.get("metadata")).get("deletionTimestamp")
    ]


def selector(deployment: Manifest) -> dict[str, str]:
    """Return the labels of a Deployment's pods."""
    return dict(as_string_map(value_at(deployment.body, "spec", "selector", "matchLabels")))


def listed(client: DryRunClient, namespace: str, labels: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Yield the pods with these labels, page by page, at most ``PAGE * MAX_PAGES``. Raises as ``pods_of`` does."""
    query = {"labelSelector": ",".join(f"{key}={text}" for key, text in sorted(labels.items())), "limit": str(PAGE)}
    path = f"/api/v1/namespaces/{urllib.parse.quote(namespace, safe='')}/pods"
    for _ in range(MAX_PAGES):
        response = client.read(path, query)
        if response.status != _OK:
            raise ForbiddenError(short(as_string(response.body.get("message"))) or f"status {response.status}")
        yield from as_mappings(response.body.get("items"))[:PAGE]
        following = as_string(value_at(response.body, "metadata", "continue"))
        if not following:
            return
        query["continue"] = following


def config_map(pod: Mapping[str, Any]) -> str:
    """Return the ConfigMaps with the files of the router, and of its candidate, in the spec of a pod."""
    volumes = {as_string(volume.get("name")): volume for volume in as_mappings(pod.get("volumes"))}
    names = (as_string(value_at(volumes.get(name, {}), "configMap", "name")) for name in _CONFIG_PATHS)
    return ", ".join(name for name in names if name)


def _state(pod: Mapping[str, Any], namespace: str, wanted: str, container: str) -> PodState:
    status, spec = as_mapping(pod.get("status")), as_mapping(pod.get("spec"))
    conditions = as_mappings(status.get("conditions"))
    ready = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
    containers = [*as_mappings(status.get("initContainerStatuses")), *as_mappings(status.get("containerStatuses"))]
    counts = [item.get("restartCount") for item in containers]
    return PodState(
        short(as_string(value_at(pod, "metadata", "name"))),
        namespace,
        ready,
        short(
            "".join(
                as_string(item.get("image"))
                for item in as_mappings(spec.get("containers"))
                if item.get("name") == container
            )
        ),
        short(config_map(spec)),
        wanted,
        "" if ready else short(_reason(status, conditions, containers)),
        sum(count for count in counts if isinstance(count, int)),
    )


def _reason(status: Mapping[str, Any], conditions: list[dict[str, Any]], containers: list[dict[str, Any]]) -> str:
    """Return why a pod is not ready: a container that waits or has ended, else the first condition that is false."""
    for item in containers:
        last = as_mapping(value_at(item, "lastState", "terminated"))
        for state in ("waiting", "terminated"):
            detail = as_mapping(value_at(item, "state", state))
            if detail and not (state == "terminated" and detail.get("exitCode") == 0):
                words = [as_string(detail.get("reason")), as_string(detail.get("message"))]
                if last:
                    words.append(f"last exit: {as_string(last.get('reason'))} {last.get('exitCode', '')}".strip())
                return f"container `{as_string(item.get('name'))}`: {'; '.join(filter(None, words))}"
    for item in conditions:
        if item.get("status") == "False":
            words = [as_string(item.get("reason")), as_string(item.get("message"))]
            return f"{as_string(item.get('type'))}: {'; '.join(filter(None, words))}"
    return as_string(status.get("phase"))
