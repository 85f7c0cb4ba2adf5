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
    attempts,
    backends,
    cache_store,
    candidates,
    capacity,
    charts,
    classification,
    classifier_servers,
    conditions,
    delivery,
    encoders,
    endpoints,
    engines,
    environments,
    foreign,
    heads,
    hosts,
    identity,
    import_sources,
    importer,
    imports,
    limits,
    listeners,
    live,
    manifest_acceptance,
    manifest_input,
    manifest_references,
    manifest_routes,
    manifest_schemas,
    migration,
    names,
    output,
    pairs,
    policy_tests,
    rate_limits,
    releases,
    residency,
    review,
    rollouts,
    servers,
    syntax,
    targets,
)
from vsr_compiler.diagnostics.codes.model import BASE, Code, Example, Kind, Stage

__all__ = ["BASE", "CODES", "Code", "Example", "Kind", "Stage"]

CODES: Mapping[str, Code] = MappingProxyType(
    syntax.CODES
    | imports.CODES
    | import_sources.CODES
    | names.CODES
    | endpoints.CODES
    | conditions.CODES
    | policy_tests.CODES
    | pairs.CODES
    | attempts.CODES
    | classification.CODES
    | classifier_servers.CODES
    | heads.CODES
    | identity.CODES
    | limits.CODES
    | residency.CODES
    | listeners.CODES
    | servers.CODES
    | backends.CODES
    | cache_store.CODES
    | capacity.CODES
    | candidates.CODES
    | encoders.CODES
    | attach.CODES
    | advisories.CODES
    | charts.CODES
    | hosts.CODES
    | environments.CODES
    | review.CODES
    | rollouts.CODES
    | targets.CODES
    | engines.CODES
    | delivery.CODES
    | manifest_references.CODES
    | manifest_routes.CODES
    | manifest_input.CODES
    | manifest_schemas.CODES
    | manifest_acceptance.CODES
    | rate_limits.CODES
    | releases.CODES
    | importer.CODES
    | foreign.CODES
    | migration.CODES
    | live.CODES
    | output.CODES,
)
