"""A compile: the output tree of a linked policy, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.objects import Object
from vsr_compiler.manifests.tree import File, Tree
from vsr_compiler.pipeline.layout import host_files, installed_charts, lay_out
from vsr_compiler.pipeline.links import check_links
from vsr_compiler.pipeline.regions import check_regions
from vsr_compiler.pipeline.renders import advisories_of, other_releases, render_policy
from vsr_compiler.pipeline.router_files import CANDIDATES, Existing, file_text, with_router_files
from vsr_compiler.syntax.ignores import unsilenced
from vsr_compiler.targets.common.helm import Values
from vsr_schemas.version import VERSION


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
            VSR4xx if the objects do not fit together, VSR567 if one refers to another region.
    """
    from vsr_compiler.deploy import argocd, flux, sandbox  # noqa: PLC0415 - only for a compile

    try:
        policy, bodies = with_router_files(policy, existing, rebuild=rebuild)
    except CompileError as error:
        raise CompileError([*error.diagnostics, *render_policy(policy, {}).errors]) from None
    renders = render_policy(policy, bodies)
    if renders.errors:
        raise CompileError(renders.errors)
    manifests = lay_out(policy, renders)
    check_regions(policy, manifests.environments, bodies)
    link_warnings = check_links(policy, manifests, renders, bodies)
    own_charts = installed_charts(policy, renders)
    argo = argocd.emit(policy, manifests.environments, own_charts) if policy.environments else argocd.NOTHING
    fluxcd = flux.emit(policy, manifests.environments, own_charts)
    objects = manifests.objects | argo.objects | fluxcd.objects
    files = [File(f"router/{name}", data) for name, data in policy.router.files.items()]
    files += [
        File(f"{CANDIDATES}/{folder}/{name}", data)
        for folder, candidate in policy.candidates.items()
        for name, data in candidate.router.files.items()
    ]
    files += [File(path, file_text(item.body, item.origin), item.identity) for path, item in objects.items()]
    others = {**manifests.others, **argo.kustomizations, **fluxcd.kustomizations}
    files += [File(path, file_text(body, policy.span)) for path, body in others.items()]
    files += [File(path, file_text(item.body, item.origin)) for path, item in manifests.values.items()]
    if not isinstance(policy.router.implementation, ir.SemanticRouter):  # the sandbox runs our runtime
        files.append(File("local/envoy.yaml", file_text(sandbox.bootstrap(policy), policy.span)))
        files.append(File("local/sandbox.yaml", file_text(sandbox.settings(policy), policy.span)))
    for item in renders.hosts:
        files += [File(path, data) for path, data in host_files(item).items()]
    tree = Tree(files)
    lock = Lock.of(
        tree,
        tool=VERSION,
        tables=policy.versions,
        policy=policy.name,
        policy_sha256=policy.sha256,
        overlays=other_releases(policy, renders),
        imports={item.path: {"owner": item.owner, "sha256": item.sha256} for item in policy.imports},
    )
    later = (*link_warnings, *argo.warnings, *advisories_of(policy, renders, today))
    warnings = tuple(unsilenced((*policy.warnings, *renders.environment_notices, *later), policy.ignores))
    return Compiled(policy, tree, lock, objects, manifests.values, manifests.patched, manifests.environments, warnings)
