"""Breakages: what releases change for objects that were right before, by project and release."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.releases.breakages import (
    ai_gateway,
    envoy_gateway,
    gateway_api,
    inference_extension,
    istio,
    llm_d_router,
    vllm,
)
from vsr_compiler.releases.breakages.model import Breakage, Plugins, Requirement
from vsr_compiler.releases.breakages.requirements import REQUIREMENTS
from vsr_compiler.releases.numbers import Numbers, numbers

__all__ = ["BREAKAGES", "REQUIREMENTS", "Breakage", "Requirement", "applies", "between", "removed_plugins"]

BREAKAGES: tuple[Breakage, ...] = (
    *gateway_api.BREAKAGES,
    *inference_extension.BREAKAGES,
    *istio.BREAKAGES,
    *envoy_gateway.BREAKAGES,
    *ai_gateway.BREAKAGES,
    *llm_d_router.BREAKAGES,
    *vllm.BREAKAGES,
)
"""Every breakage, by project."""


def applies(item: Breakage | Requirement, release: Numbers) -> bool:
    """Whether a release has a change."""
    return at_least(release, item.since) and not (item.until and at_least(release, item.until))


def at_least(release: Numbers, least: str) -> bool:
    """Whether a release is another one or a later one."""
    return release >= (numbers(least) or ())


def between(component: str, old: str, new: str) -> Iterator[Breakage]:
    """Yield the changes that a later release has and an earlier one does not."""
    before, after = numbers(old), numbers(new)
    for item in BREAKAGES if after else ():
        is_new = before is None or not applies(item, before)
        if after and item.component == component and is_new and applies(item, after):
            yield item


def removed_plugins(release: Numbers) -> frozenset[str]:
    """Return the plugins that a release of llm-d's picker does not have any more, for which a breakage says more."""
    rows = (item for item in BREAKAGES if item.component == "llm-d-router" and applies(item, release))
    return frozenset(name for item in rows if isinstance(item.sign, Plugins) for name in item.sign.names)
