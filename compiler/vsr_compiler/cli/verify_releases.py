"""The releases that ``verify`` checks for: of its options, of a profile, or of the lock of an output folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.diagnostics.suggestions import use_one_of
from vsr_compiler.releases import PROFILES
from vsr_compiler.releases.components import ALIASES, COMPONENTS
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.verify import Assumptions, Manifest
from vsr_compiler.verify.schema import Catalog
from vsr_compiler.verify.settings import Settings

Check = Callable[[list[Manifest], Assumptions], list[Diagnostic]]
_BREAKAGES = frozenset({"VSR643", "VSR644"})
_OF_SCHEMAS = frozenset({"VSR441", "VSR442", "VSR444", "VSR446", "VSR449"})


def parse_releases(written: Iterable[str], place: str = "--release") -> dict[str, str]:
    """Return the release of each component as options or settings name them.

    Args:
        written: Each component with its release.
        place: Where they are written, for messages.

    Raises:
        click.UsageError: One has another form, or a component is unknown.
    """
    releases: dict[str, str] = {}
    for item in written:
        name, equals, release = item.partition("=")
        component = ALIASES.get(name, name)
        if not equals or numbers(release) is None:
            raise click.UsageError(f"{place}: `{item}` is not COMPONENT=RELEASE, such as istio=1.31.4.")
        if component not in COMPONENTS:
            raise click.UsageError(f"{place}: unknown component `{name}`. {use_one_of(COMPONENTS)}")
        releases[component] = release.removeprefix("v")
    return releases


class Releases:
    """The releases of a run of ``verify``."""

    def __init__(
        self,
        written: Iterable[str],
        profile: str | None,
        settings: Settings,
        of_file: Callable[[str], Mapping[str, str]],
    ) -> None:
        """Store the releases: those of options precede those of settings, which precede those of a profile."""
        own = [f"{name}={release}" for name, release in settings.values.releases.items()]
        named = parse_releases(own, f"{settings.path}, `releases`") | parse_releases(written)
        self._given = {**(PROFILES[profile] if profile else {}), **named}
        self._of_file = (lambda _file: {}) if profile else of_file

    def of_definitions(self, catalog: Catalog) -> Callable[[str], Mapping[str, str]]:
        """Return the releases of definitions for a file; of those at hand, one of the same minor release."""
        given = {name: catalog.closest(name, release) for name, release in self._given.items()}
        return lambda file: {**self._of_file(file), **given}

    def checked(self, check: Check) -> Check:
        """Return a check that knows the releases of the objects."""

        def with_releases(manifests: list[Manifest], assumptions: Assumptions) -> list[Diagnostic]:
            files = {manifest.span().file for manifest in manifests}
            found = {tuple(sorted(self._of_file(file).items())) for file in files}
            own = dict(found.pop()) if len(found) == 1 else {}
            return check(manifests, assumptions | Assumptions(releases=tuple({**own, **self._given}.items())))

        return with_releases


def without_repeated(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Return the findings without those of a schema about which a rule for a release says more."""
    explained = {item.span for item in diagnostics if item.code in _BREAKAGES}
    return [item for item in diagnostics if item.code not in _OF_SCHEMAS or item.span not in explained]
