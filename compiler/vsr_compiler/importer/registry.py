"""The families of formats that can be imported, in the order in which they recognise documents."""

from __future__ import annotations

from vsr_compiler.importer import stock
from vsr_compiler.importer.family import Family

FAMILIES: tuple[Family, ...] = (stock.FAMILY,)
