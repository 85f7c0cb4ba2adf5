"""Arguments and plugins of endpoint pickers that their release does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.releases.picker_words import WORDS, Words
from vsr_compiler.verify.manifest import Manifest, Path, text
from vsr_compiler.verify.pickers import Picker

_IMAGE = re.compile(
    r"/(?:(?P<gie>gateway-api-inference-extension/epp)|llm-d-(?:router-endpoint-picker|inference-scheduler))"
    r":v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})\.\d"
)
_HINT = "If this build has it, take no notice: it may have been changed."


def known(picker: Picker) -> Words | None:
    """What the release in a picker's image knows; None where that is not known."""
    found = _IMAGE.search(text(picker.container.get("image")))
    if found is None:
        return None
    return WORDS.get(("gie" if found["gie"] else "llm-d", (int(found["major"]), int(found["minor"]))))


def unknown_flags(picker: Picker) -> Iterator[Diagnostic]:
    """Arguments at which the picker ends before it begins."""
    words = known(picker)
    for name, (_, path) in picker.flags.items() if words else ():
        if words and name not in words.flags:
            yield _found(f"this release knows no argument --{name}", name, words.flags, picker.owner, path)


def unknown_plugins(picker: Picker, types: Iterable[str], source: Manifest, path: Path) -> Iterator[Diagnostic]:
    """Types of plugins with which the picker does not start."""
    words = known(picker)
    for name in types if words else ():
        if words and name not in words.plugins:
            yield _found(f"this release knows no plugin `{name[:80]}`", name, words.plugins, source, path)


def _found(message: str, name: str, words: frozenset[str], source: Manifest, path: Path) -> Diagnostic:
    hint = did_you_mean(name, sorted(words)) or _HINT
    return Diagnostic("VSR414", message, source.span(*path), hint, Severity.WARNING)
