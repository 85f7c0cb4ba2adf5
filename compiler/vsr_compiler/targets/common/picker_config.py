"""The EndpointPickerConfig of a picker, in the API group and spelling of its release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.pickers import DEFAULT_SCORERS, Disaggregation, Picker
from vsr_compiler.targets.common.pools import settings

CONFIG_FILE = "picker.yaml"
CHOICE = "max-score-picker"


def config(endpoint: ir.Endpoint, release: Picker) -> Body:
    """Return the configuration of a picker. Every plugin that a profile refers to is listed under its own type."""
    pool = settings(endpoint)
    scorers = pool.picker.plugins or DEFAULT_SCORERS
    disaggregation = release.disaggregation if pool.disaggregation else None
    producers = sorted({release.producers[name] for name, _ in scorers if name in release.producers})
    plugins = [{"type": name} for name in (*producers, *(name for name, _ in scorers), CHOICE)]
    plugins += (
        [_plugin(name, parameters) for name, parameters in disaggregation.plugins] if disaggregation else [_single()]
    )
    return {
        "apiVersion": release.config_api,
        "kind": "EndpointPickerConfig",
        "plugins": plugins,
        "schedulingProfiles": [_profile(name, first, scorers) for name, first in _profiles(disaggregation)],
    }


def check(endpoint: ir.Endpoint, release_name: str, release: Picker) -> Iterator[Diagnostic]:
    """VSR312 for scorers, weights and disaggregation that the release does not support."""
    pool = settings(endpoint)
    for name, weight in pool.picker.plugins:
        if name not in release.scorers:
            known = sorted(release.scorers)
            hint = suggest(name, known)
            yield Diagnostic("VSR312", f"{release_name} does not have the scorer `{name}`", pool.span, hint)
        elif release.whole_weights and weight != int(weight):
            message = f"{release_name} requires whole weights, but `{name}` has {weight:g}"
            yield Diagnostic("VSR312", message, pool.span, "Multiply all weights by one factor until they are whole.")
    if pool.disaggregation:
        yield from _check_disaggregation(endpoint, pool, release_name, release)


def _check_disaggregation(
    endpoint: ir.Endpoint, pool: ir.Pool, release_name: str, release: Picker
) -> Iterator[Diagnostic]:
    if release.disaggregation is None:
        message = f"{release_name} does not support disaggregation of prefill and decode"
        yield Diagnostic("VSR312", message, pool.span, "Use the target llm-d with llm-d-router 0.10.0.")
    elif endpoint.server is not None and endpoint.server.replicas < 2:  # noqa: PLR2004 - one of each role
        message = f"`{endpoint.name}` has one replica, but disaggregation needs a prefill and a decode server"
        yield Diagnostic("VSR312", message, pool.span, "Give its server 2 replicas or more.")


def _single() -> Body:
    return {"type": "single-profile-handler"}


def _plugin(name: str, parameters: Mapping[str, object]) -> Body:
    return {"type": name} | ({"parameters": dict(parameters)} if parameters else {})


def _profiles(disaggregation: Disaggregation | None) -> tuple[tuple[str, str | None], ...]:
    return disaggregation.profiles if disaggregation else (("default", None),)


def _profile(name: str, filter_name: str | None, scorers: tuple[tuple[str, float], ...]) -> Body:
    """Return a scheduling profile: filters before scorers. Whole weights are integers, which older releases require."""
    refs: list[Body] = [{"pluginRef": filter_name}] if filter_name else []
    for scorer, weight in scorers:
        refs.append({"pluginRef": scorer, "weight": int(weight) if weight == int(weight) else weight})
    return {"name": name, "plugins": [*refs, {"pluginRef": CHOICE}]}
