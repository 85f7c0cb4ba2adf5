"""L14: flags, plugins and configuration are those of the picker's release."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.installed import Istio, control_planes, gateway_api, pooled_routes
from vsr_compiler.verify.manifest import Manifest, Path, dig, labels, rows, text, texts
from vsr_compiler.verify.manifest_index import World, selector
from vsr_compiler.verify.picker_arguments import unknown_flags, unknown_plugins
from vsr_compiler.verify.pickers import Picker, pickers
from vsr_compiler.verify.router import embedded

LLM_D = "llm-d.ai"
_METRICS = (
    "total-queued-requests-metric",
    "total-running-requests-metric",
    "kv-cache-usage-percentage-metric",
    "lora-info-metric",
    "cache-info-metric",
)
_KV = "kv-cache-usage-percentage-metric"
_VARIABLE, _NO_VARIABLE = "ENABLE_GATEWAY_API_INFERENCE_EXTENSION", "ENABLE_GATEWAY_API"
_BUILT_FOR = {(1, 27): (1, 3), (1, 28): (1, 4), (1, 29): (1, 4), (1, 30): (1, 5)}
"""Istio's releases by the Gateway API that each was built for."""
_RELEASE = re.compile(r":v?(\d+)\.(\d+)\.(\d+)")
_BUILT_ON = {(0, 3): (1, 0), (0, 4): (1, 2), (0, 5): (1, 3), (0, 7): (1, 4), (0, 8): (1, 5)}
"""llm-d's scheduler by the inference extension that it was built on; from 0.9 it goes its own way."""


def rule(world: World) -> Iterator[Diagnostic]:
    """A picker gets the flags and plugins that its release has, reads a configuration of the API version that it
    knows, whose profiles use declared plugins, and knows the name of vLLM's KV cache gauge. Istio, where it is among
    the objects, is told by a variable that it has to look at pools, and works with the release of the Gateway API.
    """  # noqa: D205 - the whole of it is what users read
    for picker in pickers(world):
        base = release(text(picker.container.get("image")))
        yield from _split(picker, base)
        yield from unknown_flags(picker)
        if base is not None:
            yield from _metrics(world, picker, base)
        yield from _configuration(world, picker, base)
    for each in control_planes(world):
        yield from _variables(world, each)
        yield from _gateway_api(world, each)


def _variables(world: World, each: Istio) -> Iterator[Diagnostic]:
    if _NO_VARIABLE in each.variables:
        message = f"`{_NO_VARIABLE}` is no variable of Istio's, and does nothing"
        hint = f"Pools need {_VARIABLE}=true; the Gateway API is on without a variable."
        yield Diagnostic("VSR414", message, each.source.span(*each.variables[_NO_VARIABLE][1], key=True), hint)
    if pooled_routes(world) and each.variables.get(_VARIABLE, ("", ()))[0] != "true":
        message = f"{each.source.title} leaves InferencePools alone, so the routes to them lead nowhere"
        yield Diagnostic("VSR414", message, each.source.span("spec"), f"Set {_VARIABLE}=true.")


def _gateway_api(world: World, each: Istio) -> Iterator[Diagnostic]:
    wanted = _BUILT_FOR.get(each.release[:2]) if each.release else None
    for definition, found in gateway_api(world)[:1] if wanted else ():
        if wanted and found[:2] < wanted:
            older, newer = (".".join(map(str, part)) for part in (found, wanted))
            message = f"{each.source.title} was built for the Gateway API {newer}, and this is {older}"
            place = definition.span("metadata", "annotations", "gateway.networking.k8s.io/bundle-version")
            yield Diagnostic("VSR414", message, place, f"Install the definitions of {newer}.", Severity.WARNING)


def release(image: str) -> tuple[int, int] | None:
    """The inference extension's release that a picker's image corresponds to; (1, 9) stands for all later ones."""
    found = _RELEASE.search(image)
    if found is None:
        return None
    number = int(found[1][:4]), int(found[2][:4])
    if "gateway-api-inference-extension" in image:
        return number
    if "llm-d" in image:
        return _BUILT_ON.get(number, (1, 9) if number >= (0, 9) else None)
    return None


