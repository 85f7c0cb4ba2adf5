"""The registry of codes.

The first digit is the subject: 0 text, 1 schema, 2 meaning, 3 targets, 4, 6 and 7 manifests, 5 output, 9 internal
errors. A code keeps its meaning, and a retired code is not used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics.codes import (
    advisories,
    attach,
    backends,
    charts,
    delivery,
    foreign,
    hosts,
    identity,
    importer,
    imports,
    limits,
    listeners,
    meaning,
    migration,
    output,
    rate_limits,
    releases,
    servers,
    syntax,
    targets,
    verify,
)
from vsr_compiler.diagnostics.codes.model import BASE, Code, Example, Kind, Stage

__all__ = ["BASE", "CODES", "Code", "Example", "Kind", "Stage"]

CODES: Mapping[str, Code] = MappingProxyType(
    syntax.CODES
    | imports.CODES
    | meaning.CODES
    | identity.CODES
    | limits.CODES
    | listeners.CODES
    | servers.CODES
    | backends.CODES
    | attach.CODES
    | advisories.CODES
    | charts.CODES
    | hosts.CODES
    | targets.CODES
    | delivery.CODES
    | verify.CODES
    | rate_limits.CODES
    | releases.CODES
    | importer.CODES
    | foreign.CODES
    | migration.CODES
    | output.CODES,
)
