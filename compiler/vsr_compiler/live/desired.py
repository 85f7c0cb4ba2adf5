"""The objects of an environment as its output folder has them, with the places of the policy that they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.deploy import packaging
from vsr_compiler.deploy.argocd.emit import FOLDER as ARGO_CD
from vsr_compiler.deploy.file_releases import is_output
from vsr_compiler.deploy.flux.emit import FOLDER as FLUX
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_compiler.live.subjects import Subject, subjects
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.pipeline import Compiled
from vsr_compiler.verify.files import read_worlds
from vsr_compiler.verify.manifest import Manifest

OVERLAYS = "overlays"
COMPOSE = "compose"
Key = tuple[str, str, str]
"""Kind, namespace and name."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What a cluster should have.

    Attributes:
        folder: The output folder.
        policy: The name of the policy.
        environment: The name of the environment.
        target: Its target.
        manifests: Its objects, in the order in which kustomize applies them.
        delivery: Objects of Argo CD and Flux that apply them; a cluster has those of one or of none.
        lock: The lock of the output.
        compiled: A fresh compile of the policy; None if the policy is not at hand.
        subjects: What each object is about, in words of the policy.
        warnings: What is wrong with the output itself.
    """

    folder: Path
    policy: str
    environment: str
    target: str
    manifests: tuple[Manifest, ...]
    delivery: tuple[Manifest, ...]
    lock: Lock
    compiled: Compiled | None = None
    subjects: Mapping[Key, Subject] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    def subject(self, manifest: Manifest) -> Subject:
        """Return what an object is about; its own place if the policy is not at hand."""
        return self.subjects.get(key_of(manifest), Subject("", manifest.span()))

    @property
    def resolved(self) -> ir.Environment | None:
        """The environment of the policy."""
        environments = () if self.compiled is None else self.compiled.policy.environments
        return next((item for item in environments if item.name == self.environment), None)


def key_of(manifest: Manifest) -> Key:
    """Return the key of an object."""
    return (manifest.kind, manifest.namespace, manifest.name)


def read_desired(folder: Path, environment: str, compiled: Compiled | None) -> Desired:
    """Return the objects of an environment.

    Args:
        folder: The output folder of a policy.
        environment: The name of the environment.
        compiled: A fresh compile of the policy, for the places in it.

    Raises:
        CompileError: VSR500 to VSR503 if the folder is not what the lock says, VSR573 if it has no such environment.
    """
    lock, files = packaging.read(folder)
    target = _target(folder, lock, environment)
    read = read_worlds((folder / target / OVERLAYS / environment,), is_output, namespace="default")
    manifests = [item for world in read.worlds for item in world.manifests]
    if read.diagnostics and not manifests:
        raise CompileError(read.diagnostics)
    outdated = compiled is not None and any(
        compiled.tree[path].content != content if path in compiled.tree else True for path, content in files.items()
    )
    warnings = [item for item in read.diagnostics if item.level is not Severity.NOTE]
    if outdated and compiled is not None:
        message = f"{folder} is older than the policy; the cluster is compared with {folder}"
        place = compiled.policy.span
        warnings.append(
            Diagnostic("VSR576", message, Span(place.file), "Compile the policy, and commit.", Severity.WARNING)
        )
    return Desired(
        folder,
        lock.policy,
        environment,
        target,
        tuple(manifests),
        tuple(_delivery(folder, lock, environment)),
        lock,
        compiled,
        {} if compiled is None else subjects(compiled, environment),
        tuple(warnings),
    )


def with_warnings(desired: Desired, warnings: Iterable[Diagnostic]) -> Desired:
    """Return the same objects with more warnings."""
    return replace(desired, warnings=(*desired.warnings, *warnings))


def environments(lock: Lock) -> dict[str, str]:
    """Return the target of each environment that a cluster runs."""
    found = {}
    for path in lock.files:
        parts = path.split("/")
        if len(parts) == len(("target", OVERLAYS, "name", "file")) and parts[1] == OVERLAYS:
            found[parts[2]] = parts[0]
    return found


def clusters(policy: ir.Policy, environment: str) -> list[str]:
    """Return the clusters that run an environment, if they are several overlays of it."""
    if any(item.name == environment for item in policy.environments):
        return []
    items = (item for item in policy.environments if item.cluster is not None)
    return sorted(
        item.cluster.name for item in items if item.cluster and item.name == f"{environment}-{item.cluster.name}"
    )


def _target(folder: Path, lock: Lock, environment: str) -> str:
    known = environments(lock)
    if environment in known:
        return known[environment]
    within = sorted(name for name in known if name.startswith(f"{environment}-"))
    if any(path.startswith(f"{COMPOSE}/{environment}/") for path in lock.files):
        message = f"the environment `{environment}` runs on a host, not in a cluster"
        hint = "On the host, run: docker compose ps."
    elif within:
        message = f"the environment `{environment}` runs on several clusters"
        hint = f"Name one of them: {', '.join(f'`{name}`' for name in within)}."
    else:
        message = f"{folder} has no environment `{environment}`"
        hint = f"Use one of: {', '.join(f'`{name}`' for name in sorted(known))}." if known else "Add an environment."
    raise CompileError([Diagnostic("VSR573", message, Span(str(folder)), hint)])


def _delivery(folder: Path, lock: Lock, environment: str) -> Iterable[Manifest]:
    """Yield the objects of Argo CD and Flux for an environment."""
    application = f"{ARGO_CD}/application-{lock.policy}-{environment}.yaml"
    paths = [path for path in lock.files if path == application or path.startswith(f"{FLUX}/{environment}/")]
    for path in paths:
        if not lock.files[path].identity:
            continue
        for world in read_worlds((folder / path,), is_output, namespace="default").worlds:
            yield from world.manifests
