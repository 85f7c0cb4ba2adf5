"""Imports in tests: from text to the policy as data, and its findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vsr_compiler.importer import Imported, Options, import_files

HEAD = """\
version: v0.3
providers:
  defaults: {model: small}
  models:
    - {name: small, backend_refs: [{endpoint: "small.models:8000"}]}
    - {name: large, reasoning: {family: gpt-oss}, backend_refs: [{endpoint: "large.models:8000"}]}
routing:
  modelCards: [{name: small}, {name: large}]
"""
"""A configuration without signals and decisions; tests add lines with two spaces."""


def imported(folder: Path, *texts: str, options: Options | None = None) -> Imported:
    """Import texts, each as a file of its own."""
    paths = []
    for index, text in enumerate(texts):
        path = folder / f"source-{index}.yaml"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return import_files(paths, options or Options())


def policy_of(result: Imported) -> dict[str, Any]:
    """The policy as plain data."""
    loaded: dict[str, Any] = YAML(typ="safe").load(result.policy)
    return loaded


def places(result: Imported, code: str) -> list[tuple[int, str]]:
    """Line and message of the findings of a code."""
    return [(item.span.line, item.message) for item in result.findings if item.code == code]


def routes(result: Imported) -> list[tuple[str, Any, Any]]:
    """Name, condition and answer of each route."""
    return [
        (route["name"], route["when"], route.get("model") or route.get("split") or route.get("respond"))
        for route in policy_of(result).get("routes", [])
    ]
