"""The renders of a compile: one per target, and one per environment that differs from its base."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vsr_compiler import ir
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.pipeline.router_files import file_text
from vsr_compiler.routerconfig import SETTINGS
from vsr_compiler.routerconfig.vsr_runtime import settings_for, with_limits
from vsr_compiler.targets import TARGETS, Rendered, Target, render
from vsr_compiler.targets.advisories import advisories
from vsr_compiler.targets.common import candidate
from vsr_compiler.targets.common.request_limits import RequestLimits


@dataclass(frozen=True, slots=True)
class EnvironmentRender:
    """An environment, the policy as it resolves there, and its render."""

    environment: ir.Environment
    target: Target
    policy: ir.Policy
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class HostRender:
    """An environment that is one machine, the policy as it has it, and what the checks report."""

    environment: ir.Environment
    target: Target
    host: ir.Host
    policy: ir.Policy
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class Renders:
    """Every render of a compile: one per target, and one per environment whose policy differs from the base's."""

    bases: Mapping[str, Rendered]
    environments: tuple[EnvironmentRender, ...]
    hosts: tuple[HostRender, ...]

    @property
    def environment_notices(self) -> list[Diagnostic]:
        """The notices of the environments, each once, in the order of the environments."""
        return list(dict.fromkeys(notice for item in self.places for notice in item.rendered.notices))

    @property
    def places(self) -> tuple[EnvironmentRender | HostRender, ...]:
        """Every environment, on clusters and on hosts."""
        return (*self.environments, *self.hosts)

    @property
    def errors(self) -> list[Diagnostic]:
        """What some target cannot do, each once."""
        everything = (*self.bases.values(), *(item.rendered for item in self.places))
        return list(dict.fromkeys(error for rendered in everything for error in rendered.errors))


def render_policy(policy: ir.Policy, bodies: dict[str, Any]) -> Renders:
    """Render the base of every target, and every environment.

    Args:
        policy: The linked policy, with its router files if those are to be in the ConfigMap.
        bodies: The router's YAML files by their text; the settings of environments are added.
    """
    bases = {name: _render_base(policy, TARGETS[name], bodies) for name in policy.targets}
    environments = []
    for environment in policy.environments:
        own = overlays.resolve(policy, environment)
        target = TARGETS[environment.target]
        if own is policy:
            rendered = bases[target.name]
        else:
            own = _with_candidate(policy, own, target, bodies, partial(_at, environment))
            rendered = _render_one(policy, own, target, bodies)
        environments.append(EnvironmentRender(environment, target, own, rendered))
    return Renders(bases, tuple(environments), tuple(_hosts(policy, bodies)))


def _hosts(policy: ir.Policy, bodies: dict[str, Any]) -> Iterator[HostRender]:
    """Yield the hosts, each with the policy and the runtime settings that hold there."""
    if not policy.hosts:
        return
    from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

    for environment in policy.hosts:
        if environment.host is not None:
            place = partial(_on_host, environment)
            seen = _with_candidate(policy, compose.on_host(policy, environment), compose.TARGET, bodies, place)
            rendered = _render_one(policy, seen, compose.TARGET, bodies)
            own = _with_own_settings(policy, seen, compose.TARGET, bodies)
            max_body = compose.TARGET.request_limits(own).max_body
            own = replace(own, router=replace(own.router, max_body=max_body))
            yield HostRender(environment, compose.TARGET, environment.host, own, rendered)


def _render_one(policy: ir.Policy, own: ir.Policy, target: Target, bodies: dict[str, Any]) -> Rendered:
    """Render a target with the runtime settings that hold there.

    Args:
        policy: The policy of the base, whose router files are those in ``router/``.
        own: The policy to render: that of the base, or as an environment resolves it.
        target: The target.
        bodies: The router's YAML files by their text; the new settings are added.
    """
    own = _with_own_settings(policy, own, target, bodies)
    rendered = render(target, own)
    other = own.candidate
    if other is None or rendered.errors:
        return rendered
    by_itself = render(target, other)
    found = [*candidate.check(own, other), *by_itself.errors]
    found = found or [*candidate.compare(own, rendered.objects, by_itself.objects)]
    return replace(rendered, notices=tuple(sorted((*rendered.notices, *found), key=lambda notice: notice.order)))


