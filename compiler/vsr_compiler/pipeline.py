"""The compiler from policy text to output tree: read, link, analyse, render, lay out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsr_compiler import ir
from vsr_compiler.analysis import analyse
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import CODES, CompileError, Diagnostic, Severity, Span
from vsr_compiler.heads.compile import compile_heads, untrained_settings
from vsr_compiler.link import link
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.objects import Object
from vsr_compiler.manifests.tree import File, Tree
from vsr_compiler.manifests.yaml import Json, UnprintableError, dump, header
from vsr_compiler.routerconfig import CONFIG, SETTINGS
from vsr_compiler.routerconfig.loading import check_loading
from vsr_compiler.routerconfig.semantic_router import stock_body
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings, settings_for, with_limits
from vsr_compiler.syntax.data import parse
from vsr_compiler.syntax.ignores import ignores, silence, unsilenced
from vsr_compiler.syntax.imports import PolicyFiles, Texts, read_files
from vsr_compiler.syntax.text import read
from vsr_compiler.targets import TARGETS, Rendered, Target, environment_targets, profiles, render
from vsr_compiler.targets.advisories import advisories
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.request_limits import RequestLimits
from vsr_schemas.policy.v1alpha1 import PolicySpec
from vsr_schemas.version import VERSION

if TYPE_CHECKING:
    from vsr_compiler.deploy import compose
    from vsr_compiler.deploy.charts import InstalledChart

Existing = Callable[[str], bytes | None]
"""Reads a file of the policy's existing output by path; returns None if there is none."""
_REPORTED_LATER = frozenset(name for name, code in CODES.items() if code.reported_after_check)
"""Codes that only a compile, its tests or `verify` report: a comment that silences one is not ineffective."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compile.

    Attributes:
        policy: The linked policy, with the router's files in it.
        tree: Every file.
        lock: The tree's lock.
        objects: The objects in the tree by the paths of their files.
        values: Helm values by the paths of their files.
        patched: The objects that patches change, as they are afterwards, by the paths of the patches.
        environments: All objects of each environment, as kustomize builds them, by its name.
        warnings: Findings that do not prevent the compile.
    """

    policy: ir.Policy
    tree: Tree
    lock: Lock
    objects: Mapping[str, Object]
    values: Mapping[str, Values]
    patched: Mapping[str, Object]
    environments: Mapping[str, tuple[Object, ...]]
    warnings: tuple[Diagnostic, ...]

    @property
    def applied_objects(self) -> Iterator[Object]:
        """Every object of every environment and component, once."""
        everything = (*self.objects.values(), *(item for objects in self.environments.values() for item in objects))
        yield from {id(item.body): item for item in everything}.values()


def read_policy(
    path: Path, revise: Callable[[PolicySpec], PolicySpec] | None = None, *, texts: Texts = read
) -> ir.Policy:
    """Parse, link and analyse a policy file. The policy carries the warnings.

    Args:
        path: The file.
        revise: Changes what the file says before it is linked, such as the releases.
        texts: Returns the text of a file: from the disk, or as an editor has it.

    Raises:
        CompileError: With every finding of the first stage that fails, including its warnings.
    """
    files = read_files(path, texts)
    try:
        spec = parse(files.union, PolicySpec)
        policy = link(files.union, spec if revise is None else revise(spec), profiles())
    except CompileError as error:
        raise CompileError(_silenced(error.diagnostics, files, complete=False)) from None
    diagnostics = _silenced(analyse(policy, environment_targets()), files, complete=True)
    if any(item.level is Severity.ERROR for item in diagnostics):
        raise CompileError(diagnostics)
    marks = tuple(mark for document in files.documents for mark in ignores(document.text, document.name))
    return replace(policy, warnings=tuple(diagnostics), ignores=marks, imports=_imports(path, files))


