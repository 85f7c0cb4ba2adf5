"""The whole way on one page: policy text in, tree out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vsr_compiler import ir, targets
from vsr_compiler.analysis import analyse
from vsr_compiler.deploy import argocd, overlays, sandbox
from vsr_compiler.deploy.policy_assumptions import assumed
from vsr_compiler.diagnostics import CODES, CompileError, Diagnostic, Severity, Span
from vsr_compiler.heads.of_policy import compile_heads
from vsr_compiler.link import link
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.objects import Object
from vsr_compiler.manifests.tree import File, Tree
from vsr_compiler.manifests.yaml import Json, UnprintableError, dump, header
from vsr_compiler.routerconfig.config import CONFIG, SETTINGS, moved, router_config, runtime_settings
from vsr_compiler.routerconfig.stock import stock_config
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_compiler.syntax.ignores import ignores, silence, unsilenced
from vsr_compiler.syntax.text import read
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.verify import check
from vsr_schemas.policy.v1alpha1 import Policy
from vsr_schemas.version import VERSION

Existing = Callable[[str], bytes | None]
"""Reads a file of the policy's present output by its path below it; None where there is none."""
_REPORTED_LATER = frozenset(name for name, code in CODES.items() if code.reported_after_check)
"""Codes that only a compile, its tests or `verify` report: a comment that silences one is not ineffective."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a policy compiles to.

    Attributes:
        policy: The linked policy, with the router's files in it.
        tree: Every file.
        lock: The tree's lock.
        objects: The objects in the tree by the paths of their files.
        values: What is handed to Helm by the paths of its files.
        patched: What patch files change, as it is afterwards, by the paths of those files.
        environments: All objects of each environment by its name, as kustomize builds them.
        warnings: What works but is likely not meant.
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
    def wholes(self) -> Iterator[Object]:
        """Each object as it is applied, by whichever overlay, once."""
        everything = (*self.objects.values(), *(item for found in self.environments.values() for item in found))
        yield from {id(item.body): item for item in everything}.values()


def read_policy(path: Path) -> ir.Policy:
    """Parse, link and analyse a policy file. The policy carries the warnings.

    Raises:
        CompileError: With every finding of the first stage that fails, warnings of that stage among them.
    """
    name = str(path)
    document = load(read(path, name), name)
    try:
        policy = link(document, parse(document, Policy))
    except CompileError as error:
        raise CompileError(silence(error.diagnostics, document.text, name, complete=False)) from None
    found = silence(analyse(policy, targets.TARGETS), document.text, name, complete=True, later=_REPORTED_LATER)
    if any(item.level is Severity.ERROR for item in found):
        raise CompileError(found)
    return replace(policy, warnings=tuple(found), ignores=ignores(document.text, name))


def findings(path: Path) -> list[Diagnostic]:
    """Everything there is to say about a policy file, errors and warnings, sorted by place."""
    try:
        policy = read_policy(path)
    except CompileError as error:
        return error.diagnostics
    return sorted([*policy.warnings, *impossible(policy)], key=lambda item: item.order)


def impossible(policy: ir.Policy) -> list[Diagnostic]:
    """What the targets of its environments cannot do, each once: errors that stand in the way of every environment."""
    wanted = [(policy, target) for target in policy.targets]
    wanted += [(overlays.resolve(policy, each), each.target) for each in policy.environments]
    found = [item for own, target in wanted for item in targets.notices(own, target)]
    return [item for item in dict.fromkeys(found) if item.level is Severity.ERROR]


def compile_policy(policy: ir.Policy, existing: Existing, *, rebuild: bool = False) -> Compiled:
    """Render everything in memory; nothing is written here.

    Args:
        policy: The linked policy.
        existing: Where a classifier head that is still valid may lie.
        rebuild: Train heads anew, even those whose inputs stand.

    Raises:
        CompileError: VSR3xx where a target cannot do what is asked, VSR5xx where a head cannot be trained, VSR4xx where
            the objects do not go together.
    """
    if refused := impossible(policy):
        raise CompileError(refused)
    policy, known = _with_router_files(policy, existing, rebuild=rebuild)
    files = [File(f"router/{name}", data) for name, data in policy.router.files.items()]
    built = _environments(policy, known)
    linked = _linked(policy, built, known)
    argo = argocd.emit(policy, built.environments)
    objects = built.objects | argo.objects
    files += [File(path, _text(item.body, item.origin), item.identity) for path, item in objects.items()]
    others = {**built.others, **argo.kustomizations}
    files += [File(path, _text(body, policy.span)) for path, body in others.items()]
    files += [File(path, _text(item.body, item.origin)) for path, item in built.values.items()]
    if not policy.router.stock:  # the stand runs our runtime
        files.append(File("local/envoy.yaml", _text(sandbox.bootstrap(policy), policy.span)))
        files.append(File("local/stand.yaml", _text(sandbox.stand(policy), policy.span)))
    tree = Tree(files)
    lock = Lock.of(
        tree,
        tool=VERSION,
        tables=policy.versions,
        policy=policy.name,
        policy_sha256=policy.sha256,
        overlays=_other_releases(policy),
    )
    warnings = tuple(unsilenced((*policy.warnings, *built.notices, *linked, *argo.warnings), policy.ignores))
    return Compiled(policy, tree, lock, objects, built.values, built.patched, built.environments, warnings)


@dataclass(frozen=True, slots=True)
class _Built:
    """Bases, overlays and values: objects, other files by path, and what each environment comes to.

    ``wholes`` is what may be applied together, each once: a base with its components, an environment that differs.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    patched: dict[str, Object] = field(default_factory=dict)
    environments: dict[str, tuple[Object, ...]] = field(default_factory=dict)
    wholes: list[tuple[Object, ...]] = field(default_factory=list)
    notices: list[Diagnostic] = field(default_factory=list)


