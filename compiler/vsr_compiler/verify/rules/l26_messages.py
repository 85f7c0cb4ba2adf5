"""L26: bodies that are longer than a picker's gRPC server accepts."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.picker_arguments import MESSAGE_FLAG, MESSAGE_LIMIT
from vsr_compiler.verify.by_gateway import by_gateway
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.header_matches import header_matches_of
from vsr_compiler.verify.listeners import Listener, attached_listeners
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_string, as_string_map, value_at
from vsr_compiler.verify.manifest_index import ISTIO, ManifestIndex
from vsr_compiler.verify.pickers import extension_release, pickers
from vsr_compiler.verify.router_config import embedded_document
from vsr_compiler.verify.router_filters import client_policies, filters_of
from vsr_compiler.verify.rules.l12_buffers import size_in_bytes
from vsr_compiler.verify.rules.l14_releases import known_arguments
from vsr_compiler.verify.rules.rule import LinkRule
from vsr_schemas.headers import DECIDED
from vsr_schemas.runtime import FRAME_BYTES


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for picker in pickers(index):
        value, path = picker.flags.get(MESSAGE_FLAG, (str(MESSAGE_LIMIT), picker.path))
        limit = size_in_bytes(value)
        largest = max(_bodies(index, picker.pool), default=0)
        if limit is None or largest + FRAME_BYTES <= limit:
            continue
        message = (
            f"{picker.owner.title} accepts messages of {limit:,} bytes, but the gateway buffers bodies of "
            f"{int(largest):,} for it: longer requests get an empty 500"
        )
        known = known_arguments(picker)
        lower = f"Limit the gateway's buffer and the router's `maxBody` to {limit - FRAME_BYTES}"
        adjustable = MESSAGE_FLAG in (known.flags if known else picker.flags)
        hint = f"Set --{MESSAGE_FLAG}={int(largest) + FRAME_BYTES}." if adjustable else f"{lower}."
        # A custom build may have another limit.
        is_known = extension_release(as_string(picker.container.get("image"))) is not None
        level = Severity.ERROR if is_known or MESSAGE_FLAG in picker.flags else Severity.WARNING
        yield Diagnostic("VSR626", message, picker.owner.span(*path), hint, level)


def _bodies(index: ManifestIndex, pool: Manifest) -> Iterator[float]:
    """Return the longest bodies that gateways pass to a pool's picker in one piece."""
    for route in index.routes_to(pool):
        for listener in attached_listeners(index, route):
            if any(item.body_mode == "BUFFERED" for item in filters_of(index, listener)):
                for buffer in _buffers(index, listener):
                    yield min(buffer, _router_limit(index, _models(index, route, pool)))


def _buffers(index: ManifestIndex, listener: Listener) -> Iterator[int]:
    """Return the buffers that a listener may have, in bytes. Defaults of gateways are shorter than any limit."""

    def of_istio() -> Iterator[tuple[Manifest, int]]:
        for source in index.of_kind("EnvoyFilter", ISTIO):
            for _, patch in source.entries("spec", "configPatches"):
                value = as_mapping(value_at(patch, "patch", "value"))
                key = next((key for key in value if snake_case(key) == "per_connection_buffer_limit_bytes"), None)
                size = size_in_bytes(value[key]) if key and patch.get("applyTo") == "LISTENER" else None
                if size is not None:
                    yield source, size

    yield from by_gateway(index, "listener buffers", of_istio).applying_to(listener.gateway)
    for policy in client_policies(index, listener):
        size = size_in_bytes(value_at(policy.settings, "connection", "bufferLimit"))
        if size is not None:
            yield size


def _models(index: ManifestIndex, route: Manifest, pool: Manifest) -> set[str]:
    """Return the model names by which a route leads to a pool."""
    rules = {
        path[:-2]
        for path, ref in index.backend_refs(route)
        if ref.get("kind") == "InferencePool" and ref.get("name") == pool.name
    }
    matches = header_matches_of(index, route)
    return {match.value for match in matches if match.name != DECIDED and match.rule in rules}


def _router_limit(index: ManifestIndex, models: set[str]) -> float:
    """Return the largest body limit of the routers among the objects for any of these models."""
    limits = index.cached("limits of routers", lambda: _limits(index))
    if not limits.overall:
        return inf
    if not models:
        return max(limit for _, limit in limits.overall)
    own = [limit for model in models for limit in limits.of_models.get(model, {}).values()]
    # Routers without a limit of a model's own have their overall limit for it; these are sorted, the largest first.
    others = (
        next((limit for number, limit in limits.overall if number not in limits.of_models.get(model, {})), 0)
        for model in models
    )
    return max([*own, *others])


class _Limits(NamedTuple):
    """Limits of routers by their number: the overall ones in descending order, and those of each model."""

    overall: list[tuple[int, int]]
    of_models: dict[str, dict[int, int]]


def _limits(index: ManifestIndex) -> _Limits:
    overall: list[tuple[int, int]] = []
    of_models: dict[str, dict[int, int]] = {}
    for source in index.of_kind("ConfigMap", ""):
        for text in as_string_map(source.body.get("data")).values():
            settings = as_mapping(embedded_document(index, text).get("limits")) if "maxBody:" in text else {}
            limit = settings.get("maxBody")
            if not isinstance(limit, int):
                continue
            number = len(overall)
            overall.append((number, limit))
            for model, own in as_mapping(settings.get("models")).items():
                if isinstance(value_at(own, "maxBody"), int):
                    of_models.setdefault(model, {})[number] = value_at(own, "maxBody")
    return _Limits(sorted(overall, key=lambda item: -item[1]), of_models)


RULE = LinkRule(
    name="L26",
    code="VSR626",
    purpose="An endpoint picker accepts the longest body that the gateway buffers and the router passes on to its "
    f"pool. A picker's gRPC server accepts {MESSAGE_LIMIT:,} bytes a message, unless llm-d-router 0.9 or later has "
    f"`--{MESSAGE_FLAG}`; {FRAME_BYTES:,} of them are left for what a message has besides a body.",
    check=_check,
)
