"""Patterns in RE2, as in an API server. Matching takes linear time, so no pattern can block a check."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MAX_PATTERN = 4096
MAX_MEMORY = 8 * 1024 * 1024


def available() -> bool:
    """Whether RE2 is installed; without it patterns are not checked."""
    try:
        import re2  # noqa: F401, PLC0415 - only for schemas with patterns
    except ImportError:
        return False
    return True


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
    """Return the compiled pattern; None if it is invalid or longer than ``MAX_PATTERN``."""
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
