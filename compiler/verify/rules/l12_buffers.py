"""L12: a body that the processor buffers fits into the gateway's buffer."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic, Severity
from compiler.verify.extproc import filters, snake
from compiler.verify.manifest import Manifest, table, text
from compiler.verify.world import ENVOY, ISTIO, World


def rule(world: World) -> Iterator[Diagnostic]:
    """Where bodies are BUFFERED, the gateway's buffer is set: Istio's listeners hold 1 MiB and Envoy Gateway's 32 KiB
    otherwise, and a longer prompt gets 413.
    """  # noqa: D205 - the whole of it is what users read
    istio = {each.namespace for each in world.of("EnvoyFilter", ISTIO) if _listener(each)}
    envoy = {
        each.namespace
        for each in world.of("ClientTrafficPolicy", ENVOY)
        if each.at("spec", "connection", "bufferLimit") is not None
    }
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