def _split(picker: Picker, base: tuple[int, int] | None) -> Iterator[Diagnostic]:
    """Go's `flag` package, up to 1.2, stops reading at `--tracing false`."""
    words = texts(picker.container.get("args"))
    for number, word in enumerate(words):
        if word in {"true", "false"} and number and base is not None and base < (1, 3):
            message = f"`{words[number - 1]} {word}` as two arguments ends the reading of arguments in this release"
            hint = f"Write `{words[number - 1]}={word}`."
            yield Diagnostic("VSR414", message, picker.owner.span(*picker.path, "args", number), hint)


def _metrics(world: World, picker: Picker, base: tuple[int, int]) -> Iterator[Diagnostic]:
    if base >= (1, 4):
        for flag in _METRICS:
            if flag in picker.flags:
                message = f"this release refuses --{flag} and does not start"
                hint = "Remove it; the names of gauges stand in the picker's configuration."
                yield Diagnostic("VSR414", message, picker.owner.span(*picker.flags[flag][1]), hint)
    elif base < (1, 3) and _modern_vllm(world, picker.pool):
        value = picker.flags.get(_KV, ("vllm:gpu_cache_usage_perc", ()))[0]
        if value != "vllm:kv_cache_usage_perc":
            message = f"this picker reads `{value}`, which vLLM has not had since 0.10: its KV cache scores are blind"
            hint = f"Add --{_KV}=vllm:kv_cache_usage_perc, or use a later picker."
            yield Diagnostic("VSR414", message, picker.owner.span(*picker.path), hint)


def _modern_vllm(world: World, pool: Manifest) -> bool:
    images = [
        text(container.get("image"))
        for pods in world.selected(pool.namespace, selector(pool.body, "spec", "selector"))
        for _, container in pods.containers()
    ]
    found = [_RELEASE.search(image) for image in images if "vllm" in image]
    return any(each and (int(each[1][:4]), int(each[2][:4])) >= (0, 10) for each in found)


def _configuration(world: World, picker: Picker, base: tuple[int, int] | None) -> Iterator[Diagnostic]:
    for source, path, body in _files(world, picker):
        if body.get("kind") != "EndpointPickerConfig":
            continue
        place = source.span(*path)
        group = text(body.get("apiVersion")).rpartition("/")[0]
        if base is not None and group == LLM_D and base < (1, 9):
            message = f"{picker.owner.title} does not know configurations of the group `{LLM_D}`"
            yield Diagnostic("VSR414", message, place, "Use inference.networking.x-k8s.io/v1alpha1.")
        plugins = rows(body.get("plugins"))
        yield from unknown_plugins(picker, sorted({text(each.get("type")) for each in plugins}), source, path)
        declared = {text(each.get("name")) or text(each.get("type")) for each in plugins}
        used = {
            text(ref.get("pluginRef"))
            for profile in rows(body.get("schedulingProfiles"))
            for ref in rows(profile.get("plugins"))
        }
        for name in sorted(used - declared):
            message = f"a scheduling profile uses the plugin `{name}`, which is not declared"
            yield Diagnostic("VSR414", message, place, f"It declares {', '.join(sorted(declared)) or 'none'}.")
        if base == (1, 1) and any("hashBlockSize" in (dig(each, "parameters") or {}) for each in plugins):
            message = "this release silently ignores hashBlockSize"
            yield Diagnostic("VSR414", message, place, "It is called blockSize there.", Severity.WARNING)


def _files(world: World, picker: Picker) -> Iterator[tuple[Manifest, Path, dict[str, object]]]:
    key = picker.flags.get("config-file", ("", ()))[0].rpartition("/")[2]
    for volume in rows(picker.pods.spec.get("volumes")):
        name = text(dig(volume, "configMap", "name"))
        source = world.find("", "ConfigMap", picker.owner.namespace, name)
        if source is not None and key in labels(source.body.get("data")):
            yield source, ("data", key), embedded(world, labels(source.body["data"])[key])
