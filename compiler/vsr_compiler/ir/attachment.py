"""The attachment of the router to a Gateway that exists already, and whose routes are those of others."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_schemas.policy.v1alpha1.attach import Controller, Convention

ATTACH = "attach"
"""The name of the target."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """How the router and the routes of others meet.

    Attributes:
        convention: Whose routes they are.
        header: The header that the router writes and they match, in lower case.
        controller: What runs the Gateway.
        span: Its place in the policy.
    """

    convention: Convention
    header: str
    controller: Controller
    span: Span
