"""Check the values of EnvoyFilters and EnvoyPatchPolicies with Envoy itself: `envoy --mode validate`.

An API server accepts any value there. A gateway that receives an invalid one keeps its old configuration and reports
the error only in its log.
"""

from __future__ import annotations

from collections.abc import Callable

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy.bootstrap import bootstrap
from vsr_compiler.verify.envoy.findings import diagnostic
from vsr_compiler.verify.envoy.fragments import Fragment, fragments
from vsr_compiler.verify.envoy.process import NotAnsweredError, binary, validate
from vsr_compiler.verify.manifest import Manifest

__all__ = ["check_envoy"]

MAX_RUNS = 60
"""Limit of runs of Envoy, of about 50 ms each: one if all values are valid, and a few more for each invalid one."""
MAX_BYTES = 8 * 1024 * 1024
"""Limit of the values of one run."""
_INSTALL = "Install it: pip install 'vsr-compile[local]'."
_Validate = Callable[[list[Fragment]], str]


def check_envoy(manifests: list[Manifest], *, required: bool = False) -> list[Diagnostic]:
    """Return what Envoy rejects, at the field that its message names if that field can be located.

    Args:
        manifests: The objects.
        required: Whether it is an error if Envoy is not installed.
    """
    diagnostics: list[Diagnostic] = []
    fragments_to_check = _within_limit(fragments(manifests, diagnostics), diagnostics)
    if not fragments_to_check:
        return diagnostics
    envoy = binary()
    if envoy is None:
        message = f"{_count(len(fragments_to_check))} not checked by Envoy: it is not installed"
        level = Severity.ERROR if required else Severity.NOTE
        return [*diagnostics, Diagnostic("VSR456", message, fragments_to_check[0].span, _INSTALL, level)]
    search = _Search(lambda some: validate(envoy, bootstrap(some)))
    try:
        search.search(fragments_to_check)
    except NotAnsweredError as error:
        message = f"some of {_count(len(fragments_to_check))} not checked by Envoy: {error}"
        hint = "Fix the other findings and check again, or check fewer objects at a time."
        diagnostics.append(Diagnostic("VSR456", message, fragments_to_check[0].span, hint, Severity.WARNING))
    return [*diagnostics, *search.diagnostics]


class _Search:
    """Find the rejected values by bisection: a group of valid values costs one run."""

    def __init__(self, validate_fragments: _Validate) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._validate = validate_fragments
        self._runs = 0

    def search(self, fragments_to_check: list[Fragment]) -> None:
        """Add a diagnostic for each rejected value.

        Raises:
            NotAnsweredError: Envoy does not answer, or ``MAX_RUNS`` are not enough.
        """
        self._runs += 1
        if self._runs > MAX_RUNS:
            raise NotAnsweredError("too many of them are rejected")
        reason = self._validate(fragments_to_check)
        if not reason:
            return
        if len(fragments_to_check) == 1:
            rejected = diagnostic(fragments_to_check[0], reason)
            self.diagnostics += [rejected] if rejected else []
            return
        half = len(fragments_to_check) // 2
        self.search(fragments_to_check[:half])
        self.search(fragments_to_check[half:])


def _within_limit(fragments_to_check: list[Fragment], diagnostics: list[Diagnostic]) -> list[Fragment]:
    """Return each distinct value once, up to ``MAX_BYTES``."""
    unique: dict[str, Fragment] = {}
    size = 0
    for fragment in fragments_to_check:
        size += len(fragment.text) if fragment.text not in unique else 0
        if size > MAX_BYTES:
            message = f"values not checked by Envoy from here on: they exceed {MAX_BYTES // 1024 // 1024} MiB"
            hint = "Check the manifests in several runs."
            diagnostics.append(Diagnostic("VSR456", message, fragment.span, hint, Severity.WARNING))
            break
        unique.setdefault(fragment.text, fragment)
    return list(unique.values())


def _count(number: int) -> str:
    return "a value" if number == 1 else f"{number} values"
