"""What Envoy itself says of the values in EnvoyFilters and EnvoyPatchPolicies, by `envoy --mode validate`.

An API server takes any value there, and a gateway that is handed a wrong one keeps what it had and says so in its log.
"""

from __future__ import annotations

from collections.abc import Callable

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy.answers import finding
from vsr_compiler.verify.envoy.bootstrap import bootstrap
from vsr_compiler.verify.envoy.fragments import Fragment, fragments
from vsr_compiler.verify.envoy.process import NotAnsweredError, binary, validate
from vsr_compiler.verify.manifest import Manifest

__all__ = ["verdicts"]

MAX_RUNS = 60
"""Runs of Envoy, some 50 ms each: one where all is well, and a few for each value that is not."""
MAX_BYTES = 8 * 1024 * 1024
_INSTALL = "Install it: pip install 'vsr-compile[local]'."
_Answer = Callable[[list[Fragment]], str]


def verdicts(manifests: list[Manifest], *, wanted: bool = False) -> list[Diagnostic]:
    """What Envoy refuses, each at the field that it names where that can be found.

    Args:
        manifests: The objects.
        wanted: Whether somebody asked for it: then an Envoy that is not installed is an error.
    """
    found: list[Diagnostic] = []
    given = _affordable(fragments(manifests, found), found)
    if not given:
        return found
    program = binary()
    if program is None:
        message = f"Envoy is not installed, so what it says of {_values(len(given))} is not known"
        level = Severity.ERROR if wanted else Severity.NOTE
        return [*found, Diagnostic("VSR456", message, given[0].span, _INSTALL, level)]
    search = _Search(lambda some: validate(program, bootstrap(some)))
    try:
        search.among(given)
    except NotAnsweredError as error:
        message = f"Envoy gave no verdict on some of {_values(len(given))}: {error}"
        hint = "Mend what is found already, and check again; or check fewer objects at once."
        found.append(Diagnostic("VSR456", message, given[0].span, hint, Severity.WARNING))
    return [*found, *search.found]


class _Search:
    """Looks for the values that are refused by halving: all that are fine together cost one run."""

    def __init__(self, answer: _Answer) -> None:
        self.found: list[Diagnostic] = []
        self._answer = answer
        self._runs = 0

    def among(self, given: list[Fragment]) -> None:
        """Find what is refused among these.

        Raises:
            NotAnsweredError: Envoy does not answer, or there is too much to find.
        """
        self._runs += 1
        if self._runs > MAX_RUNS:
            raise NotAnsweredError("too many of them are refused")
        refusal = self._answer(given)
        if not refusal:
            return
        if len(given) == 1:
            found = finding(given[0], refusal)
            self.found += [found] if found else []
            return
        half = len(given) // 2
        self.among(given[:half])
        self.among(given[half:])


def _affordable(given: list[Fragment], found: list[Diagnostic]) -> list[Fragment]:
    """Each value once, as many as go into one file."""
    known: dict[str, Fragment] = {}
    size = 0
    for each in given:
        size += len(each.text) if each.text not in known else 0
        if size > MAX_BYTES:
            message = f"values over {MAX_BYTES // 1024 // 1024} MiB, from here on, are not put to Envoy"
            hint = "Check the manifests in several runs."
            found.append(Diagnostic("VSR456", message, each.span, hint, Severity.WARNING))
            break
        known.setdefault(each.text, each)
    return list(known.values())


def _values(number: int) -> str:
    return "a value" if number == 1 else f"{number} values"
