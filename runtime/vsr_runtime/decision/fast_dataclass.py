"""Dataclasses that are fast to build, for objects that every request creates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as fast_dataclass
else:
    from collections.abc import Callable
    from dataclasses import dataclass

    def fast_dataclass(*, frozen: bool, slots: bool = False) -> Callable[[type], type]:
        """Return a decorator like ``dataclasses.dataclass`` whose classes are frozen for the type checker only.

        A class that is frozen at run time sets each field with a call, which makes it several times slower to build.
        ``frozen`` only adds a hash.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["fast_dataclass"]
