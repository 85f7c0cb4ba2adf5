"""Values that gateways pass on to Envoy, with their place in Envoy's configuration and whether Envoy may load them.

`envoy --mode validate` has side effects: a Lua filter runs its script, a Wasm or Go filter loads its code, an access
log opens its file, a data source reads a file, a cluster resolves its DNS name. A manifest must not cause any of that.
Envoy therefore loads only values whose types are known to have no side effects. For others only the form is checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.envoy.gateway_config import CLUSTER, HTTP_FILTER, LISTENER, MANAGER, NETWORK_FILTER, with_patch
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_string
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO

_MESSAGES = {
    "BOOTSTRAP": "envoy.config.bootstrap.v3.Bootstrap",
    "CLUSTER": CLUSTER,
    "EXTENSION_CONFIG": "envoy.config.core.v3.TypedExtensionConfig",
    "FILTER_CHAIN": "envoy.config.listener.v3.FilterChain",
    "HTTP_FILTER": HTTP_FILTER,
    "HTTP_ROUTE": "envoy.config.route.v3.Route",
    "LISTENER": LISTENER,
    "LISTENER_FILTER": "envoy.config.listener.v3.ListenerFilter",
    "NETWORK_FILTER": NETWORK_FILTER,
    "ROUTE_CONFIGURATION": "envoy.config.route.v3.RouteConfiguration",
    "VIRTUAL_HOST": "envoy.config.route.v3.VirtualHost",
}
_SAFE_HTTP_FILTERS = (
    "adaptive_concurrency admission_control api_key_auth bandwidth_limit basic_auth buffer compressor cors csrf "
    "custom_response decompressor ext_authz ext_proc fault grpc_http1_bridge grpc_stats grpc_web header_mutation "
    "header_to_metadata health_check json_to_metadata jwt_authn local_ratelimit on_demand ratelimit rbac router "
    "set_filter_state set_metadata stateful_session"
)
_SAFE_TYPES = (
    *(f"envoy.extensions.filters.http.{name}." for name in _SAFE_HTTP_FILTERS.split()),
    "envoy.config.cluster.v3.",
    "envoy.config.core.v3.",
    "envoy.config.endpoint.v3.",
    "envoy.config.listener.v3.",
    "envoy.config.route.v3.",
    "envoy.extensions.compression.",
    "envoy.extensions.filters.network.connection_limit.",
    "envoy.extensions.filters.network.http_connection_manager.",
    "envoy.extensions.filters.network.local_ratelimit.",
    "envoy.extensions.filters.network.rbac.",
    "envoy.extensions.filters.network.tcp_proxy.",
    "envoy.extensions.http.early_header_mutation.",
    "envoy.extensions.http.header_formatters.",
    "envoy.extensions.http.original_ip_detection.",
    "envoy.extensions.http.stateful_session.",
    "envoy.extensions.load_balancing_policies.",
    "envoy.extensions.matching.common_inputs.",
    "envoy.extensions.matching.http_inputs.",
    "envoy.extensions.path.",
    "envoy.extensions.retry.",
    "envoy.extensions.transport_sockets.raw_buffer.",
    "envoy.extensions.transport_sockets.tls.",
    "envoy.extensions.upstreams.http.",
    "envoy.type.",
    "google.protobuf.",
    "xds.type.matcher.",
)
"""Prefixes of types that load no code, open no file and open no connection when Envoy loads them."""
_UNSAFE_FIELDS = frozenset(
    {
        "access_log",
        "config_source",
        "environment_variable",
        "filename",
        "google_grpc",
        "key_log",
        "path_config_source",
        "pipe",
        "private_key_provider",
        "tracing",
        "watched_directory",
    }
)
"""Fields that refer to files, processes or the network, at any depth."""
_TYPE = frozenset({"@type", "type_url"})
_DNS_CLUSTERS = frozenset({"STRICT_DNS", "LOGICAL_DNS"})
_FILTER_ITEM = re.compile(r"\bhttp_filters\[[^\[\]]*(?:\[[^\[\]]*\])?[^\[\]]*\]$")
"""The end of a JSONPath to an item of a list of HTTP filters."""
_ADDING = frozenset({"ADD", "INSERT_AFTER", "INSERT_BEFORE", "INSERT_FIRST", "REPLACE"})


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """A value that a gateway passes on to Envoy.

    Attributes:
        source: The object that contains it.
        path: Its path in the object.
        message: Name of its protobuf message.
        value: The value.
        loadable: Whether it is complete and has no side effects, so that Envoy may load it. Of other values only the
            form is checked.
        pointer: JSON pointer into the listener for a patch of an EnvoyPatchPolicy; otherwise empty.
    """

    source: Manifest
    path: Path
    message: str
    value: object
    loadable: bool
    pointer: str = ""

    @property
    def span(self) -> Span:
        """The place of the value."""
        return self.source.span(*self.path)

    @property
    def text(self) -> str:
        """Return the parts that decide whether Envoy accepts it, as JSON."""
        return json.dumps([self.message, self.loadable, self.pointer, self.value], default=str)


def fragments(manifests: list[Manifest], diagnostics: list[Diagnostic]) -> list[Fragment]:
    """Return every value. Values that are not mappings are reported to ``diagnostics`` and left out."""
    result: list[Fragment] = []
    for manifest in manifests:
        if manifest.kind == "EnvoyFilter" and manifest.group == ISTIO:
            result += _istio_fragments(manifest)
        elif manifest.kind == "EnvoyPatchPolicy" and manifest.group == ENVOY:
            result += _envoy_gateway_fragments(manifest)
    invalid = [manifest for manifest in result if not manifest.pointer and not isinstance(manifest.value, dict)]
    for fragment in invalid:
        message = f"expected a mapping with the fields of {fragment.message.rpartition('.')[2]}"
        diagnostics.append(
            Diagnostic("VSR455", message, fragment.span, "Write the fields of the message as in Envoy's API reference.")
        )
    return [fragment for fragment in result if fragment not in invalid]


def _istio_fragments(source: Manifest) -> Iterator[Fragment]:
    for path, patch in source.entries("spec", "configPatches"):
        body, message = as_mapping(patch.get("patch")), _MESSAGES.get(as_string(patch.get("applyTo")))
        if message is None or "value" not in body:
            continue
        value, operation = body["value"], as_string(body.get("operation"))
        merged = operation == "MERGE" and (message == LISTENER or _is_manager(value))
        complete = merged or (operation in _ADDING and message in {HTTP_FILTER, NETWORK_FILTER, LISTENER, CLUSTER})
        yield Fragment(source, (*path, "patch", "value"), message, value, complete and is_side_effect_free(value))


def _is_manager(value: object) -> bool:
    return as_string(as_mapping(as_mapping(value).get("typed_config")).get("@type")).endswith(MANAGER)


def _envoy_gateway_fragments(source: Manifest) -> Iterator[Fragment]:
    for path, patch in source.entries("spec", "jsonPatches"):
        operation = as_mapping(patch.get("operation"))
        message = as_string(patch.get("type")).rpartition("/")[2]
        if "value" not in operation or operation.get("op") not in {"add", "replace"} or not message:
            continue
        value, where = operation["value"], (*path, "operation", "value")
        pointer = as_string(operation.get("path"))
        if (expression := as_string(operation.get("jsonPath"))) or not pointer:
            # `add` at an item of a list inserts before the item. Other places depend on what the gateway generates.
            inserted = message == LISTENER and not pointer and _FILTER_ITEM.search(expression)
            if inserted:
                yield Fragment(source, where, HTTP_FILTER, value, is_side_effect_free(value))
            if expression:
                continue
            whole = message in {LISTENER, CLUSTER} and is_side_effect_free(value)
            yield Fragment(source, where, message, value, whole)
        elif message == LISTENER and pointer.rpartition("/")[0].endswith("/http_filters"):
            yield Fragment(source, where, HTTP_FILTER, value, is_side_effect_free(value))
        elif message == LISTENER and is_side_effect_free(value) and with_patch(pointer, value) is not None:
            yield Fragment(source, where, LISTENER, value, loadable=True, pointer=pointer)


def is_side_effect_free(value: object) -> bool:
    """Whether Envoy can load a value without running code, reading files or using the network."""
    stack: list[object] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            for key, item in node.items():
                name = snake_case(key) if key != "@type" else key
                if name in _UNSAFE_FIELDS or (
                    name in _TYPE and not as_string(item).rpartition("/")[2].startswith(_SAFE_TYPES)
                ):
                    return False
                # A cluster of these types resolves its names when Envoy loads it.
                if (name == "type" and item in _DNS_CLUSTERS) or name == "cluster_type":
                    return False
                stack.append(item)
        elif isinstance(node, list):
            stack += node
    return True