def _silenced(diagnostics: Iterable[Diagnostic], files: PolicyFiles, *, complete: bool) -> list[Diagnostic]:
    """Return the findings that no comment silences, in any of the files."""
    remaining = list(diagnostics)
    for document in files.documents:
        remaining = silence(remaining, document.text, document.name, complete=complete, later=_REPORTED_LATER)
    return remaining


def _imports(path: Path, files: PolicyFiles) -> tuple[ir.Import, ...]:
    return tuple(
        ir.Import(
            fragment.document.name,
            Path(os.path.relpath(fragment.document.name, path.parent)).as_posix(),
            fragment.owner,
            fragment.sha256,
            fragment.span,
        )
        for fragment in files.fragments
    )


def findings(path: Path, today: dt.date | None = None, *, texts: Texts = read) -> list[Diagnostic]:
    """Return every finding about a policy file, errors and warnings, sorted by place.

    Args:
        path: The file.
        today: The day on which releases are judged; None to leave it out.
        texts: Returns the text of a file: from the disk, or as an editor has it.
    """
    try:
        policy = read_policy(path, texts=texts)
    except CompileError as error:
        return error.diagnostics
    refused = [] if isinstance(policy.router.implementation, ir.SemanticRouter) else _loading_errors(policy)
    renders = _render(policy, {})
    advisories_of = unsilenced(_advisories(policy, renders, today), policy.ignores)
    return sorted([*policy.warnings, *refused, *renders.errors, *advisories_of], key=lambda item: item.order)


def preview(policy: ir.Policy) -> list[Object]:
    """Return the objects of a policy's targets without the router's files, for which heads would be trained."""
    return [item for rendered in _render(policy, {}).bases.values() for item in rendered.objects]


def compile_policy(
    policy: ir.Policy, existing: Existing, *, rebuild: bool = False, today: dt.date | None = None
) -> Compiled:
    """Render everything in memory; nothing is written here.

    Args:
        policy: The linked policy.
        existing: Reads the existing output, whose classifier heads are reused if they are still valid.
        rebuild: Train every classifier head, even if its inputs are unchanged.
        today: The day on which releases are judged; None to leave it out.

    Raises:
        CompileError: VSR3xx if a target cannot do what the policy asks, VSR5xx if a classifier head cannot be trained,
            VSR4xx if the objects do not fit together.
    """
    from vsr_compiler.deploy import argocd, flux, sandbox  # noqa: PLC0415 - only for a compile

    try:
        policy, bodies = _with_router_files(policy, existing, rebuild=rebuild)
    except CompileError as error:
        raise CompileError([*error.diagnostics, *_render(policy, {}).errors]) from None
    renders = _render(policy, bodies)
    if renders.errors:
        raise CompileError(renders.errors)
    manifests = _manifests(policy, renders)
    link_warnings = _check_links(policy, manifests, renders, bodies)
    own_charts = _charts(policy, renders)
    argo = argocd.emit(policy, manifests.environments, own_charts) if policy.environments else argocd.NOTHING
    fluxcd = flux.emit(policy, manifests.environments, own_charts)
    objects = manifests.objects | argo.objects | fluxcd.objects
    files = [File(f"router/{name}", data) for name, data in policy.router.files.items()]
    files += [File(path, _text(item.body, item.origin), item.identity) for path, item in objects.items()]
    others = {**manifests.others, **argo.kustomizations, **fluxcd.kustomizations}
    files += [File(path, _text(body, policy.span)) for path, body in others.items()]
    files += [File(path, _text(item.body, item.origin)) for path, item in manifests.values.items()]
    if not isinstance(policy.router.implementation, ir.SemanticRouter):  # the sandbox runs our runtime
        files.append(File("local/envoy.yaml", _text(sandbox.bootstrap(policy), policy.span)))
        files.append(File("local/sandbox.yaml", _text(sandbox.settings(policy), policy.span)))
    for item in renders.hosts:
        files += [File(path, data) for path, data in _host_files(item).items()]
    tree = Tree(files)
    lock = Lock.of(
        tree,
        tool=VERSION,
        tables=policy.versions,
        policy=policy.name,
        policy_sha256=policy.sha256,
        overlays=_other_releases(policy, renders),
        imports={item.path: {"owner": item.owner, "sha256": item.sha256} for item in policy.imports},
    )
    later = (*link_warnings, *argo.warnings, *_advisories(policy, renders, today))
    warnings = tuple(unsilenced((*policy.warnings, *renders.environment_notices, *later), policy.ignores))
    return Compiled(policy, tree, lock, objects, manifests.values, manifests.patched, manifests.environments, warnings)


