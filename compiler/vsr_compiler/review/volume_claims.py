"""Changes of volume claims that an API server rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review.change_text import ChangeText
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.rendered_overlay import rendered_objects
from vsr_schemas.quantities import amount

FILE = "persistentvolumeclaim-"
FIXED = ("accessModes", "storageClassName", "volumeMode", "volumeName")
"""Immutable fields of a claim. Its size can only grow."""
Spec = Mapping[str, Any]


def immutable_changes(trees: Comparison) -> Iterator[ChangeText]:
    """Yield one sentence per claim and change, with its environments."""
    before, after = _claims(trees, old=True), _claims(trees, old=False)
    sentences: dict[tuple[str, str], list[str]] = {}
    for (name, environment), spec in sorted(after.items()):
        for text in _changes(before.get((name, environment), spec), spec):
            sentences.setdefault((name, text), []).append(environment)
    for (name, text), environments in sentences.items():
        where = ", ".join(environments)
        sentence = f"PersistentVolumeClaim {name} in {where}: {text}, which cannot be changed in place: delete it first"
        yield ChangeText(("claim", name, text), sentence)


def _changes(old: Spec, new: Spec) -> Iterator[str]:
    for key in FIXED:
        if old.get(key) != new.get(key):
            yield f"{key} {_words(old.get(key))} → {_words(new.get(key))}"
    before, after = _size(old), _size(new)
    if (amount(before) or 0) > (amount(after) or 0):
        yield f"storage {before} → {after}"


def _claims(trees: Comparison, *, old: bool) -> dict[tuple[str, str], Spec]:
    """Return the spec of each claim, by environment."""
    bodies = rendered_objects(trees, FILE, old=old)
    return {key: body["spec"] for key, body in bodies.items() if isinstance(body.get("spec"), dict)}


def _size(spec: Spec) -> str:
    return str(_dict(_dict(spec.get("resources")).get("requests")).get("storage"))


def _words(value: Any) -> str:  # noqa: ANN401 - any JSON
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}
