"""L43: fields that a release of an API removed, or that it checks more strictly."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages.model import Condition, Fields
from vsr_compiler.releases.components import COMPONENTS
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.references import values_at
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR643"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for component in COMPONENTS:
        for item, sign, release in breakages_of(index, component, Fields):
            for manifest in (manifest for kind in sign.kinds for manifest in index.of_kind(kind, sign.group)):
                if not sign.on_kinds or sign.on_kinds & _target_kinds(manifest):
                    for path in _affected(manifest, sign):
                        yield finding(_CODE, item, release, f"`{_written(path)}`", manifest, path)


def _affected(manifest: Manifest, sign: Fields) -> Iterator[Path]:
    if sign.condition is Condition.ABSENT_OR_EMPTY:
        parent, _, key = sign.path.rpartition(".")
        for path, value in values_at(manifest.body, parent):
            if isinstance(value, dict) and not value.get(key):
                yield (*path, key)
        return
    for path, value in values_at(manifest.body, sign.path):
        if sign.condition is Condition.PRESENT or value in ([], {}):
            yield path


def _target_kinds(policy: Manifest) -> set[str]:
    refs = [as_mapping(policy.spec.get("targetRef"))]
    for key in ("targetRefs", "targetSelectors"):
        refs += as_mappings(policy.spec.get(key))
    return {as_string(ref.get("kind")) for ref in refs}


def _written(path: Path) -> str:
    return ".".join(str(step) for step in path if not isinstance(step, int))


RULE = LinkRule(
    name="L43",
    code=_CODE,
    purpose="An object has no field that its API removed in the release that is asked for, and none with a value that "
    "the release rejects for the first time. The rules about schemas check the rest of it.",
    check=_check,
)
