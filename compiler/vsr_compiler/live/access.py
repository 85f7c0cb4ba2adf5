"""The permissions that a check needs, as Roles: no more than reading, and what dry runs and port forwards need.

A dry run is a request to patch that changes nothing, but the permission for it is the one for patching.
"""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler.manifests.objects import Body
from vsr_compiler.manifests.yaml import dump_all
from vsr_compiler.verify.manifest import Manifest

NAME = "vsr-status"
_VOWELS = "aeiou"
Resource = tuple[str, str]
"""API group and plural name."""


def plural(kind: str) -> str:
    """Return the name of a kind's resource, by the rule that every kind of ours follows.

    >>> plural("Gateway"), plural("NetworkPolicy"), plural("GatewayClass")
    ('gateways', 'networkpolicies', 'gatewayclasses')
    """
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2] not in _VOWELS:
        return f"{name[:-1]}ies"
    return f"{name}s"


def roles(
    manifests: Iterable[Manifest],
    delivery: Iterable[Manifest],
    pods: Iterable[str],
    forwards: Iterable[str] = (),
    *,
    dry_run: bool,
) -> str:
    """Return the Roles as YAML, one for each namespace, and a ClusterRole for cluster-scoped objects.

    Args:
        manifests: The objects that are compared.
        delivery: Objects of Argo CD and Flux, which are only read.
        pods: Namespaces whose pods are listed.
        forwards: Namespaces to whose pods ports are forwarded.
        dry_run: Whether objects are compared by dry runs.
    """
    rules: dict[str, dict[tuple[Resource, tuple[str, ...]], set[str]]] = {}
    actions = ("get", "patch") if dry_run else ("get",)
    for own, items in ((actions, manifests), (("get",), delivery)):
        for item in items:
            key = ((item.group, plural(item.kind)), own)
            rules.setdefault(item.namespace, {}).setdefault(key, set()).add(item.name)
    for resource, own, namespaces in (("pods", ("list",), pods), ("pods/portforward", ("create", "get"), forwards)):
        for namespace in namespaces:
            rules.setdefault(namespace, {})[("", resource), own] = set()
    return dump_all(_role(namespace, rules[namespace]) for namespace in sorted(rules))


def _role(namespace: str, rules: dict[tuple[Resource, tuple[str, ...]], set[str]]) -> Body:
    metadata = {"name": NAME} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": list(actions)}
            | ({"resourceNames": sorted(names)} if names else {})
            for ((group, resource), actions), names in sorted(rules.items())
        ],
    }
