"""Output formats of findings, one module each with a pure function ``render``."""

NAMES = ("text", "json", "sarif", "github", "junit")
"""Values of ``--format``."""
