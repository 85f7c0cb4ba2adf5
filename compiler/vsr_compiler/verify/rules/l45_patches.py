"""L45: patches of Envoy's configuration at places that a release of Envoy Gateway does not generate any more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages.model import Patches
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.manifest import Body, as_mapping, as_string
from vsr_compiler.verify.manifest_index import ENVOY, ManifestIndex
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR645"
_MAX_PLACE = 2000


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for policy in index.of_kind("EnvoyPatchPolicy", ENVOY):
        for path, patch in policy.entries("spec", "jsonPatches"):
            for item, sign, release in breakages_of(index, "envoy-gateway", Patches):
                if as_string(patch.get("type")).rpartition(".")[2] in sign.types and (place := _affected(patch, sign)):
                    yield finding(_CODE, item, release, f"`{place}`", policy, path)


def _affected(patch: Body, sign: Patches) -> str:
    """Return the place or the name by which a breakage concerns a patch; empty if it does not."""
    operation = as_mapping(patch.get("operation"))
    pointer = as_string(operation.get("path"))
    expression = as_string(operation.get("jsonPath"))
    origin = as_string(operation.get("from"))
    place = f"{expression}{pointer}{f' from {origin}' if origin else ''}"[:_MAX_PLACE]
    written = snake_case(place) if place[:1].islower() else place[:1] + snake_case(place[1:])
    if sign.name:
        name = as_string(patch.get("name"))
        return name if re.fullmatch(sign.name, name[:_MAX_PLACE]) else ""
    changes = operation.get("op") != "add"
    if not re.search(sign.place, written) and not (sign.existing and changes and re.search(sign.existing, written)):
        return ""
    if sign.values and operation.get("value") not in sign.values:
        return ""
    return place


RULE = LinkRule(
    name="L45",
    code=_CODE,
    purpose="An EnvoyPatchPolicy patches only places and names that the release of Envoy Gateway generates.",
    check=_check,
)
