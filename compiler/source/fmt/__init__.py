"""The canonical form of a policy's text, comments kept: ``canonical`` is all that others need."""

from compiler.source.fmt.canonical import canonical

__all__ = ["canonical"]
