"""The command line of ``vsr-compile``."""

from vsr_compiler.cli.main import main

__all__ = ["main"]
