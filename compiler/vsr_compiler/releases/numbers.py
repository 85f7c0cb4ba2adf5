"""Releases as numbers, so that they can be compared."""

from __future__ import annotations

import re
from typing import TypeAlias

Numbers: TypeAlias = tuple[int, ...]
_RELEASE = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-+].{0,100})?")


def numbers(release: str) -> Numbers | None:
    """Return a release as three numbers; None if it is not one.

    A candidate counts as the release that it is a candidate of, because it has the same changes.
    """
    match = _RELEASE.fullmatch(release.strip())
    return None if match is None else tuple(int(part or 0) for part in match.groups())