@dataclass(frozen=True, slots=True)
class _Environment:
    """An environment, the policy as it resolves there, and its render."""

    environment: ir.Environment
    target: Target
    policy: ir.Policy
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class _Host:
    """An environment that is one machine, the policy as it has it, and what the checks report."""

    environment: ir.Environment
    target: Target
    host: ir.Host
    policy: ir.Policy
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class _Renders:
    """Every render of a compile: one per target, and one per environment whose policy differs from the base's."""

    bases: Mapping[str, Rendered]
    environments: tuple[_Environment, ...]
    hosts: tuple[_Host, ...]

    @property
    def environment_notices(self) -> list[Diagnostic]:
        """The notices of the environments, each once, in the order of the environments."""
        return list(dict.fromkeys(notice for item in self.places for notice in item.rendered.notices))

    @property
    def places(self) -> tuple[_Environment | _Host, ...]:
        """Every environment, on clusters and on hosts."""
        return (*self.environments, *self.hosts)

    @property
    def errors(self) -> list[Diagnostic]:
        """What some target cannot do, each once."""
        everything = (*self.bases.values(), *(item.rendered for item in self.places))
        return list(dict.fromkeys(error for rendered in everything for error in rendered.errors))


def _render(policy: ir.Policy, bodies: dict[str, Any]) -> _Renders:
    """Render the base of every target, and every environment.

    Args:
        policy: The linked policy, with its router files if those are to be in the ConfigMap.
        bodies: The router's YAML files by their text; the settings of environments are added.
    """
    bases = {name: _render_one(policy, policy, TARGETS[name], bodies) for name in policy.targets}
    environments = []
    for environment in policy.environments:
        own = overlays.resolve(policy, environment)
        target = TARGETS[environment.target]
        rendered = bases[target.name] if own is policy else _render_one(policy, own, target, bodies)
        environments.append(_Environment(environment, target, own, rendered))
    return _Renders(bases, tuple(environments), tuple(_hosts(policy, bodies)))


def _hosts(policy: ir.Policy, bodies: dict[str, Any]) -> Iterator[_Host]:
    """Yield the hosts, each with the policy and the runtime settings that hold there."""
    if not policy.hosts:
        return
    from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

    for environment in policy.hosts:
        if environment.host is not None:
            seen = compose.on_host(policy, environment)
            rendered = _render_one(policy, seen, compose.TARGET, bodies)
            own = _with_own_settings(policy, seen, compose.TARGET, bodies)
            max_body = compose.TARGET.request_limits(own).max_body
            own = replace(own, router=replace(own.router, max_body=max_body))
            yield _Host(environment, compose.TARGET, environment.host, own, rendered)


def _advisories(policy: ir.Policy, renders: _Renders, today: dt.date | None) -> list[Diagnostic]:
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


def _render_one(policy: ir.Policy, own: ir.Policy, target: Target, bodies: dict[str, Any]) -> Rendered:
    """Render a target with the runtime settings that hold there.

    Args:
        policy: The policy of the base, whose router files are those in ``router/``.
        own: The policy to render: that of the base, or as an environment resolves it.
        target: The target.
        bodies: The router's YAML files by their text; the new settings are added.
    """
    return render(target, _with_own_settings(policy, own, target, bodies))


