"""Resolves the names of a policy: schema models to the linked policy, one module per section."""

from vsr_compiler.link.linker import link, references
from vsr_compiler.link.scope import Reference

__all__ = ["Reference", "link", "references"]
