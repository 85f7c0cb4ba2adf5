"""L12: a body that the processor buffers fits into the gateway's buffer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import filters, snake
from vsr_compiler.verify.manifest import Manifest, Path, dig, labels, table, text
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, World
from vsr_compiler.verify.router import embedded

_QUANTITY = re.compile(r"(\d{1,15})(|k|M|G|Ki|Mi|Gi)")
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}

_BUFFER: Path = ("spec", "connection", "bufferLimit")
_WINDOW: Path = ("spec", "http2", "initialStreamWindowSize")
_OWN_WINDOW = 64 * 1024
"""Envoy Gateway's, for a stream of HTTP/2, in bytes."""


def rule(world: World) -> Iterator[Diagnostic]:
    """Where bodies are BUFFERED, the gateway's buffer is set: Istio's listeners hold 1 MiB and Envoy Gateway's 32 KiB
    otherwise, and a longer prompt gets 413. It holds what the router takes (`limits.maxBody` of its settings). So does
    the window of an HTTP/2 stream, which Envoy Gateway keeps at 64 KiB.
    """  # noqa: D205 - the whole of it is what users read
    istio = {each.namespace for each in world.of("EnvoyFilter", ISTIO) if _listener(each)}
    envoy = {each.namespace for each in world.of("ClientTrafficPolicy", ENVOY) if each.at(*_BUFFER) is not None}
    wanted = _max_body(world)
    for source, path, size in _sizes(world) if wanted else ():
        if size is not None and size < wanted:
            message = f"the gateway buffers {size:,} bytes and the router takes {wanted:,}: what is between gets 413"
            yield Diagnostic("VSR412", message, source.span(*path), "Make the gateway's limit the router's.")
    yield from _windows(world, wanted)
    for each in filters(world):
        if each.body_mode != "BUFFERED":
            continue
        place, where = each.source.span(*each.path), each.source.namespace
        if each.source.group == ISTIO and where not in istio:
            hint = "Add a LISTENER patch that merges per_connection_buffer_limit_bytes."
            message = "bodies are buffered and the listener's buffer is Envoy's 1 MiB; longer ones get 413"
            yield Diagnostic("VSR412", message, place, hint, Severity.WARNING)
        elif each.source.group == ENVOY and where not in envoy and world.of("Gateway"):
            hint = "Add a ClientTrafficPolicy with connection.bufferLimit to the gateway."
            message = "bodies are buffered and Envoy Gateway's buffer is 32 KiB; longer ones get 413"
            yield Diagnostic("VSR412", message, place, hint)


def _listener(each: Manifest) -> bool:
    return any(
        text(patch.get("applyTo")) == "LISTENER"
        and any(
            snake(key) == "per_connection_buffer_limit_bytes" for key in table(table(patch.get("patch")).get("value"))
        )
        for _, patch in each.each("spec", "configPatches")
    )


def _windows(world: World, wanted: int) -> Iterator[Diagnostic]:
    """Of an HTTP/2 stream Envoy buffers its window and no more, however large the connection's buffer is."""
    for each in _clients(world):
        held = quantity(each.at(*_BUFFER)) or 0
        where = _WINDOW if each.at(*_WINDOW) is not None else _BUFFER
        window = quantity(each.at(*_WINDOW)) if where is _WINDOW else _OWN_WINDOW
        least = min(held, wanted or held)
        if window is not None and window < least:
            message = f"over HTTP/2 the gateway buffers {window:,} bytes, else {held:,}: what is between gets 413"
            hint = f"Set spec.http2.initialStreamWindowSize to what {_BUFFER[-1]} is."
            yield Diagnostic("VSR412", message, each.span(*where), hint, Severity.WARNING)


def _clients(world: World) -> Iterator[Manifest]:
    """What clients of a gateway with a processor are held to, where it sets a buffer."""
    spaces = {each.source.namespace for each in filters(world) if each.body_mode == "BUFFERED"}
    for each in world.of("ClientTrafficPolicy", ENVOY):
        if each.at(*_BUFFER) is not None and each.namespace in spaces:
            yield each


def _sizes(world: World) -> Iterator[tuple[Manifest, Path, int | None]]:
    """The buffers of gateways that have a processor, in bytes."""
    spaces = {each.source.namespace for each in filters(world) if each.body_mode == "BUFFERED"}
    for each in world.of("EnvoyFilter", ISTIO):
        for path, patch in each.each("spec", "configPatches"):
            value = table(table(patch.get("patch")).get("value"))
            key = next((key for key in value if snake(key) == "per_connection_buffer_limit_bytes"), None)
            if key and patch.get("applyTo") == "LISTENER" and each.namespace in spaces:
                yield each, (*path, "patch", "value", key), quantity(value[key])
    for each in _clients(world):
        yield each, _BUFFER, quantity(each.at(*_BUFFER))


def _max_body(world: World) -> int:
    """The longest body that a router among the objects takes; 0 where none says."""
    found = [
        dig(embedded(world, value), "limits", "maxBody")
        for source in world.of("ConfigMap", "")
        for value in labels(source.body.get("data")).values()
        if "maxBody:" in value
    ]
    return max((each for each in found if isinstance(each, int)), default=0)


def quantity(value: object) -> int | None:
    """A size as Kubernetes writes it, in bytes."""
    found = _QUANTITY.fullmatch(str(value))
    return int(found[1]) * _UNITS[found[2]] if found else None
