"""A pure model of Argo CD 3.5.1: what a project permits, what a sync prunes, shared objects, and retries.

Sources, in the repository argoproj/argo-cd at v3.5.1:

- `filepath.Match` on group, kind and name; an empty name allows every name: pkg/apis/application/v1alpha1/types.go,
  `isResourceInList` and `isNamedResourceInList`; Go's path/filepath, `Match`.
- A namespaced kind is allowed by kind, and its namespace by a destination of the same server: app_project_types.go,
  `IsGroupKindNamePermitted` and `isDestinationMatched`.
- Live objects that the project does not permit are left out before the comparison, so they are neither shown nor
  pruned: controller/state.go, `CompareAppState`, "filter out all resources which are not permitted".
- One object that is not permitted fails the sync before anything is applied: controller/sync.go
  and gitops-engine/pkg/sync/sync_context.go, "one or more synchronization tasks are not valid".
- An object tracked by another Application fails a sync with `FailOnSharedResource=true`: controller/sync.go.
- Automated syncs start at OutOfSync only, and not again for a revision that failed: controller/appcontroller.go,
  `autoSync` and `alreadyAttemptedSync`. A retry repeats the operation's revision, or takes the latest one with
  `refresh`: `processRequestedAppOperation`.
- A degraded object of a wave fails the sync before the next wave; in the last wave nothing looks. With `PruneLast`,
  objects are pruned in a wave of their own after the last: gitops-engine/pkg/sync/sync_context.go, `Sync`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]
WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"


def go_match(pattern: str, name: str) -> bool:
    """Return whether a name matches a pattern of Go's `filepath.Match`; False for a malformed pattern.

    `*` and `?` match anything but `/`; `[a-z]` and `[^a-z]` are classes; a backslash escapes a character.
    """
    if not pattern:
        return not name
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return any(go_match(rest, name[end:]) for end in range(len(name) + 1) if "/" not in name[:end])
    if head == "[":
        body, closed, rest = rest.partition("]")
        if not closed or not name or not body.removeprefix("^"):
            return False
        inside = _in_class(body.removeprefix("^"), name[0])
        return inside != body.startswith("^") and name[0] != "/" and go_match(rest, name[1:])
    if head == "\\":
        head, rest = rest[:1], rest[1:]
    elif head == "?":
        return bool(name) and name[0] != "/" and go_match(rest, name[1:])
    return bool(name) and head == name[0] and go_match(rest, name[1:])


def _in_class(body: str, character: str) -> bool:
    ranges = []
    while body:
        low, body = body[0], body[1:]
        high = low
        if len(body) > 1 and body[0] == "-":
            high, body = body[1], body[2:]
        ranges.append((low, high))
    return any(low <= character <= high for low, high in ranges)


def group_of(body: Body) -> str:
    """Return the API group of an object; empty for the core API."""
    return str(body["apiVersion"]).rpartition("/")[0]


def key(body: Body) -> tuple[str, str, str, str]:
    """Return group, kind, namespace and name: the identity by which Argo CD finds the live object."""
    metadata = body["metadata"]
    return group_of(body), body["kind"], metadata.get("namespace", ""), metadata["name"]


def permitted(project: Body, body: Body, server: str) -> bool:
    """Return whether a project permits an object in a cluster."""
    spec, (group, kind, namespace, name) = project["spec"], key(body)
    if namespace:
        return any(
            go_match(entry["kind"], kind) and go_match(entry["group"], group)
            for entry in spec.get("namespaceResourceWhitelist", [])
        ) and any(
            _glob(entry.get("server", ""), server) and _glob(entry.get("namespace", ""), namespace)
            for entry in spec.get("destinations", [])
        )
    return any(
        go_match(entry["kind"], kind)
        and go_match(entry["group"], group)
        and (not entry.get("name") or go_match(entry["name"], name))
        for entry in spec.get("clusterResourceWhitelist", [])
    )


def _glob(pattern: str, value: str) -> bool:
    return pattern == "*" or (value != "" and pattern == value)


@dataclass(frozen=True, slots=True)
class Sync:
    """The end of a sync.

    Attributes:
        live: The objects in the cluster afterwards, by identity.
        problems: Why the sync failed; empty if it succeeded.
        orphans: Objects that no longer belong to the Application and that it neither shows nor prunes.
    """

    live: Mapping[tuple[str, str, str, str], Body]
    problems: tuple[str, ...] = ()
    orphans: tuple[tuple[str, str, str, str], ...] = ()


def sync(project: Body, application: Body, live: Iterable[Body], desired: Iterable[Body]) -> Sync:
    """Return the result of a sync of an Application, whose objects are the live ones.

    The API server accepts every change, and every object becomes healthy.
    """
    server = application["spec"]["destination"]["server"]
    before, after = {key(body): body for body in live}, {key(body): body for body in desired}
    refused = tuple(
        f"resource {group}:{kind} is not permitted in project {project['metadata']['name']}"
        for (group, kind, _, _), body in after.items()
        if not permitted(project, body, server)
    )
    if refused:
        return Sync(before, refused)
    gone = {identity: body for identity, body in before.items() if identity not in after}
    unseen = tuple(identity for identity, body in gone.items() if not permitted(project, body, server))
    kept = {
        identity: body
        for identity, body in gone.items()
        if identity in unseen or "Prune=false" in annotation(body, OPTIONS).split(",")
    }
    return Sync({**after, **kept}, orphans=unseen)


def annotation(body: Body, name: str) -> str:
    """Return an annotation; empty if the object has none of this name."""
    return str(body["metadata"].get("annotations", {}).get(name, ""))


def wave(body: Body) -> int:
    """Return the sync wave of an object."""
    return int(annotation(body, WAVE) or "0")


def shared(applications: Mapping[str, tuple[str, Iterable[Body]]]) -> list[tuple[str, str]]:
    """Return pairs of Applications of which `FailOnSharedResource` fails one: equal objects in one cluster.

    Args:
        applications: The server and the objects of each Application, by its name.
    """
    held = {name: (server, {key(body) for body in bodies}) for name, (server, bodies) in applications.items()}
    names = sorted(held)
    return [
        (one, other)
        for at, one in enumerate(names)
        for other in names[at + 1 :]
        if held[one][0] == held[other][0] and held[one][1] & held[other][1]
    ]


def applied_before(desired: Sequence[Body], degraded: tuple[str, str, str, str], *, prunes: bool) -> set[int] | None:
    """Return the waves that are applied before a degraded object fails the sync; None if it does not fail.

    Args:
        desired: The objects of the Application.
        degraded: The identity of the object.
        prunes: Whether the sync prunes objects, which is a wave of its own after the last (`PruneLast`).
    """
    waves = sorted({wave(body) for body in desired})
    own = next(wave(body) for body in desired if key(body) == degraded)
    return None if own == waves[-1] and not prunes else {number for number in waves if number <= own}


@dataclass(slots=True)
class Retries:
    """The retries of an automated sync, on a simulated clock in seconds.

    Attributes:
        retry: `spec.syncPolicy.retry` of the Application.
        commits: Time and success of each commit: a faulty one fails whenever it is applied.
        now: The time.
        log: Time and number of the commit of each attempt.
    """

    retry: Body
    commits: Sequence[tuple[float, bool]]
    now: float = 0
    log: list[tuple[float, int]] = field(default_factory=list)

    def run(self) -> float | None:
        """Return when the last commit is synced; None if Argo CD gives up before."""
        attempted: set[int] = set()
        while True:
            revision = self._latest()
            if revision in attempted:
                later = [time for time, _ in self.commits if time > self.now]
                if not later:
                    return None
                self.now = min(later)
                continue
            if self._operation(revision, attempted) and self._latest() == len(self.commits) - 1:
                return self.now

    def _operation(self, revision: int, attempted: set[int]) -> bool:
        """Run one operation with its retries; return whether it succeeded."""
        for attempt in range(int(self.retry["limit"]) + 1):
            if attempt:
                self.now += self._wait(attempt)
                revision = self._latest() if self.retry.get("refresh") else revision
            self.log.append((self.now, revision))
            attempted.add(revision)
            if self.commits[revision][1]:
                return True
        return False

    def _latest(self) -> int:
        return max(number for number, (time, _) in enumerate(self.commits) if time <= self.now)

    def _wait(self, count: int) -> float:
        backoff = self.retry["backoff"]
        return min(_seconds(backoff["duration"]) * float(backoff["factor"]) ** count, _seconds(backoff["maxDuration"]))


def _seconds(duration: str) -> float:
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
