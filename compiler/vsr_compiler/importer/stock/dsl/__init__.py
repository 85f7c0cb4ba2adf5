"""The stock router's routing language, as a configuration in the layout of 0.4.0."""

from vsr_compiler.importer.stock.dsl.lexer import is_program
from vsr_compiler.importer.stock.dsl.merge import merged
from vsr_compiler.importer.stock.dsl.parser import parse

__all__ = ["is_program", "merged", "parse"]
