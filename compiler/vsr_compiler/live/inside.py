"""What runs inside pods, asked through port forwards: the router's configuration, and the gateway's filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_compiler.live import filters
from vsr_compiler.live.conditions import short
from vsr_compiler.live.filters import Proxies
from vsr_compiler.live.forward import ForwardError, Port, get
from vsr_compiler.live.parallel import ask
from vsr_compiler.live.pods import ForbiddenError, PodState, listed
from vsr_compiler.live.served import Served, http_port, served
from vsr_compiler.verify.api_server.client import DryRunClient
from vsr_compiler.verify.manifest import Manifest, as_string, value_at

MAX_PODS = 20
"""Pods of a gateway, and of a router, that are asked at most."""


@dataclass(frozen=True, slots=True)
class EnvoyState:
    """An Envoy of a gateway; ``pod`` is empty if the gateway has none. ``unknown`` is why nothing is known about it."""

    proxies: Proxies
    namespace: str
    pod: str
    faults: tuple[str, ...] = ()
    unknown: str = ""


def served_by(
    client: DryRunClient, deployments: Sequence[Manifest], pods: Iterable[PodState], seconds: float
) -> dict[tuple[str, str], Served | str]:
    """Return what each running pod of the routers serves, or why that is not known."""
    ports = {item.namespace: http_port(item) for item in deployments}
    running = [pod for pod in pods if pod.ready and ports.get(pod.namespace)][:MAX_PODS]

    def one(pod: PodState) -> Served | str:
        try:
            return served(client, Port(pod.namespace, pod.name, ports[pod.namespace] or 0))
        except ForwardError as error:
            return str(error)

    answers = ask(one, running, seconds)
    return {(pod.namespace, pod.name): answer for pod, answer in zip(running, answers, strict=True)}


def envoys(client: DryRunClient, manifests: Sequence[Manifest], seconds: float) -> tuple[EnvoyState, ...]:
    """Return the Envoys of the gateways whose filters the output sets."""
    found = ask(lambda item: _pods(client, item), list(filters.proxies(manifests)), seconds)
    states = [state for own in found for state in own]
    return tuple(ask(lambda state: _asked(client, state), states, seconds))


def _pods(client: DryRunClient, wanted: Proxies) -> list[EnvoyState]:
    for namespace in dict.fromkeys(wanted.namespaces):
        try:
            names = [short(as_string(value_at(pod, "metadata", "name"))) for pod in _running(client, namespace, wanted)]
        except ForbiddenError as error:
            return [EnvoyState(wanted, namespace, "", unknown=str(error))]
        if names:
            return [EnvoyState(wanted, namespace, name) for name in names]
    return [EnvoyState(wanted, wanted.namespaces[0], "", ("it has no running pod",))]


def _running(client: DryRunClient, namespace: str, wanted: Proxies) -> list[Mapping[str, Any]]:
    pods = listed(client, namespace, wanted.labels)
    return [pod for pod in pods if value_at(pod, "status", "phase") == "Running"][:MAX_PODS]


def _asked(client: DryRunClient, state: EnvoyState) -> EnvoyState:
    if not state.pod:
        return state
    try:
        dump = get(client, Port(state.namespace, state.pod, state.proxies.admin), filters.CONFIG_DUMP)
    except ForwardError as error:
        return EnvoyState(state.proxies, state.namespace, state.pod, unknown=str(error))
    return EnvoyState(state.proxies, state.namespace, state.pod, tuple(filters.faults(state.proxies, dump)))
