"""L12: gateway buffers that are smaller than a request body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.ext_proc import ext_proc_filters
from vsr_compiler.verify.manifest import (
    Manifest,
    Path,
    as_mapping,
    as_string,
    as_string_map,
    value_at,
)
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, ManifestIndex
from vsr_compiler.verify.router_config import embedded_document
from vsr_compiler.verify.rules.rule import LinkRule

_QUANTITY = re.compile(r"(\d{1,15})(|k|M|G|Ki|Mi|Gi)")
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
_BUFFER: Path = ("spec", "connection", "bufferLimit")
_WINDOW: Path = ("spec", "http2", "initialStreamWindowSize")
_DEFAULT_WINDOW = 64 * 1024
"""Envoy Gateway's default window of an HTTP/2 stream, in bytes."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    istio = {manifest.namespace for manifest in index.of_kind("EnvoyFilter", ISTIO) if _sets_listener_buffer(manifest)}
    envoy = {
        policy.namespace for policy in index.of_kind("ClientTrafficPolicy", ENVOY) if policy.at(*_BUFFER) is not None
    }
    max_body = _max_body(index)
    for source, path, size in _buffers(index) if max_body else ():
        if size is not None and size < max_body:
            message = f"the gateway buffers {size:,} bytes, but the router accepts {max_body:,}: longer bodies get 413"
            yield Diagnostic("VSR412", message, source.span(*path), "Use the router's limit in the gateway.")
    yield from _windows(index, max_body)
    for processor in ext_proc_filters(index):
        if processor.body_mode != "BUFFERED":
            continue
        span, namespace = processor.source.span(*processor.path), processor.source.namespace
        if processor.source.group == ISTIO and namespace not in istio:
            hint = "Add a LISTENER patch that merges per_connection_buffer_limit_bytes."
            message = "bodies are buffered in the listener's default of 1 MiB; longer ones get 413"
            yield Diagnostic("VSR412", message, span, hint, Severity.WARNING)
        elif processor.source.group == ENVOY and namespace not in envoy and index.of_kind("Gateway"):
            hint = "Add a ClientTrafficPolicy with connection.bufferLimit to the gateway."
            message = "bodies are buffered in Envoy Gateway's default of 32 KiB; longer ones get 413"
            yield Diagnostic("VSR412", message, span, hint)


def _sets_listener_buffer(manifest: Manifest) -> bool:
    return any(
        as_string(patch.get("applyTo")) == "LISTENER"
        and any(
            snake_case(key) == "per_connection_buffer_limit_bytes"
            for key in as_mapping(as_mapping(patch.get("patch")).get("value"))
        )
        for _, patch in manifest.entries("spec", "configPatches")
    )


def _windows(index: ManifestIndex, max_body: int) -> Iterator[Diagnostic]:
    """Check HTTP/2 windows: Envoy buffers no more of a stream than its window, whatever the connection's buffer."""
    for policy in _client_policies(index):
        buffer = size_in_bytes(policy.at(*_BUFFER)) or 0
        path = _WINDOW if policy.at(*_WINDOW) is not None else _BUFFER
        window = size_in_bytes(policy.at(*_WINDOW)) if path is _WINDOW else _DEFAULT_WINDOW
        if window is not None and window < min(buffer, max_body or buffer):
            message = f"over HTTP/2 the gateway buffers {window:,} bytes, otherwise {buffer:,}: longer bodies get 413"
            hint = f"Set spec.http2.initialStreamWindowSize to the value of {_BUFFER[-1]}."
            yield Diagnostic("VSR412", message, policy.span(*path), hint, Severity.WARNING)


def _client_policies(index: ManifestIndex) -> Iterator[Manifest]:
    """Return the ClientTrafficPolicies that set a buffer for a gateway with a processor."""
    namespaces = _buffering_namespaces(index)
    for policy in index.of_kind("ClientTrafficPolicy", ENVOY):
        if policy.at(*_BUFFER) is not None and policy.namespace in namespaces:
            yield policy


def _buffering_namespaces(index: ManifestIndex) -> set[str]:
    return {item.source.namespace for item in ext_proc_filters(index) if item.body_mode == "BUFFERED"}


def _buffers(index: ManifestIndex) -> Iterator[tuple[Manifest, Path, int | None]]:
    """Return the buffers of gateways with a processor, in bytes."""
    namespaces = _buffering_namespaces(index)
    for manifest in index.of_kind("EnvoyFilter", ISTIO):
        for path, patch in manifest.entries("spec", "configPatches"):
            value = as_mapping(as_mapping(patch.get("patch")).get("value"))
            key = next((key for key in value if snake_case(key) == "per_connection_buffer_limit_bytes"), None)
            if key and patch.get("applyTo") == "LISTENER" and manifest.namespace in namespaces:
                yield manifest, (*path, "patch", "value", key), size_in_bytes(value[key])
    for policy in _client_policies(index):
        yield policy, _BUFFER, size_in_bytes(policy.at(*_BUFFER))


def _max_body(index: ManifestIndex) -> int:
    """Return the largest body limit of the routers among the objects; 0 if none sets one."""
    limits = [
        value_at(embedded_document(index, text), "limits", "maxBody")
        for source in index.of_kind("ConfigMap", "")
        for text in as_string_map(source.body.get("data")).values()
        if "maxBody:" in text
    ]
    return max((limit for limit in limits if isinstance(limit, int)), default=0)


def size_in_bytes(value: object) -> int | None:
    """Return a Kubernetes quantity in bytes; None if the value is not one."""
    match = _QUANTITY.fullmatch(str(value))
    return int(match[1]) * _UNITS[match[2]] if match else None


RULE = LinkRule(
    name="L12",
    code="VSR412",
    purpose="If bodies are BUFFERED, the gateway sets its buffer to at least what the router accepts "
    "(`limits.maxBody` of its settings), and the window of an HTTP/2 stream likewise.",
    check=_check,
)
