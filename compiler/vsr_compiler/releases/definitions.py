"""Releases whose CustomResourceDefinitions are not at hand, with the release whose definitions are used for them."""

from __future__ import annotations

from vsr_compiler.releases.data import PROJECTS, project


def definitions_of(name: str, release: str) -> str:
    """Return the release whose definitions are used for a release: itself, unless its project's file names another."""
    known = project(name).releases.get(release) if name in PROJECTS else None
    return release if known is None else known.definitions or release
