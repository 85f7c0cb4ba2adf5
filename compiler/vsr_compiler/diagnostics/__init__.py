"""Findings: the diagnostic type, the registry of codes and a renderer for each format."""

from vsr_compiler.diagnostics.codes import CODES, Code
from vsr_compiler.diagnostics.model import MAX_FINDINGS, CompileError, Diagnostic, Severity, Span

__all__ = ["CODES", "MAX_FINDINGS", "Code", "CompileError", "Diagnostic", "Severity", "Span"]
