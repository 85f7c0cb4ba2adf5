"""Patterns as an API server reads them: RE2, whose time is linear in the text, so that no pattern can hang a check."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MAX_PATTERN = 4096
MAX_MEMORY = 8 * 1024 * 1024


def available() -> bool:
    """Whether the engine is installed; without it no pattern is checked."""
    try:
        import re2  # noqa: F401, PLC0415 - needed only where a schema has patterns
    except ImportError:
        return False
    return True


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 carries no types
    """The compiled pattern; None where it is none, or longer than a pattern is."""
    if len(pattern) > MAX_PATTERN:
        return None
    import re2  # noqa: PLC0415 - as above

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return re2.compile(pattern, options=options)
    except re2.error:
        return None
