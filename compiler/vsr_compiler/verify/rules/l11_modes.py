"""L11: processing modes that cannot route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.header_matches import model_routes
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_string
from vsr_compiler.verify.manifest_index import AI, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

DUPLEX = "FULL_DUPLEX_STREAMED"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    routes = model_routes(index)
    for processor in ext_proc_filters(index):
        by_header = bool(routes.get(processor.source.namespace))
        if by_header or index.of_kind("AIGatewayRoute", AI):
            yield from _body_mode(index, processor)
        if processor.is_envoy:
            yield from _envoy_config(processor, routed=by_header)
            yield from _early_bodies(processor)
        elif processor.source.kind == "EnvoyExtensionPolicy" and processor.fail_open and processor.body_mode == DUPLEX:
            message = "a processor with full duplex bodies cannot fail open"
            yield Diagnostic("VSR411", message, processor.source.span(*processor.fail_open), "Set failOpen to false.")
    for policy in index.of_kind("AgentgatewayPolicy", "agentgateway.dev"):
        yield from _phase(policy, routed=policy.namespace in routes)


def _body_mode(index: ManifestIndex, processor: ExtProcFilter) -> Iterator[Diagnostic]:
    mode = processor.body_mode
    span = processor.source.span(*processor.path)
    if mode == "BUFFERED_PARTIAL":
        message = "BUFFERED_PARTIAL truncates long bodies, and the processor cannot parse a truncated JSON document"
        yield Diagnostic("VSR411", message, span, "Use BUFFERED, with a sufficient buffer limit.")
    elif mode == "STREAMED":
        reparsed = bool(index.of_kind("AIGatewayRoute", AI))
        why = "works only because Agent Router reads the body again" if reparsed else "is set after they were sent on"
        message = f"the request body is STREAMED: the headers go first, and one that is derived from the body {why}"
        level = Severity.WARNING if reparsed else Severity.ERROR
        yield Diagnostic("VSR411", message, span, "Use BUFFERED.", level)
    elif mode == "NONE" and processor.services:
        message = "the processor does not receive the request body, so it cannot select a model by its content"
        yield Diagnostic("VSR411", message, span, "Use BUFFERED for the request body.", Severity.WARNING)


def _envoy_config(processor: ExtProcFilter, *, routed: bool) -> Iterator[Diagnostic]:
    config, source = processor.config, processor.source
    span = source.span(*processor.path)
    mode = as_mapping(config.get("processing_mode"))
    for side in ("request", "response"):
        if mode.get(f"{side}_body_mode") == DUPLEX and mode.get(f"{side}_trailer_mode") != "SEND":
            message = f"{side}_body_mode {DUPLEX} needs {side}_trailer_mode SEND; Envoy rejects the listener"
            yield Diagnostic("VSR411", message, span, f"Set {side}_trailer_mode to SEND.")
    if DUPLEX in (mode.get("request_body_mode"), mode.get("response_body_mode")):
        if processor.fail_open:
            message = "a processor with full duplex bodies cannot fail open"
            yield Diagnostic("VSR411", message, source.span(*processor.fail_open), "Set failure_mode_allow to false.")
        if config.get("allow_mode_override") is True:
            message = "allow_mode_override has no effect with full duplex bodies"
            yield Diagnostic("VSR411", message, span, "Remove it.", Severity.WARNING)
    if ("grpc_service" in config) == ("http_service" in config):
        message = "exactly one of grpc_service and http_service must be set"
        yield Diagnostic("VSR411", message, span, "Set one of them.")
    no_clear = config.get("disable_clear_route_cache") is True
    if no_clear and "route_cache_action" in config:
        message = "disable_clear_route_cache and route_cache_action exclude each other"
        yield Diagnostic("VSR411", message, span, "Remove disable_clear_route_cache.")
    elif routed and (no_clear or config.get("route_cache_action") == "RETAIN"):
        message = "the route is never chosen again, so the header that the processor sets has no effect"
        yield Diagnostic("VSR411", message, span, "Let the processor clear the route cache.")
    if mode.get("response_body_mode") == "BUFFERED" and config.get("allow_mode_override") is not True:
        message = "BUFFERED responses hold a stream of events back until it ends"
        hint = "Use NONE or STREAMED, or allow_mode_override if the processor requests BUFFERED itself."
        yield Diagnostic("VSR411", message, span, hint, Severity.WARNING)


def _early_bodies(processor: ExtProcFilter) -> Iterator[Diagnostic]:
    mode = as_mapping(processor.config.get("processing_mode"))
    modes = (mode.get("request_body_mode"), mode.get("response_body_mode"))
    if processor.config.get("send_body_without_waiting_for_header_response") is True and "STREAMED" not in modes:
        message = "send_body_without_waiting_for_header_response has an effect on STREAMED bodies only"
        yield Diagnostic("VSR411", message, processor.source.span(*processor.path), "Remove it.", Severity.WARNING)


def _phase(policy: Manifest, *, routed: bool) -> Iterator[Diagnostic]:
    traffic = as_mapping(policy.spec.get("traffic"))
    if traffic.get("extProc") and as_string(traffic.get("phase")) != "PreRouting":
        message = f"{policy.title} runs after the route is chosen"
        level = Severity.ERROR if routed else Severity.WARNING
        yield Diagnostic("VSR411", message, policy.span("spec", "traffic"), "Set `phase: PreRouting`.", level)


RULE = LinkRule(
    name="L11",
    code="VSR411",
    purpose="Processing mode, failure mode and routing fit together: a header that the processor derives from the body "
    "needs BUFFERED or FULL_DUPLEX_STREAMED bodies, the latter with trailers and fail-closed, and the route must be "
    "chosen again after the processor has answered.",
    check=_check,
)
