"""One diagnostic type, one registry of codes, one renderer a format. Everything above reports through here."""

from compiler.diagnostics.codes import CODES, Code
from compiler.diagnostics.model import CompileError, Diagnostic, Severity, Span

__all__ = ["CODES", "Code", "CompileError", "Diagnostic", "Severity", "Span"]
