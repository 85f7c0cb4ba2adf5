"""The formatter of policies, which keeps comments."""

from vsr_compiler.syntax.fmt.canonical import canonical

__all__ = ["canonical"]
