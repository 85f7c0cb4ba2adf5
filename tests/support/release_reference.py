"""The tables of ``docs/reference/releases.md``: profiles, releases and vulnerabilities, from the files of releases.

Run ``python tests/support/release_reference.py`` to rewrite the tables in the page; a test compares both.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from support.common import ROOT
from vsr_compiler.releases import PROFILES
from vsr_compiler.releases.data import PROJECTS, Project, Release, project

PAGE = ROOT / "docs" / "reference" / "releases.md"
_TABLE = re.compile(r"(<!-- (?P<name>\S+) -->\n\n)(?:\|.*\n|\n(?!<!-- end)|###.*\n)*\n?(<!-- end -->)")


def rows(lines: Iterable[Sequence[str]], *heading: str) -> str:
    """A table."""
    table = [heading, ("---",) * len(heading), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in table)


def profiles() -> str:
    """The releases of each profile."""
    lines = [
        (project(name).title, f"`{name}`", *(PROFILES[profile].get(name, "") for profile in PROFILES))
        for name in sorted(PROFILES["current"])
    ]
    return rows(lines, "project", "key", *(f"`{name}`" for name in PROFILES))


def end(release: Release) -> str:
    """The end of life in words."""
    return f"{release.end_of_life:%Y-%m-%d}" if release.end_of_life else ""


def fits(known: Project, release: Release) -> str:
    """What else a release needs."""
    facts = release.sections.get("facts", {})
    parts = [f"Kubernetes {release.kubernetes} or newer"] if release.kubernetes else []
    for key, title in (("gateway-apis", "Gateway API"), ("envoy-gateways", "Envoy Gateway")):
        parts += [f"{title} {' or '.join(facts[key])}"] if key in facts else []
    if known.name == "inference-extension" and "picker" not in release.sections:
        parts.append("the picker of llm-d-router")
    return ", ".join(parts)


def releases() -> str:
    """Every release."""
    lines = [
        (
            f"`{name}`",
            release.name,
            f"{release.date:%Y-%m-%d}" if release.date else "",
            end(release),
            fits(project(name), release),
            "" if release.confirmed else f"not confirmed: {release.source}",
        )
        for name in PROJECTS
        for release in project(name).releases.values()
    ]
    return rows(lines, "project", "release", "published", "end of life", "needs", "remark")


def advisories() -> str:
    """Every vulnerability."""
    lines = [
        (
            f"`{name}`",
            item.id,
            item.summary,
            item.concerns,
            ", ".join(f"{one.since} to before {one.fixed}" for one in item.affected),
        )
        for name in PROJECTS
        for item in project(name).advisories
    ]
    return rows(lines, "project", "vulnerability", "what is possible", "reported if the output has", "affected")


def page(current: str) -> str:
    """The page with the tables of today."""
    tables = {"profiles": profiles, "releases": releases, "advisories": advisories}
    return _TABLE.sub(lambda match: f"{match[1]}{tables[match['name']]()}\n{match[3]}", current)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
