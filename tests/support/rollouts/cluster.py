"""What can happen in a cluster during a change, step by step.

Within a phase objects are applied in any order. Pods follow their Deployment later, by its strategy. The proxies of a
gateway see an earlier state of the objects until the control plane has pushed the present one. A node shows pods the
old content of a ConfigMap for up to two minutes. AI Gateway's sidecar learns the names of backends from a Secret, later
than Envoy. A phase ends when its objects are healthy. At any time the sync can fail, and the old version be applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from support.rollouts.delivery import Phase, pruned_in
from support.rollouts.versions import ABSENT, GATEWAY_KINDS, ROUTER, STATUS_KINDS, Identity, Versions

Pods = frozenset[int]
"""The versions of the ready pods of a Deployment."""
SECONDS = {"apply": 0, "push": 2, "sidecar": 10, "node": 120, "router": 15, "picker": 15, "server": 600, "phase": 0}
"""How long a step may take, for the length of a window: a vLLM server loads its weights."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of the cluster.

    Attributes:
        live: The version of each changed object in the API server.
        pods: The ready pods of each changed Deployment, in the order of the changed objects.
        seen: The versions of the changed objects that the proxies work with.
        names: The versions of the changed objects from which the sidecar of AI Gateway has its names.
        node: The version of a ConfigMap that running pods read, if its content changes under one name.
        target: The side that is being applied: 1, and 0 after a failed sync went back.
        phase: The number of the phase; as many as there are phases when the change is finished.
    """

    live: tuple[int, ...]
    pods: tuple[Pods, ...]
    seen: tuple[int, ...]
    names: tuple[int, ...]
    node: int
    target: int
    phase: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what happens, in words, how many seconds it may take, and the state after it."""

    text: str
    seconds: int
    after: State


_PARTS = {
    kind: rank
    for rank, kind in enumerate(
        (
            "AIServiceBackend",
            "Backend",
            "ServiceEntry",
            "InferencePool",
            "ReferenceGrant",
            "Service",
            "BackendSecurityPolicy",
            "DestinationRule",
            "ConfigMap",
            "Deployment",
        )
    )
}
"""The parts of endpoints in the order in which they go; they come in the reverse order."""


