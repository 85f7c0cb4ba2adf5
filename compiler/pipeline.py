"""The whole way on one page: policy text in, tree out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from compiler import environments, targets
from compiler.analysis import analyse
from compiler.diagnostics import CompileError, Diagnostic, Severity
from compiler.features import local
from compiler.features.objects import Body, Object
from compiler.features.router_config import CONFIG, SETTINGS, router_config, runtime_settings
from compiler.heads.of_policy import compile_heads
from compiler.link import ir, link
from compiler.output.lock import Lock
from compiler.output.tree import File, Tree
from compiler.output.yaml import dump, header
from compiler.releases import PROFILES
from compiler.source import load
from compiler.source.data import parse
from compiler.source.text import read
from schemas.policy import Policy
from schemas.version import VERSION

Existing = Callable[[str], bytes | None]
"""Reads a file of the policy's present output by its path below it; None where there is none."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a policy compiles to: the tree, and the objects in it by the paths of their files."""

    policy: ir.Policy
    tree: Tree
    lock: Lock
    objects: Mapping[str, Object]


def read_policy(path: Path) -> ir.Policy:
    """Parse, link and analyse a policy file. The policy carries the warnings.

    Raises:
        CompileError: With every finding of the first stage that fails, warnings of that stage among them.
    """
    name = str(path)
    document = load(read(path, name), name)
    policy = link(document, parse(document, Policy))
    found = analyse(policy, targets.TARGETS)
    if any(item.level is Severity.ERROR for item in found):
        raise CompileError(found)
    return replace(policy, warnings=tuple(found))


def findings(path: Path) -> list[Diagnostic]:
    """Everything there is to say about a policy file, errors and warnings, sorted by place."""
    try:
        return list(read_policy(path).warnings)
    except CompileError as error:
        return error.diagnostics


def compile_policy(policy: ir.Policy, existing: Existing, *, rebuild: bool = False) -> Compiled:
    """Render everything in memory; nothing is written here.

    Args:
        policy: The linked policy.
        existing: Where a classifier head that is still valid may lie.
        rebuild: Train heads anew, even those whose inputs stand.

    Raises:
        CompileError: VSR5xx where a head cannot be trained.
    """
    router = _router_files(policy, existing, rebuild=rebuild)
    policy = replace(policy, router=replace(policy.router, files=router))
    files = [File(f"router/{name}", data) for name, data in router.items()]
    objects: dict[str, Object] = {}
    for target in policy.targets:
        found = targets.objects(policy, target)
        base = f"{target}/{environments.BASE}"
        objects |= {f"{base}/{item.path}": item for item in found}
        files.append(_yaml(f"{base}/kustomization.yaml", environments.base_kustomization(found)))
    files += [_yaml(path, item.body, item.identity) for path, item in objects.items()]
    for environment in policy.environments:
        path = f"{environments.overlay_path(environment)}/kustomization.yaml"
        files.append(_yaml(path, environments.overlay_kustomization(environment)))
    files.append(_yaml("local/envoy.yaml", local.bootstrap(policy)))
    files.append(_yaml("local/stand.yaml", local.stand(policy)))
    tree = Tree(files)
    lock = Lock.of(tree, tool=VERSION, tables=PROFILES["current"], policy=policy.name, policy_sha256=policy.sha256)
    return Compiled(policy, tree, lock, objects)


def _router_files(policy: ir.Policy, existing: Existing, *, rebuild: bool) -> dict[str, bytes]:
    """The router folder: config, settings and heads, by file name."""
    heads, settings = compile_heads(policy, lambda name: existing(f"router/{name}"), rebuild=rebuild)
    config = router_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    runtime = runtime_settings(policy, settings).model_dump(mode="json", exclude_none=True)
    return {CONFIG: _text(config), SETTINGS: _text(runtime)} | heads


def _yaml(path: str, body: Body, identity: str = "") -> File:
    return File(path, _text(body), identity)


def _text(body: Body) -> bytes:
    return header(dump(body)).encode()
