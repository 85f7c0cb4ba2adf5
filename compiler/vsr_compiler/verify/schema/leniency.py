"""What a schema does not tell: newer releases of Kubernetes, and webhooks that fill in what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string, as_strings, value_at

_UNSTABLE = re.compile(r"v[0-9]+(?:alpha|beta)[0-9]+")
_REMOVED = frozenset(
    {
        ("admissionregistration.k8s.io", "v1alpha1"),
        ("apiextensions.k8s.io", "v1beta1"),
        ("apiregistration.k8s.io", "v1beta1"),
        ("apps", "v1beta1"),
        ("apps", "v1beta2"),
        ("authentication.k8s.io", "v1alpha1"),
        ("authorization.k8s.io", "v1beta1"),
        ("autoscaling", "v2beta1"),
        ("autoscaling", "v2beta2"),
        ("batch", "v1beta1"),
        ("batch", "v2alpha1"),
        ("certificates.k8s.io", "v1beta1"),
        ("discovery.k8s.io", "v1beta1"),
        ("events.k8s.io", "v1beta1"),
        ("extensions", "v1beta1"),
        ("flowcontrol.apiserver.k8s.io", "v1alpha1"),
        ("flowcontrol.apiserver.k8s.io", "v1beta1"),
        ("flowcontrol.apiserver.k8s.io", "v1beta2"),
        ("flowcontrol.apiserver.k8s.io", "v1beta3"),
        ("node.k8s.io", "v1alpha1"),
        ("node.k8s.io", "v1beta1"),
        ("policy", "v1beta1"),
        ("rbac.authorization.k8s.io", "v1alpha1"),
        ("rbac.authorization.k8s.io", "v1beta1"),
        ("resource.k8s.io", "v1alpha1"),
        ("resource.k8s.io", "v1alpha2"),
        ("scheduling.k8s.io", "v1beta1"),
        ("settings.k8s.io", "v1alpha1"),
    }
)
"""Unstable versions that Kubernetes had and removed. Source: its Deprecated API Migration Guide and changelogs."""


def may_be_newer(group: str, version: str) -> bool:
    """Whether a version that the known releases of Kubernetes do not serve may be one of a newer release."""
    return _UNSTABLE.fullmatch(version) is not None and (group, version) not in _REMOVED


def completed(objects: Iterable[Manifest]) -> frozenset[str]:
    """Return kinds whose missing fields something else among the objects fills in, in lower-case letters.

    Webhooks do it before a schema is applied, and Flux with the patches of a Kustomization, often for all others.
    """
    kinds: set[str] = set()
    for item in objects:
        if item.kind == "MutatingWebhookConfiguration":
            for hook in as_mappings(item.body.get("webhooks")):
                for rule in as_mappings(hook.get("rules")):
                    kinds.update(resource.removesuffix("s") for resource in as_strings(rule.get("resources")))
        elif item.group == _FLUX and item.kind == "Kustomization":
            for patch in as_mappings(item.spec.get("patches")):
                target = as_string(value_at(patch, "target", "kind"))
                kinds.update(each.lower() for each in [target, *_KIND.findall(as_string(patch.get("patch")))] if each)
    return frozenset(kinds)


_FLUX = "kustomize.toolkit.fluxcd.io"
_KIND = re.compile(r"(?m)^[ \t]*kind:[ \t]*([A-Za-z]+)[ \t]*$")
