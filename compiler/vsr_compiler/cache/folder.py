"""The user's cache folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return our cache folder: ``VSR_CACHE_DIR``, else below ``XDG_CACHE_HOME``, else below ``~/.cache``."""
    if folder := environment.get("VSR_CACHE_DIR", ""):
        return Path(folder)
    xdg = environment.get("XDG_CACHE_HOME", "")
    # The XDG specification says that relative paths are ignored.
    base = Path(xdg) if xdg.startswith("/") else Path(environment.get("HOME", "") or Path.home()) / ".cache"
    return base / "vsr-compile"
