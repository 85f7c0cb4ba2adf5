"""L14: flags, plugins and settings that a release does not support."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.releases.breakages import removed_plugins
from vsr_compiler.releases.picker_arguments import FAILING_PLUGINS, PICKER_ARGUMENTS, PickerArguments
from vsr_compiler.verify.istio import ControlPlane, control_planes, gateway_api_bundles
from vsr_compiler.verify.manifest import (
    Manifest,
    Path,
    as_mappings,
    as_string,
    as_string_map,
    as_strings,
    value_at,
)
from vsr_compiler.verify.manifest_index import ManifestIndex, label_selector
from vsr_compiler.verify.pickers import IMAGE_RELEASE, Picker, extension_release, pickers
from vsr_compiler.verify.router_config import embedded_document
from vsr_compiler.verify.rules.rule import LinkRule

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
"""The Gateway API release that each Istio release is built for."""
_IMAGE = re.compile(
    r"/(?:(?P<gie>gateway-api-inference-extension/epp)|llm-d-(?:router-endpoint-picker|inference-scheduler))"
    r":v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})\.\d"
)
_CUSTOM_BUILD = "Remove it, unless the image is a custom build that supports it."


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for picker in pickers(index):
        base = extension_release(as_string(picker.container.get("image")))
        yield from _split_booleans(picker, base)
        yield from _unknown_flags(picker)
        if base is not None:
            yield from _metric_flags(index, picker, base)
        yield from _configuration(index, picker, base)
    for control_plane in control_planes(index):
        yield from _variables(index, control_plane)
        yield from _gateway_api(index, control_plane)


def _variables(index: ManifestIndex, control_plane: ControlPlane) -> Iterator[Diagnostic]:
    source, variables = control_plane.source, control_plane.variables
    if _NO_VARIABLE in variables:
        message = f"`{_NO_VARIABLE}` is not a variable of Istio and has no effect"
        hint = f"Remove it. Set {_VARIABLE}=true for InferencePools; the Gateway API needs no variable."
        yield Diagnostic("VSR414", message, source.span(*variables[_NO_VARIABLE][1], key=True), hint)
    if index.routes_with_pools and variables.get(_VARIABLE, ("", ()))[0] != "true":
        message = f"{source.title} ignores InferencePools, so the routes to them have no backend"
        yield Diagnostic("VSR414", message, source.span("spec"), f"Set {_VARIABLE}=true.")


def _gateway_api(index: ManifestIndex, control_plane: ControlPlane) -> Iterator[Diagnostic]:
    required = _BUILT_FOR.get(control_plane.release[:2]) if control_plane.release else None
    for definition, installed in gateway_api_bundles(index)[:1] if required else ():
        if required and installed[:2] < required:
            older, newer = (".".join(map(str, part)) for part in (installed, required))
            message = f"{control_plane.source.title} is built for the Gateway API {newer}, but this is {older}"
            span = definition.span("metadata", "annotations", "gateway.networking.k8s.io/bundle-version")
            hint = f"Install the CustomResourceDefinitions of {newer}."
            yield Diagnostic("VSR414", message, span, hint, Severity.WARNING)


def _release(picker: Picker) -> tuple[str, tuple[int, int]] | None:
    """Return the family and release in a picker's image, as keys of the tables; None for another image."""
    match = _IMAGE.search(as_string(picker.container.get("image")))
    return match and ("gie" if match["gie"] else "llm-d", (int(match["major"]), int(match["minor"])))


def known_arguments(picker: Picker) -> PickerArguments | None:
    """Return the flags and plugins of the release in a picker's image; None for an unknown image or release."""
    release = _release(picker)
    return PICKER_ARGUMENTS.get(release) if release else None


def _unknown_flags(picker: Picker) -> Iterator[Diagnostic]:
    """Report flags with which the picker does not start."""
    known = known_arguments(picker)
    for name, (_, path) in picker.flags.items() if known else ():
        if known and name not in known.flags:
            message = f"this release does not have the flag --{name[:80]}"
            hint = did_you_mean(name, sorted(known.flags)) or _CUSTOM_BUILD
            yield Diagnostic("VSR414", message, picker.owner.span(*path), hint, Severity.WARNING)


def _unknown_plugins(picker: Picker, types: Iterable[str], source: Manifest, path: Path) -> Iterator[Diagnostic]:
    """Report plugin types with which the picker does not start."""
    known, release = known_arguments(picker), _release(picker)
    removed = removed_plugins((*release[1], 0)) if release and release[0] == "llm-d" else frozenset()
    for name in types if known else ():
        if known and name not in known.plugins and name not in removed:
            message = f"this release does not have the plugin `{name[:80]}`"
            hint = did_you_mean(name, sorted(known.plugins)) or _CUSTOM_BUILD
            yield Diagnostic("VSR414", message, source.span(*path), hint, Severity.WARNING)


