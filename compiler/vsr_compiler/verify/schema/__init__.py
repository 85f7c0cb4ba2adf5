"""Checks of objects against the schemas of their kinds, as an API server does: structure, defaults, CEL rules."""

from vsr_compiler.verify.schema.catalog import Catalog, Releases
from vsr_compiler.verify.schema.checks import check_schemas

__all__ = ["Catalog", "Releases", "check_schemas"]
