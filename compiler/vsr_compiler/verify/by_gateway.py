"""Objects of Istio and policies by the Gateway that they apply to.

A check of many Gateways looks up what applies to each, instead of asking every object about every Gateway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, as_string_map, value_at
from vsr_compiler.verify.manifest_index import ISTIO, ManifestIndex

ISTIO_SECURITY = "security.istio.io"
ROOT_NAMESPACE = "istio-system"
"""Istio's root namespace, whose objects apply to every namespace."""
_GATEWAY_NAME = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
_ANY = "*"
_T = TypeVar("_T")
_Key = tuple[str, str, str]


class ByGateway(Generic[_T]):
    """Items by the Gateways that the object of each applies to."""

    def __init__(self, items: Iterable[tuple[Manifest, _T]]) -> None:
        self._items: dict[_Key, list[tuple[int, Manifest, _T]]] = defaultdict(list)
        for number, (source, item) in enumerate(items):
            for key in dict.fromkeys(_keys(source)):
                self._items[key].append((number, source, item))

    def applying_to(self, gateway: Manifest) -> list[_T]:
        """Return the items whose object applies to a Gateway or a part of it, in their order."""
        gateway_class = as_string(gateway.spec.get("gatewayClassName"))
        keys = [
            (gateway.namespace, "name", gateway.name),
            (ROOT_NAMESPACE, "name", gateway.name),
            (gateway.namespace, "name", _ANY),
            (ROOT_NAMESPACE, "name", _ANY),
            ("", "class", gateway_class),
        ]
        found = {number: (source, item) for key in keys for number, source, item in self._items.get(key, ())}
        return [item for _, (source, item) in sorted(found.items()) if applies_to_gateway(source, gateway)]


def by_gateway(index: ManifestIndex, key: str, items: Callable[[], Iterable[tuple[Manifest, _T]]]) -> ByGateway[_T]:
    """Return items by their Gateways, arranged once for each index.

    Args:
        index: The objects.
        key: Tells these items from others of the index.
        items: Returns each item with its object.
    """
    return index.cached(("by gateway", key), lambda: ByGateway(items()))


def _keys(source: Manifest) -> Iterator[_Key]:
    """Yield a key for every Gateway, or class of Gateways, that an object may apply to."""
    refs, selectors = _refs(source), as_mappings(source.spec.get("targetSelectors"))
    if refs or selectors or source.group not in {ISTIO, ISTIO_SECURITY}:
        for ref in refs:
            if ref.get("kind", "Gateway") == "Gateway":
                yield source.namespace, "name", as_string(ref.get("name"))
            elif ref.get("kind") == "GatewayClass":
                yield "", "class", as_string(ref.get("name"))
        return
    named = _gateway_names(_labels(source))
    yield source.namespace, "name", named[0] if named else _ANY


def applies_to_gateway(source: Manifest, gateway: Manifest) -> bool:
    """Whether an object of Istio or a policy applies to a Gateway, or to a part of it."""
    refs, selectors = _refs(source), as_mappings(source.spec.get("targetSelectors"))
    if refs or selectors or source.group not in {ISTIO, ISTIO_SECURITY}:
        return (
            source.namespace == gateway.namespace
            and any(ref.get("kind", "Gateway") == "Gateway" and ref.get("name") == gateway.name for ref in refs)
        ) or any(
            ref.get("kind") == "GatewayClass" and ref.get("name") == gateway.spec.get("gatewayClassName")
            for ref in refs
        )
    return source.namespace in {gateway.namespace, ROOT_NAMESPACE} and selects_gateway(_labels(source), gateway)


def selects_gateway(labels: object, gateway: Manifest) -> bool:
    """Whether labels select the pods of a Gateway. Labels of pods that somebody else runs are taken to be theirs."""
    return all(value == gateway.name for value in _gateway_names(labels))


def _refs(source: Manifest) -> list[dict[str, object]]:
    refs = [*as_mappings(source.spec.get("targetRefs")), as_mapping(source.spec.get("targetRef"))]
    return [ref for ref in refs if ref]


def _labels(source: Manifest) -> object:
    return value_at(source.spec, "workloadSelector", "labels") or value_at(source.spec, "selector", "matchLabels")


def _gateway_names(labels: object) -> list[str]:
    return [value for name, value in as_string_map(labels).items() if name in _GATEWAY_NAME]
