"""Words that the effects of a change share: objects, lists of environments, commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vsr_compiler.review.change_text import format_value
from vsr_compiler.review.compare import identity_of
from vsr_compiler.review.environment_changes import Body

_PLAIN = re.compile(r"[A-Za-z0-9./_=-]+")


def label(body: Body) -> str:
    """Return ``Kind namespace/name``."""
    return identity_of(body)


def value(content: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value of a field in words."""
    if content is None:
        return "not set"
    if isinstance(content, list) and all(isinstance(item, str) for item in content):
        return ", ".join(content)
    return format_value(content)


def listed(names: Iterable[str]) -> str:
    """Return names as a list."""
    return ", ".join(dict.fromkeys(names))


def kubectl(command: str, body: Body, *flags: str) -> str:
    """Return a command of kubectl for an object; names of other people's output are never part of a shell command."""
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    namespace, name = metadata.get("namespace"), str(metadata.get("name"))
    words = ["kubectl", *(["-n", str(namespace)] if namespace else []), command, str(body.get("kind")).lower(), name]
    return " ".join(word if _PLAIN.fullmatch(word) else "<…>" for word in (*words, *flags))


def mapping(content: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    """Return a mapping as it is, anything else as an empty one."""
    return content if isinstance(content, Mapping) else {}


def items(content: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - any JSON
    """Return the mappings of a list; anything else is empty."""
    return [item for item in content if isinstance(item, Mapping)] if isinstance(content, list) else []
