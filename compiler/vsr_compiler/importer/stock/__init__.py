"""Configurations of the vLLM semantic-router, of every release and in every form in which people have them.

Older forms become the layout of 0.4.0 with the positions of their source, and one mapper reads that.
"""

from vsr_compiler.importer.family import Family
from vsr_compiler.importer.stock.dsl import is_program
from vsr_compiler.importer.stock.forms import recognise
from vsr_compiler.importer.stock.read import read

FAMILY = Family("semantic-router", recognise, read, is_text=is_program)
"""The stock router's forms."""

__all__ = ["FAMILY"]
