"""A01 and A02: rules about dry runs at an API server, applied by ``api_server``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="A01",
        code="VSR460",
        purpose="The API server accepts every object in a dry run (`--server`), without warnings.",
    ),
    Rule(
        name="A02",
        code="VSR461",
        purpose="The API server answers in time, allows the dry run, and has the namespace and kind of every object.",
    ),
)
