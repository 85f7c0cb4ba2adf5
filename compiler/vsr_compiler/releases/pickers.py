"""Releases of endpoint pickers by project: image, flags, configuration, plugins and access rights.

The facts are in `data/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vsr_compiler.releases.data import Table, build

LLM_D_ROUTER = "llm-d-router"
LEGACY, LLM_D = "inference.networking.x-k8s.io", "llm-d.ai"


@dataclass(frozen=True, slots=True)
class Disaggregation:
    """Disaggregation of prefill and decode: plugins with parameters, profiles with their filters, and the sidecar."""

    plugins: tuple[tuple[str, Mapping[str, object]], ...]
    profiles: tuple[tuple[str, str], ...]
    sidecar_image: str
    sidecar_args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picker:
    """A release of an endpoint picker.

    Attributes:
        image: The image.
        config_api: The apiVersion of its EndpointPickerConfig.
        flags: Flags that differ by release, with their values.
        kv_metric_flag: Whether a flag must name vLLM's gauge; later releases reject the flag.
        scorers: The scorers that a policy can use.
        whole_weights: Whether weights must be integers.
        producers: By scorer, the plugin that produces its data and must be configured as well.
        watches: Resources besides pods and pools that it reads, by API group. Their CRDs must be installed.
        without: API groups among them whose CRDs may be absent.
        message_flag: The flag that raises the limit of a gRPC message, ``picker_arguments.MESSAGE_LIMIT``; empty if the
            release has none.
        disaggregation: None if the release or this table does not support it.
    """

    image: str
    config_api: str
    flags: Mapping[str, str]
    kv_metric_flag: bool
    scorers: frozenset[str]
    whole_weights: bool
    producers: Mapping[str, str]
    watches: Mapping[str, tuple[str, ...]]
    without: frozenset[str] = frozenset()
    message_flag: str = ""
    disaggregation: Disaggregation | None = None


DEFAULT_SCORERS: tuple[tuple[str, float], ...] = (
    ("kv-cache-utilization-scorer", 2),
    ("prefix-cache-scorer", 3),
    ("queue-scorer", 2),
)
"""The defaults of the projects' charts. A scorer without a weight would count 1."""


def _picker(section: Mapping[str, Any], release: str) -> Picker:
    """Return the picker of a section of a project's file: images have the release as tag."""
    given = section.get("disaggregation")
    disaggregation = None
    if given is not None:
        disaggregation = Disaggregation(
            plugins=tuple((name, parameters) for name, parameters in given["plugins"]),
            profiles=tuple((name, plugin) for name, plugin in given["profiles"]),
            sidecar_image=f"{given['sidecar-image']}:v{release}",
            sidecar_args=tuple(given["sidecar-args"]),
        )
    return build(Picker, {**section, "image": f"{section['image']}:v{release}", "disaggregation": disaggregation})


PICKERS: Mapping[str, Mapping[str, Picker]] = MappingProxyType(
    {name: Table(name, _picker, "picker") for name in ("inference-extension", LLM_D_ROUTER)}
)
"""By project and release. Releases of the inference extension without a picker are not in it."""


def picker_project(project: str, versions: Mapping[str, str]) -> str:
    """Return the project of the endpoint pickers: since 1.6 the inference extension is an API without a picker.

    Args:
        project: The project whose pickers a target asks for.
        versions: The releases of a policy.
    """
    return project if versions[project] in PICKERS[project] else LLM_D_ROUTER
