"""Names become symbols, references become objects."""

from compiler.link.linker import link

__all__ = ["link"]
