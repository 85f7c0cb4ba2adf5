"""Parts of a router config of whatever form, which may be malformed: lists, mappings, and rules as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vsr_compiler.equivalence.fields import PROSE

Body = Mapping[str, Any]


def canonical(rule: Any) -> str:  # noqa: ANN401 - of any form
    """Return a rule as text, without its name and prose."""
    body = {key: rule[key] for key in rule if key not in PROSE} if isinstance(rule, Mapping) else rule
    return json.dumps(body, sort_keys=True, default=str)


def texts(value: object) -> list[str]:
    """Return a list of texts; empty for anything else."""
    return [str(item) for item in value] if isinstance(value, list) else []


def rules_of(value: object) -> list[dict[str, Any]]:
    """Return a list of mappings; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def dict_of(value: object) -> dict[str, Any]:
    """Return a mapping; empty for anything else."""
    return value if isinstance(value, dict) else {}
