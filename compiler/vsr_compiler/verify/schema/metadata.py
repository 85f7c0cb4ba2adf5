"""The metadata of objects, which CustomResourceDefinitions do not describe: schema, and syntax of names and labels."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.schema.cel.formats import label, label_value, qualified, service_name, subdomain
from vsr_compiler.verify.schema.node import Node

# An API server decodes metadata into Go structs, for which null means an empty value.
_TEXT = {"type": "string", "nullable": True}
_MAP = {"type": "object", "nullable": True, "additionalProperties": _TEXT}
_TIME = {"type": "string", "format": "date-time", "nullable": True}
_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _fields(schema: Body, *names: str) -> Body:
    return {name: schema for name in names}  # noqa: C420 - one shared schema, which never changes


_OWNER = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        **_fields(_TEXT, "apiVersion", "kind", "name", "uid"),
        **_fields({"type": "boolean", "nullable": True}, "blockOwnerDeletion", "controller"),
    },
}
METADATA = Node(
    {
        "type": "object",
        "properties": {
            **_fields(_TEXT, "name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"),
            **_fields(_MAP, "labels", "annotations"),
            **_fields(
                {"type": "string", "format": "date-time", "nullable": True}, "creationTimestamp", "deletionTimestamp"
            ),
            **_fields({"type": "integer", "nullable": True}, "generation", "deletionGracePeriodSeconds"),
            "finalizers": {"type": "array", "nullable": True, "items": _TEXT},
            "ownerReferences": {"type": "array", "nullable": True, "items": _OWNER},
            "managedFields": {"type": "array", "nullable": True, "items": _ANY},
        },
    }
)
"""The fields of ObjectMeta. Source: Kubernetes API reference, meta/v1."""

_NAME_RULES = {"Namespace": label, "Service": service_name}
_PATH_NAMES = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
"""Kinds whose names may be any path segment."""
_CRON_JOB = 52
"""Source: Kubernetes, `pkg/apis/batch/validation`, ValidateCronJobCreate."""


def metadata_problems(body: Body) -> Iterator[tuple[Path, str, str]]:
    """Return the path, message and hint of each invalid name or label."""
    metadata, kind = as_mapping(body.get("metadata")), as_string(body.get("kind"))
    name = as_string(metadata.get("name"))
    is_valid = _NAME_RULES.get(kind, subdomain)
    if name and (not is_valid(name) if kind not in _PATH_NAMES else "/" in name or "%" in name):
        hint = "Use lower-case letters, digits and `-`" + (" or `.`." if is_valid is subdomain else "; 63 at most.")
        yield ("metadata", "name"), f"`{name[:80]}` is not a valid name of a {kind}", hint
    if kind == "CronJob" and len(name) > _CRON_JOB:
        hint = "The names of its Jobs have 11 more characters, and at most 63."
        yield ("metadata", "name"), f"the name of a CronJob has at most {_CRON_JOB} characters", hint
    namespace = as_string(metadata.get("namespace"))
    if namespace and not label(namespace):
        yield ("metadata", "namespace"), f"`{namespace[:80]}` is not a valid name of a Namespace", "Fix the namespace."
    yield from label_problems(body, ("metadata",))


def label_problems(body: Body, at: Path) -> Iterator[tuple[Path, str, str]]:
    """Return the path, message and hint of each invalid label or annotation of some metadata."""
    metadata = as_mapping(value_at(body, *at))
    # Argo CD fills in the template of an ApplicationSet.
    rendered = body.get("kind") == "ApplicationSet" and at != ("metadata",)
    for key, value in as_mapping(metadata.get("labels")).items():
        if rendered and "{{" in f"{key}{value}":
            continue
        if not qualified(key):
            yield (
                (*at, "labels", key),
                f"`{key[:80]}` is not a valid key of a label",
                "Use letters, digits, `-`, `_` and `.`, 63 at most.",
            )
        elif isinstance(value, str) and not label_value(value):
            hint = "Use letters, digits, `-`, `_` and `.`, 63 at most. Move other strings to annotations."
            yield (*at, "labels", key), f"`{value[:80]}` is not a valid value of a label", hint
    for key in as_mapping(metadata.get("annotations")):
        if not qualified(key.lower()):
            yield (*at, "annotations", key), f"`{key[:80]}` is not a valid key of an annotation", "Fix the key."
