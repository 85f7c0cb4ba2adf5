"""The fragments of a policy, and who owns them."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Import:
    """A fragment.

    Attributes:
        file: Its file, as spans name it.
        path: Its file below the folder of the policy, with `/`, wherever the compile runs.
        owner: Who is responsible for it.
        sha256: The digest of its text, in hex.
        span: The import.
    """

    file: str
    path: str
    owner: str
    sha256: str
    span: Span