def _environments(policy: ir.Policy, known: dict[str, Any]) -> _Built:
    """A base a target from the policy as it stands, an overlay an environment from what it changes.

    ``known`` are the router's YAML files by their text; the settings of environments are added to them.
    """
    built = _Built()
    bases: dict[str, list[Object]] = {}
    for target in policy.targets:
        bases[target] = argocd.waved(targets.objects(policy, target))
        folder = f"{target}/{overlays.BASE}"
        built.objects.update({f"{folder}/{item.path}": item for item in bases[target]})
        built.others[f"{folder}/kustomization.yaml"] = overlays.base_kustomization(bases[target])
        components = targets.components(policy, target)
        built.wholes.append((*bases[target], *(item for component in components for item in component.objects)))
        for component in components:
            folder = f"{target}/components/{component.name}"
            built.objects.update({f"{folder}/{item.path}": item for item in component.objects})
            built.others[f"{folder}/kustomization.yaml"] = component.kustomization()
        built.values.update({f"{target}/{helm.FOLDER}/{item.path}": item for item in targets.values(policy, target)})
    for environment in policy.environments:
        base = bases[environment.target]
        own = _with_own_settings(policy, overlays.resolve(policy, environment), known)
        found = targets.notices(own, environment.target)
        built.notices.extend(item for item in found if item not in built.notices)
        wanted = base if own is policy else argocd.waved(targets.objects(own, environment.target))
        overlay = overlays.overlay(base, wanted)
        if overlay.objects or overlay.patches:
            built.wholes.append(tuple(wanted))
        folder = overlays.overlay_path(environment)
        built.objects.update({f"{folder}/{path}": item for path, item in overlay.objects.items()})
        built.others.update({f"{folder}/{path}": patch for path, patch in overlay.patches.items()})
        built.patched.update({f"{folder}/{path}": item for path, item in overlay.patched.items()})
        built.others[f"{folder}/kustomization.yaml"] = overlay.kustomization
        built.environments[environment.name] = tuple(wanted)
        built.values.update(_own_values(policy, own, environment))
    return built


def _with_own_settings(policy: ir.Policy, own: ir.Policy, known: dict[str, Any]) -> ir.Policy:
    """The policy of an environment with its own settings of the router, where it has checkpoints elsewhere."""
    if own.classifiers == policy.classifiers or SETTINGS not in policy.router.files:
        return own
    body = moved(known[policy.router.files[SETTINGS].decode()], own)
    text = _text(body, policy.span)
    known[text.decode()] = body
    return replace(own, router=replace(own.router, files={**own.router.files, SETTINGS: text}))


def _other_releases(policy: ir.Policy) -> dict[str, dict[str, str]]:
    """The releases that overlays have and the policy does not, by the overlays' folders."""
    found = {}
    for environment in policy.environments:
        versions = overlays.resolve(policy, environment).versions
        found[overlays.overlay_path(environment)] = {
            name: release for name, release in sorted(versions.items()) if policy.versions.get(name) != release
        }
    return {folder: tables for folder, tables in sorted(found.items()) if tables}


def _own_values(policy: ir.Policy, own: ir.Policy, environment: ir.Environment) -> dict[str, Values]:
    """The charts that an environment has other values for: whole files, to be taken in the place of the target's."""
    target = environment.target
    common = {item.path: item.body for item in targets.values(policy, target)}
    folder = f"{target}/{helm.FOLDER}/{environment.name}"
    found = targets.values(own, target)
    return {f"{folder}/{item.path}": item for item in found if item.body != common.get(item.path)}


def _linked(policy: ir.Policy, built: _Built, known: Mapping[str, Any]) -> list[Diagnostic]:
    """The warnings of the link rules.

    Raises:
        CompileError: A rule finds an error. Notes are about what the cluster has, and nobody can mend them here.
    """
    elsewhere = assumed(policy)
    found = list(dict.fromkeys(item for whole in built.wholes for item in check(whole, elsewhere, known)))
    if any(item.level is Severity.ERROR for item in found):
        raise CompileError(found)
    return [item for item in found if item.level is not Severity.NOTE]


def _with_router_files(policy: ir.Policy, existing: Existing, *, rebuild: bool) -> tuple[ir.Policy, dict[str, Any]]:
    """The policy with its router folder: config, settings and heads, by file name. And what its YAML files hold.

    The stock router has its config only.
    """
    if policy.router.stock:
        theirs = stock_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
        text = _text(theirs, policy.span)
        return replace(policy, router=replace(policy.router, files={CONFIG: text})), {text.decode(): theirs}
    heads = compile_heads(policy, lambda name: existing(f"router/{name}"), rebuild=rebuild)
    config = router_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    runtime = runtime_settings(policy, heads.classifiers).model_dump(mode="json", exclude_none=True)
    bodies = {CONFIG: config, SETTINGS: runtime}
    texts = {name: _text(body, policy.span) for name, body in bodies.items()}
    router = replace(policy.router, files={**texts, **heads.files})
    known = {texts[name].decode(): body for name, body in bodies.items()}
    return replace(policy, router=router, warnings=(*policy.warnings, *heads.warnings)), known


def _text(body: Json, origin: Span) -> bytes:
    """A body as a file of the output. What kustomize would alter on its way is refused."""
    try:
        return header(dump(body)).encode()
    except UnprintableError as error:
        raise CompileError([Diagnostic("VSR507", str(error), origin)]) from None
