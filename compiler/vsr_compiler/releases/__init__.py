"""What differs by release, as tables by release. Emitters look releases up and never compare versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("profiles.toml")

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {name: MappingProxyType(item) for name, item in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}
)
"""Profiles: releases that fit together, by the name that `gateway.versions` takes."""