class Cluster:
    """The transition system of one change.

    Attributes:
        versions: The old and the new version.
        phases: The phases of each direction, by the side that is applied.
    """

    def __init__(self, versions: Versions, phases: list[Phase], *, fails: bool) -> None:
        self.versions, self.phases, self.fails = versions, phases, fails
        self.deployments = tuple(name for name in versions.changed if name[0] == "Deployment")
        self.index = {name: at for at, name in enumerate(versions.changed)}
        self.read_by_gateway = [at for at, name in enumerate(versions.changed) if name[0] in GATEWAY_KINDS]
        self.names_by_rule = [at for at, name in enumerate(versions.changed) if name[0] == "AIGatewayRoute"]
        ranked = sorted(self.index.values(), key=lambda at: _PARTS.get(versions.changed[at][0], 0))
        self._order = ranked
        self.mutable = [
            at
            for at, (kind, _, name) in enumerate(versions.changed)
            if kind == "ConfigMap"
            and name.startswith("semantic-router-config")
            and all(versions.changed[at] in side for side in versions.sides)
        ]

    def initial(self) -> State:
        """Return the state in which the old version is applied and healthy."""
        live = self.versions.initial(0)
        pods = tuple(
            frozenset({0}) if name in self.versions.sides[0] else frozenset[int]() for name in self.deployments
        )
        return State(live, pods, live, live, 0, 1, 0)

    def steps(self, state: State) -> Iterator[Step]:
        """Yield everything that can happen next."""
        yield from self._applies(state)
        yield from self._pods(state)
        if any(state.seen[at] != state.live[at] for at in self.read_by_gateway):
            yield Step("the gateway gets the present objects", SECONDS["push"], replace(state, seen=state.live))
        if any(state.names[at] != state.live[at] for at in self.names_by_rule):
            text = "the sidecar of AI Gateway reads its Secret"
            yield Step(text, SECONDS["sidecar"], replace(state, names=state.live))
        if any(state.node != state.live[at] != ABSENT for at in self.mutable):
            text = "the node updates the mounted ConfigMap"
            yield Step(text, SECONDS["node"], replace(state, node=state.live[self.mutable[0]]))
        if self.fails and state.target == 1 and state.phase < len(self.phases):
            yield Step("the sync fails, and the old version is applied again", 0, replace(state, target=0, phase=0))

    def _applies(self, state: State) -> Iterator[Step]:
        """Yield the objects of the phase that are not applied or pruned yet, or the end of the phase."""
        if state.phase == len(self.phases):
            return
        phase = self.phases[state.phase]
        left = False
        parts: dict[str, Step] = {}
        for at in self._order:
            version = self._desired(state, phase, at)
            if version is None:
                continue
            left, name = True, self.versions.changed[at]
            word = "delete" if version == ABSENT else "apply"
            step = Step(f"{phase.name}: {word} {_words(name)}", 0, self._changed(state, at, version))
            if not self._is_part(state, at, version):
                yield step
            elif version == ABSENT:
                parts.setdefault(word, step)
            else:
                parts[word] = step
        yield from parts.values()
        if not left and (not phase.waits or self._healthy(state, phase)):
            yield Step(f"{phase.name} ends", 0, replace(state, phase=state.phase + 1))

    def _desired(self, state: State, phase: Phase, at: int) -> int | None:
        """Return the version that a phase brings an object to; None if it leaves the object as it is."""
        name = self.versions.changed[at]
        body = self.versions.sides[state.target].get(name)
        if body is None:
            return ABSENT if state.live[at] != ABSENT and self._prunes(phase, name, state.target) else None
        return state.target if phase.applies(body) and state.live[at] != state.target else None

    def _is_part(self, state: State, at: int, version: int) -> bool:
        """Return whether an object comes or goes as a part of an endpoint.

        A request that is sent to an endpoint fails if any part of it is missing. So one order of its parts is enough:
        those whose absence is a 500 come last and go first.
        """
        comes_or_goes = ABSENT in {state.live[at], version}
        return comes_or_goes and self.versions.changed[at][0] in _PARTS

    def _prunes(self, phase: Phase, name: Identity, target: int) -> bool:
        return pruned_in(phase, self.phases, name, self.versions.sides[1 - target])

    def _changed(self, state: State, at: int, version: int) -> State:
        live = (*state.live[:at], version, *state.live[at + 1 :])
        pods = state.pods
        name = self.versions.changed[at]
        if version == ABSENT and name in self.deployments:
            place = self.deployments.index(name)
            pods = (*pods[:place], frozenset[int](), *pods[place + 1 :])
        return replace(state, live=live, pods=pods)

    def _healthy(self, state: State, phase: Phase) -> bool:
        desired = self.versions.sides[state.target]
        own = {name for name in self.versions.changed if name in desired and phase.applies(desired[name])}
        for place, name in enumerate(self.deployments):
            if name in own and state.pods[place] != frozenset({self.versions.template(name, state.target)}):
                return False
        shown = any(name[0] in STATUS_KINDS for name in own)
        return not shown or all(state.seen[at] == state.live[at] for at in self.read_by_gateway)

    def _pods(self, state: State) -> Iterator[Step]:
        """Yield the next step of each Deployment whose pods are not those of its template."""
        for place, name in enumerate(self.deployments):
            version = state.live[self.index[name]]
            if version == ABSENT:
                continue
            wanted, pods = self.versions.template(name, version), state.pods[place]
            if pods == frozenset({wanted}):
                continue
            body = self.versions.body(name, version) or {}
            recreates = body["spec"]["strategy"]["type"] == "Recreate"
            if pods and recreates:
                text, after = f"the old pods of {_words(name)} stop", frozenset[int]()
            elif wanted in pods:
                text, after = f"the old pods of {_words(name)} stop", frozenset({wanted})
            elif self._starts(state, name, version):
                text, after = f"new pods of {_words(name)} are ready", pods | {wanted}
            else:
                continue
            changed = replace(state, pods=(*state.pods[:place], after, *state.pods[place + 1 :]))
            yield Step(text, SECONDS[kind_of(name)] if "ready" in text else 0, changed)

    def _starts(self, state: State, name: Identity, version: int) -> bool:
        """Return whether what a new pod mounts is there, and for a picker the pool that it reads."""
        body = self.versions.body(name, version) or {}
        namespace = name[1]
        needed = [
            ("ConfigMap", namespace, volume["configMap"]["name"])
            for volume in body["spec"]["template"]["spec"].get("volumes", [])
            if "configMap" in volume
        ]
        probe = body["spec"]["template"]["spec"]["containers"][0].get("startupProbe", {})
        waits = name == ROUTER and probe.get("initialDelaySeconds", 0) >= SECONDS["sidecar"]
        if waits and any(state.names[at] != state.live[at] for at in self.names_by_rule):
            return False  # the sidecar reads its Secret before the first probe
        if name[2].endswith("-epp"):
            needed.append(("InferencePool", namespace, name[2].removesuffix("-epp")))
        return all(item not in self.index or state.live[self.index[item]] != ABSENT for item in needed)


def kind_of(name: Identity) -> str:
    """Return what a Deployment is: the router, a picker or a model server."""
    return "router" if name == ROUTER else "picker" if name[2].endswith("-epp") else "server"


def _words(name: Identity) -> str:
    return f"{name[0]} {name[2]}"
