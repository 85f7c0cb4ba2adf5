"""Dataclasses of which every request makes a dozen: frozen to the type checker, and plain when they run.

One that is frozen at run time sets each field by a call, which makes it several times as slow to build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as light
else:
    from collections.abc import Callable
    from dataclasses import dataclass

    def light(*, frozen: bool, slots: bool = False) -> Callable[[type], type]:
        """As `dataclasses.dataclass`, but ``frozen`` says only that it has a hash."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["light"]
