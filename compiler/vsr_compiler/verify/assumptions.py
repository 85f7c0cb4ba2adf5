"""Assumptions of a check: objects and pods that exist although they are not among the checked objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Objects and pods that exist elsewhere. The caller of a check passes them in.

    Attributes:
        objects: Kind, namespace and name; the namespace of a cluster-scoped object is empty.
        pods: Namespace and labels of pods.
        namespace_is_given: Whether the caller determines where objects without a namespace land.
        is_complete: Whether the checked objects and these are all that belong together, as those of one policy are.
        releases: The release of each project, if the caller knows it.
        unplaced: Kind and name of objects elsewhere that say in no namespace they are.
    """

    objects: frozenset[tuple[str, str, str]] = frozenset()
    pods: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    namespace_is_given: bool = False
    is_complete: bool = False
    releases: tuple[tuple[str, str], ...] = ()
    unplaced: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Assumptions) -> Assumptions:
        given = self.namespace_is_given or other.namespace_is_given
        releases = tuple({**dict(self.releases), **dict(other.releases)}.items())
        return Assumptions(
            self.objects | other.objects,
            (*self.pods, *other.pods),
            given,
            self.is_complete or other.is_complete,
            releases,
            self.unplaced | other.unplaced,
        )

    @classmethod
    def parse(cls, items: Iterable[str]) -> Assumptions:
        """Parse ``kind/namespace/name``, ``kind/name`` for cluster-scoped objects, ``Pod/namespace/key=value,…``.

        Raises:
            ValueError: An item has another form; the item is the message.
        """
        objects: set[tuple[str, str, str]] = set()
        pods: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        for item in items:
            kind, _, rest = item.partition("/")
            namespace, _, name = rest.rpartition("/") if kind != "Pod" else rest.partition("/")
            if kind == "Pod" and "=" in name:
                pairs = [pair.partition("=") for pair in name.split(",")]
                pods.append((namespace, tuple((key, value) for key, _, value in pairs)))
            elif kind and name and "/" not in namespace:
                objects.add((kind, namespace, name))
            else:
                raise ValueError(item)
        return cls(frozenset(objects), tuple(pods))
