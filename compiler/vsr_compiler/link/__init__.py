"""Names become symbols, references become objects."""

from vsr_compiler.link.linker import link

__all__ = ["link"]
