"""The families of formats that can be imported, in the order in which they recognise documents."""

from __future__ import annotations

from vsr_compiler.importer import agentgateway, litellm, manifests, stock
from vsr_compiler.importer.family import Family

FAMILIES: tuple[Family, ...] = (stock.FAMILY, litellm.FAMILY, agentgateway.FAMILY, manifests.FAMILY)