def _failing_plugins(picker: Picker, types: Iterable[str], source: Manifest, path: Path) -> Iterator[Diagnostic]:
    """Report plugins that the release has but cannot use."""
    release = _release(picker)
    failing = FAILING_PLUGINS.get(release, {}) if release else {}
    for name in sorted(failing.keys() & set(types)):
        if failing[name] in types:
            message = f"{picker.owner.title} does not start: this release cannot use `{name}` with `{failing[name]}`"
            yield Diagnostic("VSR414", message, source.span(*path), f"Remove `{name}`, or use a later picker.")
        else:
            message = f"`{name}` has no effect without `{failing[name]}`, with which this release does not start"
            hint = f"Remove `{name}`, or use a later picker."
            yield Diagnostic("VSR414", message, source.span(*path), hint, Severity.WARNING)


def _split_booleans(picker: Picker, base: tuple[int, int] | None) -> Iterator[Diagnostic]:
    """Report `--tracing false`: Go's `flag` package, used up to 1.2, stops parsing there."""
    words = as_strings(picker.container.get("args"))
    for number, word in enumerate(words):
        if word in {"true", "false"} and number and base is not None and base < (1, 3):
            message = f"`{words[number - 1]} {word}` as two arguments ends the parsing of flags in this release"
            hint = f"Write `{words[number - 1]}={word}`."
            yield Diagnostic("VSR414", message, picker.owner.span(*picker.path, "args", number), hint)


def _metric_flags(index: ManifestIndex, picker: Picker, base: tuple[int, int]) -> Iterator[Diagnostic]:
    if base >= (1, 4):
        for flag in _METRICS:
            if flag in picker.flags:
                message = f"this release rejects --{flag} and does not start"
                hint = "Remove it; the names of metrics belong to the picker's configuration file."
                yield Diagnostic("VSR414", message, picker.owner.span(*picker.flags[flag][1]), hint)
    elif base < (1, 3) and _has_modern_vllm(index, picker.pool):
        metric = picker.flags.get(_KV, ("vllm:gpu_cache_usage_perc", ()))[0]
        if metric != "vllm:kv_cache_usage_perc":
            message = f"the picker reads `{metric}`, which vLLM removed in 0.10: KV cache scores have no effect"
            hint = f"Add --{_KV}=vllm:kv_cache_usage_perc, or use a later picker."
            yield Diagnostic("VSR414", message, picker.owner.span(*picker.path), hint)


def _has_modern_vllm(index: ManifestIndex, pool: Manifest) -> bool:
    images = [
        as_string(container.get("image"))
        for workload in index.selected_workloads(pool.namespace, label_selector(pool.body, "spec", "selector"))
        for _, container in workload.containers()
    ]
    matches = [IMAGE_RELEASE.search(image) for image in images if "vllm" in image]
    return any(match and (int(match[1][:4]), int(match[2][:4])) >= (0, 10) for match in matches)


def _configuration(index: ManifestIndex, picker: Picker, base: tuple[int, int] | None) -> Iterator[Diagnostic]:
    for source, path, body in _config_files(index, picker):
        if body.get("kind") != "EndpointPickerConfig":
            continue
        span = source.span(*path)
        group = as_string(body.get("apiVersion")).rpartition("/")[0]
        if base is not None and group == LLM_D and base < (1, 9):
            message = f"{picker.owner.title} does not support configurations of the API group `{LLM_D}`"
            yield Diagnostic("VSR414", message, span, "Use inference.networking.x-k8s.io/v1alpha1.")
        plugins = as_mappings(body.get("plugins"))
        types = sorted({as_string(plugin.get("type")) for plugin in plugins})
        yield from _unknown_plugins(picker, types, source, path)
        yield from _failing_plugins(picker, types, source, path)
        declared = {as_string(plugin.get("name")) or as_string(plugin.get("type")) for plugin in plugins}
        used = {
            as_string(ref.get("pluginRef"))
            for profile in as_mappings(body.get("schedulingProfiles"))
            for ref in as_mappings(profile.get("plugins"))
        }
        for name in sorted(used - declared):
            message = f"a scheduling profile uses the plugin `{name}`, which is not declared"
            hint = f"Declare it under `plugins`, or use one of: {', '.join(sorted(declared)) or 'none is declared'}."
            yield Diagnostic("VSR414", message, span, hint)
        if base == (1, 1) and any("hashBlockSize" in (value_at(item, "parameters") or {}) for item in plugins):
            message = "this release ignores hashBlockSize"
            yield Diagnostic("VSR414", message, span, "Use blockSize.", Severity.WARNING)


def _config_files(index: ManifestIndex, picker: Picker) -> Iterator[tuple[Manifest, Path, dict[str, object]]]:
    key = picker.flags.get("config-file", ("", ()))[0].rpartition("/")[2]
    for volume in as_mappings(picker.workload.spec.get("volumes")):
        name = as_string(value_at(volume, "configMap", "name"))
        source = index.find("", "ConfigMap", picker.owner.namespace, name)
        if source is not None and key in as_string_map(source.body.get("data")):
            yield source, ("data", key), embedded_document(index, as_string_map(source.body["data"])[key])


RULE = LinkRule(
    name="L14",
    code="VSR414",
    purpose="An endpoint picker has the flags and plugins of its release, uses none with which it does not start, and "
    "reads a configuration of a supported API version whose profiles use declared plugins, and the KV cache metric "
    "that vLLM exports. An Istio control plane among the objects enables InferencePools, and the installed Gateway API "
    "is as new as Istio requires.",
    check=_check,
)
