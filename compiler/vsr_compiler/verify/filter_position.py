"""The place of an ext_proc filter among the HTTP filters of Envoy Gateway."""

from __future__ import annotations

import re

from vsr_compiler.releases.filter_order import ENVOY_GATEWAY, PICKER
from vsr_compiler.verify.ext_proc import ExtProcFilter
from vsr_compiler.verify.manifest import as_mapping, as_string

_NAMED = re.compile(r"http_?[fF]ilters\[\?\(?\s*@\.name\s*==\s*(['\"])([^'\"]+)\1\s*\)?\]$")
_FIRST = re.compile(r"http_?[fF]ilters/0$")


def anchor(processor: ExtProcFilter) -> str:
    """Return the name of the filter before which a patch inserts a filter; empty for a place by number."""
    operation = as_mapping(processor.source.at(*processor.path[:-1]))
    named = _NAMED.search(as_string(operation.get("jsonPath")))
    return named[2] if named and not operation.get("path") else ""


def position(processor: ExtProcFilter) -> int:
    """Return how many of Envoy Gateway's filters run before a filter, as an index of ``ENVOY_GATEWAY``.

    Which filters are behind a place by number depends on the policies of the Gateway. All but the first place are taken
    to be behind all filters.
    """
    if processor.source.kind == "EnvoyExtensionPolicy":
        return ENVOY_GATEWAY.index(PICKER)
    name = anchor(processor).partition("/")[0]
    if name:
        return ENVOY_GATEWAY.index(name) if name in ENVOY_GATEWAY else len(ENVOY_GATEWAY)
    operation = as_mapping(processor.source.at(*processor.path[:-1]))
    return 0 if _FIRST.search(as_string(operation.get("path"))) else len(ENVOY_GATEWAY)
