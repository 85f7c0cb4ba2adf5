"""L13: inner timeouts that are longer than outer ones."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy_fields import duration_seconds, snake_case
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

_SHORT = 0.2
"""Envoy's default of message_timeout, in seconds."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    shortest: dict[str, tuple[float, Manifest]] = {}
    for route in index.routes:
        for path, _ in route.entries("spec", "rules"):
            request = duration_seconds(route.at(*path, "timeouts", "request"))
            backend = duration_seconds(route.at(*path, "timeouts", "backendRequest"))
            if request and backend and backend > request:
                message = f"{route.title} waits {backend:g} s for a backend but {request:g} s for the whole request"
                span = route.span(*path, "timeouts", "backendRequest")
                yield Diagnostic("VSR413", message, span, "Make backendRequest no longer than request.")
            for namespace, _ in index.gateways_of(route) if request else ():
                if request and (namespace not in shortest or request < shortest[namespace][0]):
                    shortest[namespace] = request, route
    yield from _idle_timeouts(index)
    for processor in ext_proc_filters(index):
        if processor.is_envoy and processor.body_mode != "FULL_DUPLEX_STREAMED":
            yield from _message_timeout(processor, shortest.get(processor.source.namespace))


def _idle_timeouts(index: ManifestIndex) -> Iterator[Diagnostic]:
    idle_timeouts = [
        (source, path, value)
        for source, path in _idle_timeout_paths(index)
        if (value := duration_seconds(source.at(*path)))
    ]
    longest: dict[str, float] = {}
    for route in index.routes if idle_timeouts else ():
        requests = [
            duration_seconds(route.at(*path, "timeouts", "request")) or 0 for path, _ in route.entries("spec", "rules")
        ]
        for namespace, _ in index.gateways_of(route):
            longest[namespace] = max(longest.get(namespace, 0), *requests, 0)
    for source, path, value in idle_timeouts:
        request = longest.get(source.namespace, 0)
        if value < request:
            message = f"the gateway closes a stream that is idle for {value:g} s, but a route waits {request:g} s"
            hint = "Make the idle timeout no shorter than the routes' request timeout."
            yield Diagnostic("VSR413", message, source.span(*path), hint, Severity.WARNING)


def _idle_timeout_paths(index: ManifestIndex) -> Iterator[tuple[Manifest, Path]]:
    for policy in index.of_kind("ClientTrafficPolicy", ENVOY):
        yield policy, ("spec", "timeout", "http", "streamIdleTimeout")
    for manifest in index.of_kind("EnvoyFilter", ISTIO):
        for path, patch in manifest.entries("spec", "configPatches"):
            typed = as_mapping(as_mapping(as_mapping(patch.get("patch")).get("value")).get("typed_config"))
            for key in typed:
                if patch.get("applyTo") == "NETWORK_FILTER" and snake_case(key) == "stream_idle_timeout":
                    yield manifest, (*path, "patch", "value", "typed_config", key)


def _message_timeout(processor: ExtProcFilter, shortest: tuple[float, Manifest] | None) -> Iterator[Diagnostic]:
    source = processor.source
    if not processor.timeout:
        message = "message_timeout is not set: Envoy waits 200 ms for the processor"
        hint = "Set message_timeout, for example to 5s."
        yield Diagnostic("VSR413", message, source.span(*processor.path), hint)
        return
    span, value = source.span(*processor.timeout), duration_seconds(processor.config.get("message_timeout"))
    if value is None:
        message = "message_timeout is not a duration such as `5s`"
        yield Diagnostic("VSR413", message, span, "Write seconds with an `s`.")
        return
    if value <= _SHORT:
        message = f"the processor has only {value:g} s to classify a prompt"
        yield Diagnostic("VSR413", message, span, "Set message_timeout to 1s or more.", Severity.WARNING)
    if shortest is not None and value > shortest[0]:
        message = (
            f"message_timeout is {value:g} s, but {shortest[1].title} allows {shortest[0]:g} s for the whole request"
        )
        yield Diagnostic("VSR413", message, span, "Make it shorter than the routes' request timeout.")
    stream = _stream_timeout(processor)
    if stream is not None and stream < value:
        message = f"the stream to the processor ends after {stream:g} s, before message_timeout ({value:g} s)"
        yield Diagnostic("VSR413", message, span, "Make grpc_service.timeout longer.", Severity.WARNING)


def _stream_timeout(processor: ExtProcFilter) -> float | None:
    service = {snake_case(key): item for key, item in as_mapping(processor.config.get("grpc_service")).items()}
    return duration_seconds(service.get("timeout"))


RULE = LinkRule(
    name="L13",
    code="VSR413",
    purpose="Outer timeouts are longer than inner ones: the request timeout of a route is no shorter than its "
    "`backendRequest` and the processor's `message_timeout`, and the gateway's idle timeout is no shorter than the "
    "request timeout. A processor has a `message_timeout`.",
    check=_check,
)
