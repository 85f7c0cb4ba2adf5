"""L13: who waits longest waits outermost."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import Filter, filters, seconds, snake
from vsr_compiler.verify.manifest import Manifest, Path, table
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, World

_SHORT = 0.2


def rule(world: World) -> Iterator[Diagnostic]:
    """A processor has a message_timeout (Envoy's default of 200 ms is too short for a classifier), which is no longer
    than the routes' request timeout; a try at a backend is no longer than the request, and the gateway's idle timeout,
    where it is set, no shorter.
    """  # noqa: D205 - the whole of it is what users read
    shortest: dict[str, tuple[float, Manifest]] = {}
    for route in world.routes:
        for path, _ in route.each("spec", "rules"):
            whole = seconds(route.at(*path, "timeouts", "request"))
            one = seconds(route.at(*path, "timeouts", "backendRequest"))
            if whole and one and one > whole:
                message = f"{route.title} waits {one:g} s for a backend and {whole:g} s for the whole request"
                place = route.span(*path, "timeouts", "backendRequest")
                yield Diagnostic("VSR413", message, place, "Make backendRequest no longer than request.")
            for space, _ in world.gateways(route) if whole else ():
                if whole and (space not in shortest or whole < shortest[space][0]):
                    shortest[space] = whole, route
    yield from _idle(world)
    for each in filters(world):
        if each.is_envoy and each.body_mode != "FULL_DUPLEX_STREAMED":
            yield from _filter(each, shortest.get(each.source.namespace))


def _idle(world: World) -> Iterator[Diagnostic]:
    idles = [(source, path, value) for source, path in _idles(world) if (value := seconds(source.at(*path)))]
    longest: dict[str, float] = {}
    for route in world.routes if idles else ():
        whole = [seconds(route.at(*path, "timeouts", "request")) or 0 for path, _ in route.each("spec", "rules")]
        for space, _ in world.gateways(route):
            longest[space] = max(longest.get(space, 0), *whole, 0)
    for source, path, value in idles:
        if value < longest.get(source.namespace, 0):
            message = f"a stream may be silent for {value:g} s, and a route waits {longest[source.namespace]:g} s"
            hint = "Make it no shorter than the routes' request timeout."
            yield Diagnostic("VSR413", message, source.span(*path), hint, Severity.WARNING)


def _idles(world: World) -> Iterator[tuple[Manifest, Path]]:
    for each in world.of("ClientTrafficPolicy", ENVOY):
        yield each, ("spec", "timeout", "http", "streamIdleTimeout")
    for each in world.of("EnvoyFilter", ISTIO):
        for path, patch in each.each("spec", "configPatches"):
            typed = table(table(table(patch.get("patch")).get("value")).get("typed_config"))
            for key in typed:
                if patch.get("applyTo") == "NETWORK_FILTER" and snake(key) == "stream_idle_timeout":
                    yield each, (*path, "patch", "value", "typed_config", key)


def _filter(each: Filter, shortest: tuple[float, Manifest] | None) -> Iterator[Diagnostic]:
    if not each.timeout:
        message = "no message_timeout is set, and Envoy waits 200 ms for the processor"
        yield Diagnostic("VSR413", message, each.source.span(*each.path), "Set message_timeout, for example to 5s.")
        return
    place, value = each.source.span(*each.timeout), seconds(each.config.get("message_timeout"))
    if value is None:
        yield Diagnostic("VSR413", "message_timeout is no duration such as `5s`", place, "Write seconds with an `s`.")
        return
    if value <= _SHORT:
        message = f"the processor has {value:g} s to classify a prompt"
        yield Diagnostic("VSR413", message, place, "Give it a second or more.", Severity.WARNING)
    if shortest is not None and value > shortest[0]:
        message = f"message_timeout is {value:g} s, and {shortest[1].title} gives a whole request {shortest[0]:g} s"
        yield Diagnostic("VSR413", message, place, "Make it shorter than the routes' request timeout.")
    whole = _grpc(each)
    if whole is not None and whole < value:
        message = f"the stream to the processor ends after {whole:g} s, before message_timeout ({value:g} s)"
        yield Diagnostic("VSR413", message, place, "Make grpc_service.timeout the longer one.", Severity.WARNING)


def _grpc(each: Filter) -> float | None:
    service = {snake(key): item for key, item in table(each.config.get("grpc_service")).items()}
    return seconds(service.get("timeout"))
