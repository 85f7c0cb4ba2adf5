"""Kustomize components: options that an overlay of the user's own may add to a base."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.manifests.objects import Body, Object


@dataclass(frozen=True, slots=True)
class Component:
    """An option: objects that it adds, and patches to what is there."""

    name: str
    objects: tuple[Object, ...]
    patches: tuple[Body, ...] = ()

    def kustomization(self) -> Body:
        """Its kustomization: each file by name, so that none comes in unnoticed."""
        body: Body = {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1",
            "kind": "Component",
            "resources": sorted(item.path for item in self.objects),
        }
        return body | ({"patches": list(self.patches)} if self.patches else {})