@dataclass(frozen=True, slots=True)
class _Manifests:
    """The manifests of all targets.

    Attributes:
        objects: Objects by path.
        others: Kustomizations and patches by path.
        values: Helm values by path.
        patched: The objects that patches change, as they are afterwards, by the path of the patch.
        environments: All objects of each environment.
        applied: Objects that are applied together, each set once: a base with its components, and an environment
            that differs from its base.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    patched: dict[str, Object] = field(default_factory=dict)
    environments: dict[str, tuple[Object, ...]] = field(default_factory=dict)
    applied: list[tuple[Object, ...]] = field(default_factory=list)


def _manifests(policy: ir.Policy, renders: _Renders) -> _Manifests:
    """Lay out one base per target and one overlay per environment."""
    result = _Manifests()
    bases = {target: _annotated(policy, rendered.objects) for target, rendered in renders.bases.items()}
    for target, rendered in renders.bases.items():
        _add_base(result, policy, target, bases[target], rendered)
    for item in renders.environments:
        target = item.environment.target
        base = bases[target]
        objects = base if item.policy is policy else _annotated(policy, item.rendered.objects)
        _add_overlay(result, item.environment, base, objects)
        folder = f"{target}/{helm.FOLDER}/{item.environment.name}"
        common = {values.path: values.body for values in renders.bases[target].values}
        own = (values for values in item.rendered.values if values.body != common.get(values.path))
        result.values.update({f"{folder}/{values.path}": values for values in own})
    return result


def _charts(policy: ir.Policy, renders: _Renders) -> dict[str, tuple[InstalledChart, ...]]:
    """Return the charts that controllers install in each environment.

    Raises:
        CompileError: VSR371 for a chart that nobody can install.
    """
    from vsr_compiler.deploy import charts  # noqa: PLC0415 - only for a compile

    if problems := list(charts.check(policy)):
        raise CompileError(problems)
    return {
        item.environment.name: charts.installed(
            policy,
            item.environment,
            item.policy,
            item.rendered.values,
            renders.bases[item.environment.target].values,
        )
        for item in renders.environments
    }


def _annotated(policy: ir.Policy, objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the objects with the annotations for the controllers that apply them."""
    from vsr_compiler.deploy import argocd, flux  # noqa: PLC0415 - only for a compile

    waved = argocd.waved(objects)
    return flux.kept(waved) if policy.gitops is not None and policy.gitops.flux is not None else waved


def _add_base(result: _Manifests, policy: ir.Policy, target: str, base: tuple[Object, ...], rendered: Rendered) -> None:
    folder = f"{target}/{overlays.BASE}"
    result.objects.update({f"{folder}/{item.path}": item for item in base})
    result.others[f"{folder}/kustomization.yaml"] = overlays.base_kustomization(base)
    result.applied.append((*base, *(item for component in rendered.components for item in component.objects)))
    for component in rendered.components:
        folder = f"{target}/components/{component.name}"
        result.objects.update({f"{folder}/{item.path}": item for item in _annotated(policy, component.objects)})
        result.others[f"{folder}/kustomization.yaml"] = component.kustomization()
    result.values.update({f"{target}/{helm.FOLDER}/{values.path}": values for values in rendered.values})


def _add_overlay(
    result: _Manifests, environment: ir.Environment, base: tuple[Object, ...], objects: tuple[Object, ...]
) -> None:
    overlay = overlays.overlay(base, objects)
    if overlay.objects or overlay.patches:
        result.applied.append(objects)
    folder = overlays.overlay_path(environment)
    result.objects.update({f"{folder}/{path}": item for path, item in overlay.objects.items()})
    result.others.update({f"{folder}/{path}": patch for path, patch in overlay.patches.items()})
    result.patched.update({f"{folder}/{path}": item for path, item in overlay.patched.items()})
    result.others[f"{folder}/kustomization.yaml"] = overlay.kustomization
    result.environments[environment.name] = objects


