"""What ``diff`` says if the earlier output was compiled for other releases: the order and faults of ``upgrade``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from vsr_compiler.diagnostics import Span
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.pipeline import Compiled
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.compare import Comparison, identity_of
from vsr_compiler.review.environment_changes import environment_bodies
from vsr_compiler.review.upgrade.broken import broken
from vsr_compiler.review.upgrade.report import delivery_of, new_projects, release_changes, used_projects
from vsr_compiler.review.upgrade.steps import installations, objects_first
from vsr_compiler.verify import Manifest
from vsr_schemas.reports_diff import RolloutChange
from vsr_schemas.reports_upgrade import Finding

_MOST = 5
"""Faults that are named; `upgrade` names all of them."""


def release_hints(path: Path, old: Baseline, compiled: Compiled, out: Path) -> list[RolloutChange]:
    """Return the releases that change, with the steps outside of the objects, and what is broken in between.

    Args:
        path: The policy.
        old: The earlier output.
        compiled: The new output.
        out: The root of the output, for commands.
    """
    if old.lock is None:
        return []
    policy = compiled.policy
    changes = list(release_changes(policy, old.lock.tables, policy.versions))
    if not changes:
        return []
    trees = Comparison(old.files, {name: file.content for name, file in compiled.tree.items()}, old.label)
    sides = [_manifests(trees, old=side) for side in (True, False)]
    releases = [_releases(lock, names) for lock, names in zip((old.lock, compiled.lock), sides, strict=True)]
    changes += new_projects(changes, used_projects(sides[0]), used_projects(sides[1]))
    common = sides[0].keys() & sides[1].keys()
    before, after = (
        broken({name: sides[number][name] for name in sorted(common)}, releases[1 - number], releases[number])
        for number in (0, 1)
    )
    words = ", ".join(f"{item.title} {item.old or 'new'} → {item.new}" for item in changes)
    steps = [
        f"{step.title}: {', then '.join(f'`{command}`' for command in (*step.commands, *step.waits))}"
        for step in installations(changes, delivery_of(path, compiled, out))
    ]
    outside = [change for change in changes if change.installed_by != "objects"]
    first = bool(steps) and objects_first(outside, before, after)
    when = "after this change" if first else "before this change"
    text = f"releases change: {words}" + (f"; {when}, upgrade what is not in the objects" if steps else "")
    return [
        RolloutChange(text=text, steps=steps),
        *_faults("broken if the releases change first", before),
        *_faults("broken if this change comes first", after),
    ]


def _faults(when: str, findings: list[Finding]) -> Iterator[RolloutChange]:
    errors = [item for item in findings if item.severity == "error"]
    for item in errors[:_MOST]:
        yield RolloutChange(text=f"{when}: {item.message} ({item.code})")
    if len(errors) > _MOST:
        yield RolloutChange(text=f"{when}: {len(errors) - _MOST} more, which `vsr-compile upgrade` lists")


def _manifests(trees: Comparison, *, old: bool) -> dict[str, list[Manifest]]:
    return {
        name: [Manifest.generated(dict(body), Span(file)) for file, body in bodies if identity_of(body)]
        for name, bodies in environment_bodies(trees, old=old).items()
    }


def _releases(lock: Lock, names: Mapping[str, list[Manifest]]) -> dict[str, Mapping[str, str]]:
    """Return the releases of each environment, by the folder of its overlay."""
    folders = {folder.rpartition("/")[2]: folder for folder in lock.overlays}
    return {name: lock.releases(f"{folders[name]}/") if name in folders else lock.tables for name in names}
