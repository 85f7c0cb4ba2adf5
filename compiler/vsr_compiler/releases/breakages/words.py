"""A breakage in words, for people who have none of the objects before them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never

from vsr_compiler.releases.breakages.model import (
    Arguments,
    Breakage,
    Fields,
    Images,
    Metrics,
    Parameters,
    Patches,
    PickerSettings,
    Plugins,
    PodLabel,
    Sign,
    Together,
    Unseen,
    Variables,
    Versions,
)

_MOST = 4
_FOUND = "{found}"


def sentence(item: Breakage) -> str:
    """Return what a release changes."""
    text = item.what.replace(_FOUND, _subject(item.sign))
    return text[0].upper() + text[1:]


def is_about(item: Breakage, message: str) -> bool:
    """Whether the message of a finding is about a breakage."""
    what = ".*".join(map(re.escape, item.what.split(_FOUND)))
    return re.search(rf"{what} \(since {re.escape(item.since)}\)$", message) is not None


def _subject(sign: Sign) -> str:  # noqa: C901, PLR0911 - one branch for each way of being seen
    match sign:
        case Arguments(names=names, values=values):
            return _listed(f"--{name}{f' {min(values)}' if values else ''}" for name in names if len(name) > 1)
        case Variables(names=names) | Plugins(names=names) | Parameters(names=names):
            return _listed(names)
        case Images():
            return "every image of its picker"
        case PodLabel(key=key, values=values):
            return _listed(f"{key}: {value}" for value in values)
        case Metrics(prefix=prefix):
            return f"`{prefix}…`" if prefix.endswith("_") else f"`{prefix}`"
        case PickerSettings(setting=setting):
            return setting.value
        case Fields(kinds=kinds, path=path):
            return f"`{path.replace('[]', '')}` of {', '.join(kinds)}"
        case Versions(group=group, kinds=kinds, versions=versions):
            return f"{_listed(kinds)} of {'/'.join([group, *sorted(versions)])}"
        case Patches(example=example):
            return f"`{example}`"
        case Together(behaviour=behaviour):
            return behaviour.value
        case Unseen(subject=subject):
            return subject
        case _:
            assert_never(sign)


def _listed(names: Iterable[str]) -> str:
    listed = [f"`{name}`" for name in names]
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return ", ".join(listed[:_MOST]) + more