def _host_files(item: _Host) -> compose.Files:
    """Return the files of a host. VSR507 for a text that Compose would alter."""
    from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

    origin = item.environment.span
    try:
        return compose.emit(item.policy, item.environment, item.host, lambda body: _text(body, origin))
    except UnprintableError as error:
        raise CompileError([Diagnostic("VSR507", str(error), origin)]) from None


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
    text = _text(body, policy.span)
    bodies[text.decode()] = body
    return replace(own, router=replace(own.router, files={**own.router.files, SETTINGS: text}))


def _other_releases(policy: ir.Policy, renders: _Renders) -> dict[str, dict[str, str]]:
    """Return the releases of each overlay that differ from the policy's, by the folder of the overlay."""
    overlay_releases = {
        overlays.overlay_path(item.environment): {
            project: release
            for project, release in sorted(item.policy.versions.items())
            if policy.versions.get(project) != release
        }
        for item in renders.environments
    }
    if renders.hosts:
        from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

        overlay_releases |= {
            compose.folder(item.environment): {
                project: release
                for project, release in sorted(item.policy.versions.items())
                if policy.versions.get(project) != release
            }
            for item in renders.hosts
        }
    return {folder: releases for folder, releases in sorted(overlay_releases.items()) if releases}


def _check_links(
    policy: ir.Policy, manifests: _Manifests, renders: _Renders, bodies: Mapping[str, Any]
) -> list[Diagnostic]:
    """Return the warnings of the link rules. Notes are left out: they are about the cluster, not about the policy.

    Raises:
        CompileError: A rule finds an error.
    """
    from vsr_compiler.deploy.policy_assumptions import policy_assumptions  # noqa: PLC0415 - only for a compile
    from vsr_compiler.verify import check_objects  # noqa: PLC0415 - as above

    assumptions = policy_assumptions(
        policy, [values for rendered in renders.bases.values() for values in rendered.values]
    )
    checked = dict.fromkeys(
        item for objects in manifests.applied for item in check_objects(objects, assumptions, bodies)
    )
    if any(item.level is Severity.ERROR for item in checked):
        raise CompileError(checked)
    return [item for item in checked if item.level is not Severity.NOTE]


def _with_router_files(policy: ir.Policy, existing: Existing, *, rebuild: bool) -> tuple[ir.Policy, dict[str, Any]]:
    """Return the policy with its router files, and the content of the YAML files by their text.

    The router files are config, settings and classifier heads. The stock router has only a config.
    """
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        config = stock_body(policy)
        text = _text(config, policy.span)
        return replace(policy, router=replace(policy.router, files={CONFIG: text})), {text.decode(): config}
    if refused := _loading_errors(policy):
        raise CompileError(refused)
    heads = compile_heads(policy, lambda name: existing(f"router/{name}"), rebuild=rebuild)
    config = router_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    runtime = runtime_settings(policy, heads.classifiers).model_dump(mode="json", exclude_none=True)
    bodies = {CONFIG: config, SETTINGS: runtime}
    texts = {name: _text(body, policy.span) for name, body in bodies.items()}
    router = replace(policy.router, files={**texts, **heads.files})
    by_text = {texts[name].decode(): body for name, body in bodies.items()}
    return replace(policy, router=router, warnings=(*policy.warnings, *heads.warnings)), by_text


def _loading_errors(policy: ir.Policy) -> list[Diagnostic]:
    """Return why the runtime would not load the policy. It is asked before anything is trained."""
    return list(check_loading(policy, untrained_settings(policy)))


def _text(body: Json, origin: Span) -> bytes:
    """Return a body as the content of a file. VSR507 for a value that kustomize would alter."""
    try:
        return header(dump(body)).encode()
    except UnprintableError as error:
        raise CompileError([Diagnostic("VSR507", str(error), origin)]) from None
