"""Where definitions that were downloaded lie, outside every project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def folder(environment: Mapping[str, str]) -> Path:
    """``VSR_CACHE_DIR``, else ``XDG_CACHE_HOME``, else ``~/.cache``; a folder of our own in the latter two."""
    own = environment.get("VSR_CACHE_DIR", "")
    if own:
        return Path(own) / "crds"
    xdg = environment.get("XDG_CACHE_HOME", "")
    # The specification of these variables says that a relative path is to be ignored.
    base = Path(xdg) if xdg.startswith("/") else Path(environment.get("HOME", "") or Path.home()) / ".cache"
    return base / "vsr-compile" / "crds"
