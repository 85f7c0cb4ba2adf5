"""The registry of versions. A conversion is a pure function of the tree, which keeps comments, order and positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vsr_compiler.syntax.fmt.tree import Branch
from vsr_compiler.syntax.migrate.listeners import with_listeners

Conversion = Callable[[Branch], Branch]
"""Returns the root of a file with other entries, or the same root. Raises ``RefusedError``.

Entries that stay must be the same objects, because their text is kept as it is. A changed entry keeps the ``start`` of
its key. No value and no comment may be lost.
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the policy language.

    ``words`` convert what moved within the version; ``upward`` leads to the next one.
    """

    name: str
    words: tuple[Conversion, ...] = ()
    upward: tuple[Conversion, ...] = ()


REGISTRY = (Version("vsr.dev/v1alpha1", words=(with_listeners,)),)
"""Oldest first. The names are those of ``vsr_schemas.policy.versions``."""
