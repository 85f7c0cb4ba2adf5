"""The releases that an upgrade asks for, and the policy with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vsr_compiler.diagnostics.suggestions import use_one_of
from vsr_compiler.releases.components import ALIASES
from vsr_compiler.releases.known import RELEASES, by_number
from vsr_compiler.targets import TARGETS, profiles
from vsr_schemas.policy.v1alpha1 import PolicySpec

Versions = str | dict[str, str]
"""A value of ``gateway.versions``: a profile, or releases by project."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        profile: The profile; empty if only projects are named.
        releases: The releases of projects.
        environment: The environment whose releases change; None for the policy's.
    """

    profile: str
    releases: Mapping[str, str]
    environment: str | None = None

    @property
    def text(self) -> str:
        """The releases in words."""
        parts = [f"{name} {release}" for name, release in self.releases.items()]
        return ", ".join([*([self.profile] if self.profile else []), *parts])

    def versions(self, old: Mapping[str, str]) -> Versions:
        """Return the new value of ``versions``, as short as possible.

        Args:
            old: Today's release of each project.
        """
        known = profiles()
        new = {**old, **(known[self.profile] if self.profile else {}), **self.releases}
        for name in sorted(known, key=lambda name: name != "current"):
            if all(known[name].get(project) == release for project, release in new.items()):
                return name
        return {project: release for project, release in sorted(new.items()) if known["current"][project] != release}


def wanted_releases(written: Iterable[str], environment: str | None = None) -> Wanted:
    """Return what options ask for: ``PROFILE``, or ``PROJECT=RELEASE``.

    Raises:
        ValueError: An option is neither; the message says what is known.
    """
    profile, releases = "", {}
    for item in written:
        name, equals, release = item.partition("=")
        project = ALIASES.get(name, name)
        if not equals and item in profiles():
            profile = item
        elif not equals:
            raise ValueError(f"There is no profile `{item}`. {use_one_of(profiles())} Or name PROJECT=RELEASE.")
        elif project not in profiles()["current"]:
            raise ValueError(f"There is no project `{name}`. {use_one_of(profiles()['current'], limit=20)}")
        elif (release := release.removeprefix("v")) not in (known := _known(project)):
            names = ", ".join(sorted(known, key=by_number))
            raise ValueError(f"{project} {release} is not a known release. Use one of: {names}.")
        else:
            releases[project] = release
    return Wanted(profile, releases, environment)


def _known(project: str) -> set[str]:
    """Return the known releases of a project, in the common tables and in those of targets."""
    own = [target.tables[project] for target in TARGETS.values() if project in target.tables]
    return {release for table in (*own, RELEASES.get(project, ())) for release in table}


def revised(spec: PolicySpec, versions: Versions, environment: str | None) -> PolicySpec:
    """Return a policy with other releases, of an environment or of the policy itself."""
    if environment is None:
        return spec.model_copy(update={"gateway": spec.gateway.model_copy(update={"versions": versions})})
    changed = spec.environments[environment].model_copy(update={"versions": versions})
    return spec.model_copy(update={"environments": {**spec.environments, environment: changed}})
