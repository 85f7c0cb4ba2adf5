"""The command line of ``vsr-compile``."""

from compiler.cli.main import main

__all__ = ["main"]
