"""An object's metadata, which no CustomResourceDefinition describes: its schema, and the syntax of names and labels."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Path, dig, table, text
from vsr_compiler.verify.schema.cel.formats import label, label_value, qualified, service_name, subdomain
from vsr_compiler.verify.schema.node import Node

_TEXT = {"type": "string"}
_MAP = {"type": "object", "additionalProperties": _TEXT}
_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _fields(schema: Body, *names: str) -> Body:
    return {name: schema for name in names}  # noqa: C420 - of one schema, which nobody changes


_OWNER = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        **_fields(_TEXT, "apiVersion", "kind", "name", "uid"),
        **_fields({"type": "boolean"}, "blockOwnerDeletion", "controller"),
    },
}
METADATA = Node(
    {
        "type": "object",
        "properties": {
            **_fields(_TEXT, "name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"),
            **_fields(_MAP, "labels", "annotations"),
            **_fields({"type": "string", "format": "date-time"}, "creationTimestamp", "deletionTimestamp"),
            **_fields({"type": "integer"}, "generation", "deletionGracePeriodSeconds"),
            "finalizers": {"type": "array", "items": _TEXT},
            "ownerReferences": {"type": "array", "items": _OWNER},
            "managedFields": {"type": "array", "items": _ANY},
        },
    }
)
"""The fields of ObjectMeta. Source: Kubernetes' API reference, meta/v1."""

_LABELS = {"Namespace": label, "Service": service_name}
_FREE = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
"""Kinds whose names may be anything that fits into a path."""


def problems(body: Body) -> Iterator[tuple[Path, str, str]]:
    """What is wrong with names and labels: where, what, and what to do."""
    metadata, kind = table(body.get("metadata")), text(body.get("kind"))
    name = text(metadata.get("name"))
    fits = _LABELS.get(kind, subdomain)
    if name and (not fits(name) if kind not in _FREE else "/" in name or "%" in name):
        hint = "Use lower-case letters, digits and `-`" + (" or `.`." if fits is subdomain else "; 63 at most.")
        yield ("metadata", "name"), f"`{name[:80]}` is no name for a {kind}", hint
    namespace = text(metadata.get("namespace"))
    if namespace and not label(namespace):
        yield ("metadata", "namespace"), f"`{namespace[:80]}` is no name for a Namespace", "Mend the namespace."
    yield from label_problems(body, ("metadata",))


def label_problems(body: Body, at: Path) -> Iterator[tuple[Path, str, str]]:
    """What is wrong with the labels and annotations of some metadata."""
    metadata = table(dig(body, *at))
    for key, value in table(metadata.get("labels")).items():
        if not qualified(key):
            yield (
                (*at, "labels", key),
                f"`{key[:80]}` is no key of a label",
                "Letters, digits, `-`, `_`, `.`; 63 at most.",
            )
        elif isinstance(value, str) and not label_value(value):
            hint = "Use letters, digits, `-`, `_` and `.`, 63 at most; other texts belong into annotations."
            yield (*at, "labels", key), f"`{value[:80]}` is no value of a label", hint
    for key in table(metadata.get("annotations")):
        if not qualified(key.lower()):
            yield (*at, "annotations", key), f"`{key[:80]}` is no key of an annotation", "Mend the key."
