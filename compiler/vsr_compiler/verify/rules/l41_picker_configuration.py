"""L41: plugins, parameters and labels that the release of an endpoint picker does not understand any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages.model import (
    Parameters,
    PickerSetting,
    PickerSettings,
    Plugins,
    PodLabel,
)
from vsr_compiler.verify.manifest import as_mapping, as_string, as_strings
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.release_checks.picker_configs import PickerConfig, picker_configs
from vsr_compiler.verify.rules.rule import LinkRule

_CODE, _ROUTER = "VSR641", "llm-d-router"
_ATTRIBUTES = ("attribute", "attributeKey")
_BY_ATTRIBUTE = frozenset({"endpoint-attribute-filter", "endpoint-attribute-scorer"})


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for config in picker_configs(index):
        types = dict.fromkeys(as_string(plugin.get("type")) for plugin in config.plugins)
        for item, plugins, release in breakages_of(index, _ROUTER, Plugins, config.release):
            for name in (name for name in types if name in plugins.names):
                found, instead = f"the plugin `{name}`", f"`{plugins.names[name]}`"
                yield finding(_CODE, item, release, found, config.source, config.path, instead)
        for item, parameters, release in breakages_of(index, _ROUTER, Parameters, config.release):
            for name, new in _parameters(config, parameters):
                yield finding(_CODE, item, release, f"`{name}`", config.source, config.path, f"`{new}`")
        for item, settings, release in breakages_of(index, _ROUTER, PickerSettings, config.release):
            for found in _SETTINGS[settings.setting](config):
                yield finding(_CODE, item, release, found, config.source, config.path)
    yield from _labels(index)


def _parameters(config: PickerConfig, sign: Parameters) -> Iterator[tuple[str, str]]:
    for plugin in config.plugins:
        if plugin.get("type") in sign.plugins:
            parameters = as_mapping(plugin.get("parameters"))
            yield from ((name, new) for name, new in sign.names.items() if name in parameters)


def _unbounded_queue(config: PickerConfig) -> Iterator[str]:
    gates = {
        gate.partition("=")[0] for gate in as_strings(config.body.get("featureGates")) if not gate.endswith("=false")
    }
    if "flowControl" in gates and "defaultRequestTTL" not in as_mapping(config.body.get("flowControl")):
        yield "flow control"


def _attribute_with_producer(config: PickerConfig) -> Iterator[str]:
    for plugin in config.plugins:
        parameters = as_mapping(plugin.get("parameters"))
        if plugin.get("type") in _BY_ATTRIBUTE and "producer" not in parameters:
            for key in _ATTRIBUTES:
                if "/" in as_string(parameters.get(key)):
                    yield f"`{key}: {as_string(parameters.get(key))[:80]}`"


_SETTINGS: Mapping[PickerSetting, Callable[[PickerConfig], Iterator[str]]] = {
    PickerSetting.UNBOUNDED_QUEUE: _unbounded_queue,
    PickerSetting.ATTRIBUTE_WITH_PRODUCER: _attribute_with_producer,
}


def _labels(index: ManifestIndex) -> Iterator[Diagnostic]:
    for item, sign, release in breakages_of(index, _ROUTER, PodLabel):
        for workload in index.workloads:
            value = workload.labels.get(sign.key, "")
            if value in sign.values:
                path = (*workload.path, "metadata", "labels", sign.key)
                found, instead = f"`{sign.key}: {value}`", f"`{sign.values[value]}`"
                yield finding(_CODE, item, release, found, workload.owner, path, instead)


RULE = LinkRule(
    name="L41",
    code=_CODE,
    purpose="An EndpointPickerConfig has only plugins and parameters that the release of llm-d's picker knows, and "
    "pods have only role labels that it knows. It is read from ConfigMaps, `--config-text`, and values of charts.",
    check=_check,
)
