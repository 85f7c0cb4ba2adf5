"""Lays renders out as files: bases, components, overlays, Helm values, hosts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vsr_compiler import ir
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.manifests.yaml import UnprintableError
from vsr_compiler.pipeline.renders import HostRender, Renders
from vsr_compiler.pipeline.router_files import file_text
from vsr_compiler.targets import Rendered
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.common.helm import Values

if TYPE_CHECKING:
    from vsr_compiler.deploy import compose
    from vsr_compiler.deploy.charts import InstalledChart


@dataclass(frozen=True, slots=True)
class Manifests:
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


def lay_out(policy: ir.Policy, renders: Renders) -> Manifests:
    """Lay out one base per target and one overlay per environment."""
    result = Manifests()
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


def _annotated(policy: ir.Policy, objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the objects with the annotations for the controllers that apply them."""
    from vsr_compiler.deploy import argocd, flux  # noqa: PLC0415 - only for a compile

    waved = argocd.waved(objects)
    return flux.kept(waved) if policy.gitops is not None and policy.gitops.flux is not None else waved


def _add_base(result: Manifests, policy: ir.Policy, target: str, base: tuple[Object, ...], rendered: Rendered) -> None:
    folder = f"{target}/{overlays.BASE}"
    result.objects.update({f"{folder}/{item.path}": item for item in base})
    result.others[f"{folder}/kustomization.yaml"] = overlays.base_kustomization(base)
    result.applied.append((*base, *(item for one in rendered.components if one.for_base for item in one.objects)))
    for component in rendered.components:
        folder = f"{target}/components/{component.name}"
        result.objects.update({f"{folder}/{item.path}": item for item in _annotated(policy, component.objects)})
        result.others[f"{folder}/kustomization.yaml"] = component.kustomization()
    result.values.update({f"{target}/{helm.FOLDER}/{values.path}": values for values in rendered.values})


def _add_overlay(
    result: Manifests, environment: ir.Environment, base: tuple[Object, ...], objects: tuple[Object, ...]
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


def installed_charts(policy: ir.Policy, renders: Renders) -> dict[str, tuple[InstalledChart, ...]]:
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


def host_files(item: HostRender) -> compose.Files:
    """Return the files of a host. VSR507 for a text that Compose would alter."""
    from vsr_compiler.deploy import compose  # noqa: PLC0415 - only for hosts

    origin = item.environment.span
    try:
        return compose.emit(item.policy, item.environment, item.host, lambda body: file_text(body, origin))
    except UnprintableError as error:
        raise CompileError([Diagnostic("VSR507", str(error), origin)]) from None
