"""What a pod of the router serves, by its metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vsr_compiler.live.forward import Port, get
from vsr_compiler.verify.api_server.client import DryRunClient
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, value_at

METRICS = "/metrics"
HTTP = "http"
_DIGEST = re.compile(r'^config_generation_info\{sha256="([0-9a-f]{64})"\} 1(?:\.0)?$', re.MULTILINE)
_RELOAD = re.compile(r"^config_last_reload_success (\d)(?:\.0)?$", re.MULTILINE)
_WAITING = re.compile(r"^vsr_engine_waiting_tokens ([0-9.]{1,20})$", re.MULTILINE)
_ERRORS = re.compile(r"^llm_request_errors_total\{[^}\n]{0,400}\} ([0-9.e+]{1,20})$", re.MULTILINE)
MAX_SERIES = 10_000


@dataclass(frozen=True, slots=True)
class Served:
    """What a pod serves.

    Attributes:
        digests: The sha256 of the configurations that its processes serve; empty if it does not report one.
        reloaded: Whether it took the files that it has now.
        waiting: Tokens that wait for its inference engine.
        errors: Requests that ended with an error since it started.
    """

    digests: tuple[str, ...]
    reloaded: bool
    waiting: int
    errors: int


def http_port(deployment: Manifest) -> int | None:
    """Return the port of a router's metrics; None if it has none."""
    for container in as_mappings(value_at(as_mapping(deployment.spec), "template", "spec", "containers")):
        for port in as_mappings(container.get("ports")):
            if port.get("name") == HTTP and isinstance(port.get("containerPort"), int):
                return int(port["containerPort"])
    return None


def served(client: DryRunClient, port: Port) -> Served:
    """Return what a pod serves. Raises ``ForwardError`` if it cannot be asked."""
    return parse(get(client, port, METRICS).decode(errors="replace"))


def parse(text: str) -> Served:
    """Return what metrics say."""
    errors = sum(float(match[1]) for _, match in zip(range(MAX_SERIES), _ERRORS.finditer(text), strict=False))
    waiting = _WAITING.search(text)
    reload = _RELOAD.search(text)
    return Served(
        tuple(sorted(set(_DIGEST.findall(text)))),
        reload is None or reload[1] != "0",
        int(float(waiting[1])) if waiting and waiting[1].replace(".", "", 1).isdigit() else 0,
        int(errors),
    )
