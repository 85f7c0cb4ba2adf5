"""Claims of volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_strings, value_at
from vsr_compiler.verify.schema.cel.quantities import parse
from vsr_compiler.verify.schema.validation.faults import Fault, Rule

_MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})


def _modes(spec: Body, path: Path) -> Iterator[Fault]:
    modes = spec.get("accessModes")
    if modes is None or modes == []:
        at = path if modes is None else (*path, "accessModes")
        yield at, "needs an access mode", f"Set `accessModes` to one of: {', '.join(sorted(_MODES))}."
    listed = as_strings(modes)
    for number, mode in enumerate(listed):
        if mode not in _MODES:
            hint = f"Use one of: {', '.join(sorted(_MODES))}."
            yield (*path, "accessModes", number), f"`{mode[:80]}` is not an access mode", hint
    if "ReadWriteOncePod" in listed and len(listed) > 1:
        yield (*path, "accessModes"), "has ReadWriteOncePod beside another mode", "Keep one of them."


def claim(spec: Body, path: Path) -> Iterator[Fault]:
    """Check the spec of a claim."""
    yield from _modes(spec, path)
    size = value_at(spec, "resources", "requests", "storage")
    if size is None:
        yield path, "needs `resources.requests.storage`", "Set the size of the volume."
        return
    amount = parse(str(size)) if not isinstance(size, bool) else None
    if amount is not None and amount.amount <= 0:
        yield (*path, "resources", "requests", "storage"), f"{str(size)[:40]} is not a size", "Use more than 0."


def _claim(body: Body) -> Iterator[Fault]:
    yield from claim(as_mapping(body.get("spec")), ("spec",))


def _volume(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from _modes(spec, ("spec",))
    if not as_mapping(spec.get("capacity")).get("storage"):
        yield ("spec",), "needs `capacity.storage`", "Set the size of the volume."


RULES: Mapping[tuple[str, str], Rule] = {("", "PersistentVolumeClaim"): _claim, ("", "PersistentVolume"): _volume}