def _render_base(policy: ir.Policy, target: Target, bodies: dict[str, Any]) -> Rendered:
    return _render_one(policy, _with_candidate(policy, policy, target, bodies, lambda other: other), target, bodies)


def _with_candidate(
    policy: ir.Policy,
    own: ir.Policy,
    target: Target,
    bodies: dict[str, Any],
    at: Callable[[ir.Policy], ir.Policy],
) -> ir.Policy:
    """Return a policy with its candidate as its place has it.

    Args:
        policy: The policy of the base.
        own: The policy as the place has it.
        target: The target.
        bodies: The router's YAML files by their text; the new settings are added.
        at: Returns a policy as the place has it.
    """
    known = own.router.candidate
    if known is None:
        return own
    base = policy.candidates[known.name]
    moved = at(base)
    seen = _with_own_settings(base, replace(moved, router=replace(moved.router, candidate=None)), target, bodies)
    return replace(own, candidates={**own.candidates, known.name: seen})


def _at(environment: ir.Environment, policy: ir.Policy) -> ir.Policy:
    return overlays.resolve(policy, environment)


def _on_host(environment: ir.Environment, policy: ir.Policy) -> ir.Policy:
    from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

    return compose.on_host(policy, environment)


def _with_own_settings(policy: ir.Policy, own: ir.Policy, target: Target, bodies: dict[str, Any]) -> ir.Policy:
    """Return a policy with its own runtime settings, if it changes a checkpoint's device or the target has limits."""
    if SETTINGS not in policy.router.files:
        return own
    common = bodies[policy.router.files[SETTINGS].decode()]
    same = own.classifiers == policy.classifiers and not own.limits
    body = common if same else settings_for(common, own)
    limits = target.request_limits(own)
    if limits != RequestLimits(policy.router.max_body, {}):
        body = with_limits(body, limits.max_body, limits.models, limits.apis)
    if target.routing is not None:
        body = {**body, "routing": target.routing(own).model_dump(mode="json", exclude_none=True)}
    if body == common:
        return own
    text = file_text(body, policy.span)
    bodies[text.decode()] = body
    return replace(own, router=replace(own.router, files={**own.router.files, SETTINGS: text}))


def advisories_of(policy: ir.Policy, renders: Renders, today: dt.date | None) -> list[Diagnostic]:
    """Return the warnings about releases of the environments, each once; of the bases if there is no environment."""
    if today is None or renders.errors:
        return []
    found: list[Diagnostic] = []
    for item in renders.places:
        span = _releases_span(policy, item.environment)
        found += advisories(item.target, item.policy, item.rendered.objects, today, span)
    if not renders.places:
        for name, rendered in renders.bases.items():
            found += advisories(TARGETS[name], policy, rendered.objects, today, policy.gateway.span)
    return list(dict.fromkeys(found))


def _releases_span(policy: ir.Policy, environment: ir.Environment) -> Span:
    """Return where the releases of an environment are set: there, or at the gateway."""
    own = environment.versions and environment.versions != policy.versions
    return environment.span if own else policy.gateway.span


def other_releases(policy: ir.Policy, renders: Renders) -> dict[str, dict[str, str]]:
    """Return the releases of each overlay that differ from the policy's, by the folder of the overlay."""
    folders: dict[str, EnvironmentRender | HostRender] = {
        overlays.overlay_path(item.environment): item for item in renders.environments
    }
    if renders.hosts:
        from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

        folders |= {compose.folder(item.environment): item for item in renders.hosts}
    differing = {folder: _differing(item.policy.versions, policy.versions) for folder, item in sorted(folders.items())}
    return {folder: releases for folder, releases in differing.items() if releases}


def _differing(own: Mapping[str, str], common: Mapping[str, str]) -> dict[str, str]:
    """Return the releases that an environment sets for itself, sorted by project."""
    return {project: release for project, release in sorted(own.items()) if common.get(project) != release}
