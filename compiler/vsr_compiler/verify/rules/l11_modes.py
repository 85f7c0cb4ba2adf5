"""L11: the body reaches the processor in a way that lets it choose the route."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import Filter, filters, header_routes
from vsr_compiler.verify.manifest import Manifest, table, text
from vsr_compiler.verify.manifest_index import AI, World

DUPLEX = "FULL_DUPLEX_STREAMED"


def rule(world: World) -> Iterator[Diagnostic]:
    """The processing mode, the failure mode and the way of routing go together as Envoy needs it: a header that is made
    from the body counts only with BUFFERED or FULL_DUPLEX_STREAMED bodies, the latter with trailers sent and
    fail-closed, and only if the route is chosen again.
    """  # noqa: D205 - the whole of it is what users read
    routed = header_routes(world)
    for each in filters(world):
        by_header = routed.get(each.source.namespace, [])
        if by_header or world.of("AIGatewayRoute", AI):
            yield from _routing(world, each)
        if each.is_envoy:
            yield from _envoy(each, routed=bool(by_header))
            yield from _early(each)
        elif each.source.kind == "EnvoyExtensionPolicy" and each.fails_open and each.body_mode == DUPLEX:
            message = "a processor with full duplex bodies cannot fail open"
            yield Diagnostic("VSR411", message, each.source.span(*each.fails_open), "Set failOpen to false.")
    for policy in world.of("AgentgatewayPolicy", "agentgateway.dev"):
        yield from _phase(policy, policy.namespace in routed)


def _routing(world: World, each: Filter) -> Iterator[Diagnostic]:
    mode = each.body_mode
    place = each.source.span(*each.path)
    if mode == "BUFFERED_PARTIAL":
        message = "BUFFERED_PARTIAL cuts bodies off, and the processor cannot read the half of a JSON document"
        yield Diagnostic("VSR411", message, place, "Use BUFFERED, with a buffer limit that fits.")
    elif mode == "STREAMED":
        again = bool(world.of("AIGatewayRoute", AI))
        why = "works only because AI Gateway reads the body again" if again else "comes after the headers have gone on"
        message = f"the request's body is STREAMED, and a header that is made from it {why}"
        level = Severity.WARNING if again else Severity.ERROR
        yield Diagnostic("VSR411", message, place, "Use BUFFERED.", level)
    elif mode == "NONE" and each.services:
        message = "the processor never sees the request's body, so it cannot choose a model by it"
        yield Diagnostic("VSR411", message, place, "Use BUFFERED for the request's body.", Severity.WARNING)


def _envoy(each: Filter, *, routed: bool) -> Iterator[Diagnostic]:
    config, place = each.config, each.source.span(*each.path)
    mode = table(config.get("processing_mode"))
    for side in ("request", "response"):
        if mode.get(f"{side}_body_mode") == DUPLEX and mode.get(f"{side}_trailer_mode") != "SEND":
            message = f"{side}_body_mode {DUPLEX} needs {side}_trailer_mode SEND; Envoy refuses the listener"
            yield Diagnostic("VSR411", message, place, "Set it.")
    if DUPLEX in (mode.get("request_body_mode"), mode.get("response_body_mode")):
        if each.fails_open:
            message = "a processor with full duplex bodies cannot fail open"
            yield Diagnostic("VSR411", message, each.source.span(*each.fails_open), "Set failure_mode_allow to false.")
        if config.get("allow_mode_override") is True:
            message = "allow_mode_override has no effect with full duplex bodies"
            yield Diagnostic("VSR411", message, place, "Remove it.", Severity.WARNING)
    if ("grpc_service" in config) == ("http_service" in config):
        yield Diagnostic("VSR411", "exactly one of grpc_service and http_service must be set", place, "Set one.")
    retained = config.get("disable_clear_route_cache") is True or config.get("route_cache_action") == "RETAIN"
    if config.get("disable_clear_route_cache") is True and "route_cache_action" in config:
        message = "disable_clear_route_cache and route_cache_action exclude each other"
        yield Diagnostic("VSR411", message, place, "Remove the former.")
    elif retained and routed:
        message = "the route is never chosen again, so the header that the processor sets changes nothing"
        yield Diagnostic("VSR411", message, place, "Let the processor clear the route cache.")
    if mode.get("response_body_mode") == "BUFFERED" and config.get("allow_mode_override") is not True:
        message = "BUFFERED responses hold a stream of events back until it ends"
        hint = "Use NONE or STREAMED, or allow_mode_override for a processor that asks for it."
        yield Diagnostic("VSR411", message, place, hint, Severity.WARNING)


def _early(each: Filter) -> Iterator[Diagnostic]:
    mode = table(each.config.get("processing_mode"))
    modes = (mode.get("request_body_mode"), mode.get("response_body_mode"))
    if each.config.get("send_body_without_waiting_for_header_response") is True and "STREAMED" not in modes:
        message = "send_body_without_waiting_for_header_response has an effect on STREAMED bodies only"
        yield Diagnostic("VSR411", message, each.source.span(*each.path), "Remove it.", Severity.WARNING)


def _phase(policy: Manifest, routed: bool) -> Iterator[Diagnostic]:  # noqa: FBT001 - the only thing it is told
    traffic = table(policy.spec.get("traffic"))
    if traffic.get("extProc") and text(traffic.get("phase")) != "PreRouting":
        message = f"{policy.title} runs after the route is chosen"
        level = Severity.ERROR if routed else Severity.WARNING
        yield Diagnostic("VSR411", message, policy.span("spec", "traffic"), "Set `phase: PreRouting`.", level)
