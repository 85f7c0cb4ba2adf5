"""Kustomize components, which users add to overlays of their own."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.manifests.objects import Body, Object


@dataclass(frozen=True, slots=True)
class Component:
    """A component: the objects that it adds, and patches of the base.

    ``for_base`` is false if it fits only environments whose router is of another kind than the base's.
    """

    name: str
    objects: tuple[Object, ...]
    patches: tuple[Body, ...] = ()
    for_base: bool = True

    def kustomization(self) -> Body:
        """Return its kustomization. It lists every file, so that no other file is applied."""
        body: Body = {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1",
            "kind": "Component",
            "resources": sorted(item.path for item in self.objects),
        }
        return body | ({"patches": list(self.patches)} if self.patches else {})
