"""The old and the new version of a policy on one target: objects by identity, and what the router reads."""

from __future__ import annotations

import base64
import functools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.common import linked
from support.gitops_support import compiled
from vsr_runtime.settings import Settings, load

Body = Mapping[str, Any]
Identity = tuple[str, str, str]
"""Kind, namespace and name."""
GATEWAY_KINDS = frozenset(
    {
        "AIGatewayRoute",
        "AIServiceBackend",
        "Backend",
        "BackendSecurityPolicy",
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
        "DestinationRule",
        "EnvoyFilter",
        "EnvoyPatchPolicy",
        "EnvoyProxy",
        "Gateway",
        "GatewayClass",
        "HTTPRoute",
        "HTTPRouteFilter",
        "InferencePool",
        "ReferenceGrant",
        "ServiceEntry",
    }
)
"""Kinds that a gateway's control plane reads and sends to its proxies."""
STATUS_KINDS = GATEWAY_KINDS - {"DestinationRule", "EnvoyFilter", "ReferenceGrant", "ServiceEntry"}
"""Kinds whose health shows that the control plane has read them; of the others Argo CD learns nothing."""
TRACKED_KINDS = GATEWAY_KINDS | {"ConfigMap", "Deployment", "Namespace", "Service"}
"""Kinds that decide about requests. Others, such as accounts, are applied in some order without an effect."""
ABSENT = -1
ROUTER = ("Deployment", "vllm-semantic-router-system", "semantic-router")
Edit = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def identity(body: Body) -> Identity:
    """Return the identity of an object."""
    return body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]


def objects(text: str, target: str, edit: Edit | None = None) -> dict[Identity, Body]:
    """Compile a policy and return what an environment on a target applies, after an edit."""
    policy = linked(f"{text}environments: {{it: {{target: {target}}}}}\n")
    bodies = [dict(item.body) for item in compiled(policy).environments["it"]]
    return {identity(body): body for body in (bodies if edit is None else edit(bodies))}


@dataclass(frozen=True, slots=True)
class Versions:
    """Two versions of a policy.

    Attributes:
        sides: The objects of the old and the new version.
        changed: The identities of tracked objects that differ, in a fixed order.
        static: The tracked objects that do not differ.
    """

    sides: tuple[Mapping[Identity, Body], Mapping[Identity, Body]]
    changed: tuple[Identity, ...]
    static: Mapping[Identity, Body]

    @classmethod
    def of(cls, old: Mapping[Identity, Body], new: Mapping[Identity, Body]) -> Versions:
        """Compare two sets of objects."""
        names = sorted(name for name in old.keys() | new.keys() if name[0] in TRACKED_KINDS)
        changed = tuple(name for name in names if _content(old.get(name)) != _content(new.get(name)))
        static = {name: new[name] for name in names if name not in changed}
        return cls((old, new), changed, static)

    def body(self, name: Identity, version: int) -> Body | None:
        """Return an object of a version; None if the version has none, or for `ABSENT`."""
        return None if version == ABSENT else self.sides[version].get(name)

    def initial(self, side: int) -> tuple[int, ...]:
        """Return the versions of the changed objects when one side is applied and nothing else."""
        return tuple(side if name in self.sides[side] else ABSENT for name in self.changed)

    def template(self, name: Identity, version: int) -> int:
        """Return the version whose pod template a Deployment has: the old one if both are equal."""
        old, new = (self.sides[side].get(name) for side in (0, 1))
        same = old is not None and new is not None and old["spec"]["template"] == new["spec"]["template"]
        return 0 if same else version


def _content(body: Body | None) -> object:
    """Return what counts in an object: not its annotations, which only Argo CD reads."""
    return body and {**body, "metadata": {**body["metadata"], "annotations": None, "labels": None}}


def settings_of(config_map: Body) -> Settings:
    """Return what a router reads from its ConfigMap."""
    texts = tuple(sorted(config_map.get("data", {}).items()))
    return _settings(texts, tuple(sorted(config_map.get("binaryData", {}).items())))


@functools.cache
def _settings(texts: tuple[tuple[str, str], ...], binary: tuple[tuple[str, str], ...]) -> Settings:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in texts:
            (folder / file).write_text(text, encoding="utf-8")
        for file, data in binary:
            (folder / file).write_bytes(base64.b64decode(data))
        keys = YAML(typ="safe").load(dict(texts).get("runtime.yaml", "{}")).get("credentials") or {}
        for credential in keys.values():
            if credential.get("file"):
                path = folder / "keys" / credential["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"key-of-{Path(credential['file']).parent.name}", encoding="utf-8")
        return load(folder / "config.yaml", folder / "keys")
