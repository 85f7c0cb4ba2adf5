"""Kubernetes' quantities as values of manifests, where a number stands for its text."""

from __future__ import annotations

import math

from vsr_compiler.verify.schema.cel.quantities import parse

FORMAT = "quantity"
"""What our own schemas of core kinds call it; no CustomResourceDefinition has this format."""


def valid(value: object) -> bool:
    """Whether a text or a number is a quantity."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or parse(value) is not None
