"""The canonical form of a policy's text, comments kept: ``canonical`` is all that others need."""

from vsr_compiler.syntax.fmt.canonical import canonical

__all__ = ["canonical"]
