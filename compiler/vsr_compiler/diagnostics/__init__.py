"""One diagnostic type, one registry of codes, one renderer a format. Everything above reports through here."""

from vsr_compiler.diagnostics.codes import CODES, Code
from vsr_compiler.diagnostics.model import MAX_FINDINGS, CompileError, Diagnostic, Severity, Span

__all__ = ["CODES", "MAX_FINDINGS", "Code", "CompileError", "Diagnostic", "Severity", "Span"]
