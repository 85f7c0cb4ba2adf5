"""The values that gateways hand on to Envoy, and what of Envoy's configuration each of them is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.envoy.safe import loads_nothing
from vsr_compiler.verify.envoy.shapes import CLUSTER, HTTP_FILTER, LISTENER, MANAGER, NETWORK_FILTER, patched
from vsr_compiler.verify.manifest import Manifest, Path, table, text
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO

_APPLIED = {
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
_ADDED = frozenset({"ADD", "INSERT_AFTER", "INSERT_BEFORE", "INSERT_FIRST", "REPLACE"})


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """A value on its way to Envoy.

    Attributes:
        source: The object that it stands in.
        path: Where in it.
        message: The protobuf message that it is.
        value: The value.
        whole: Whether it is complete, so that Envoy may set it up; of others, and of what would load code or read
            files, only the form is checked.
        pointer: For an EnvoyPatchPolicy's listener, where in the listener it is put; empty otherwise.
    """

    source: Manifest
    path: Path
    message: str
    value: object
    whole: bool
    pointer: str = ""

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.source.span(*self.path)

    @property
    def text(self) -> str:
        """All that Envoy is told of it."""
        return json.dumps([self.message, self.whole, self.pointer, self.value], default=str)


def fragments(manifests: list[Manifest], found: list[Diagnostic]) -> list[Fragment]:
    """Every value; what is no mapping where Envoy has a message is found without it."""
    given: list[Fragment] = []
    for each in manifests:
        if each.kind == "EnvoyFilter" and each.group == ISTIO:
            given += _of_istio(each)
        elif each.kind == "EnvoyPatchPolicy" and each.group == ENVOY:
            given += _of_envoy_gateway(each)
    wrong = [each for each in given if not each.pointer and not isinstance(each.value, dict)]
    for one in wrong:
        message = f"this is no mapping, and {one.message.rpartition('.')[2]} is one"
        found.append(Diagnostic("VSR455", message, one.span, "Write the fields of Envoy's API."))
    return [one for one in given if one not in wrong]


def _of_istio(source: Manifest) -> Iterator[Fragment]:
    for path, patch in source.each("spec", "configPatches"):
        body, message = table(patch.get("patch")), _APPLIED.get(text(patch.get("applyTo")))
        if message is None or "value" not in body:
            continue
        value, operation = body["value"], text(body.get("operation"))
        merged = operation == "MERGE" and (message == LISTENER or _is_manager(value))
        complete = merged or (operation in _ADDED and message in {HTTP_FILTER, NETWORK_FILTER, LISTENER, CLUSTER})
        yield Fragment(source, (*path, "patch", "value"), message, value, complete and loads_nothing(value))


def _is_manager(value: object) -> bool:
    return text(table(table(value).get("typed_config")).get("@type")).endswith(MANAGER)


def _of_envoy_gateway(source: Manifest) -> Iterator[Fragment]:
    for path, patch in source.each("spec", "jsonPatches"):
        operation = table(patch.get("operation"))
        message = text(patch.get("type")).rpartition("/")[2]
        if "value" not in operation or operation.get("op") not in {"add", "replace"} or not message:
            continue
        value, where = operation["value"], (*path, "operation", "value")
        pointer = text(operation.get("path"))
        if not pointer:
            whole = message in {LISTENER, CLUSTER} and loads_nothing(value)
            yield Fragment(source, where, message, value, whole)
        elif message == LISTENER and pointer.rpartition("/")[0].endswith("/http_filters"):
            yield Fragment(source, where, HTTP_FILTER, value, loads_nothing(value))
        elif message == LISTENER and loads_nothing(value) and patched(pointer, value) is not None:
            yield Fragment(source, where, LISTENER, value, whole=True, pointer=pointer)
