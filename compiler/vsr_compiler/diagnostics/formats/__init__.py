"""One module a format in which findings are printed. Each has a pure ``render``."""

NAMES = ("text", "json", "sarif", "github", "junit")
"""What ``--format`` takes."""
