"""Policies through every target: their objects, and the router that reads their files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support import rendering
from support.cases import output_of, policy_file, policy_of
from support.consumers.machine import MachineRouter
from vsr_compiler import targets
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.ir.names import object_name
from vsr_compiler.routerconfig import SETTINGS
from vsr_compiler.targets import profiles
from vsr_runtime.settings import Settings, load

Body = dict[str, Any]
CASES = (
    "listeners",
    "cached",
    "cross-namespace",
    "disaggregated",
    "external",
    "fallback",
    "guards",
    "homes",
    "lora",
    "many-models",
    "reference",
    "policies/ai-gateway",
)
"""Policies that differ in what is between a client and a model: providers, pools, namespaces, guards, many routes."""


@cache
def data_of(case: str) -> Body:
    """The policy as it is written."""
    data: Body = YAML(typ="safe").load(policy_file(case).read_text(encoding="utf-8"))
    return data


@cache
def bodies_of(case: str, target: str, profile: str) -> list[Body] | None:
    """The target's objects; None where it refuses the policy."""
    try:
        return [item.body for item in rendering.objects(policy_of(case, profile), target)]
    except CompileError:
        return None


def cases() -> Iterator[tuple[str, str, str]]:
    """Each policy through every target at every profile, but for what is refused there."""
    for case in CASES:
        for target in sorted(set(targets.TARGETS) - {"attach"}):  # its Gateway and routes are those of others
            for profile in sorted(profiles()):
                if bodies_of(case, target, profile) is not None:
                    yield case, target, profile


def objects(case: str, target: str, profile: str) -> list[Body]:
    """The objects of a case that is not refused."""
    bodies = bodies_of(case, target, profile)
    assert bodies is not None
    return bodies


def with_keys(folder: Path) -> Path:
    """Write a key for every endpoint that wants one, and return the folder."""
    for case in CASES:
        for name, endpoint in data_of(case)["endpoints"].items():
            if "apiKey" in endpoint.get("external", {}):
                path = folder / object_name(name) / "api-key"
                path.parent.mkdir(exist_ok=True)
                path.write_text("our-key", encoding="utf-8")
    return folder


@cache
def settings_of(case: str, keys: Path) -> Settings:
    """What the router of a policy reads."""
    return load(output_of(case) / "router" / "config.yaml", keys)


def router_of(case: str, keys: Path) -> MachineRouter:
    """The router of a policy."""
    return MachineRouter(settings_of(case, keys))


def settings_at(case: str, target: str, keys: Path, folder: Path) -> Settings:
    """What the router of a policy reads on a target: the limits of its components are in the ConfigMap there."""
    copied = folder / target
    shutil.copytree(output_of(case) / "router", copied)
    for path in (output_of(case) / target / "base").rglob("configmap-*.yaml"):
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8")).get("data", {})
        if SETTINGS in data:
            (copied / SETTINGS).write_text(data[SETTINGS], encoding="utf-8")
    return load(copied / "config.yaml", keys)


def environments() -> Iterator[tuple[str, str, str]]:
    """Cases on the targets that the policy names, at the releases that it names."""
    for case, target, profile in cases():
        if case == "many-models":
            continue  # the same way to each of them
        named = {item.get("target") for item in data_of(case).get("environments", {}).values()}
        if target in named and profile == data_of(case).get("gateway", {}).get("versions", "current"):
            yield case, target, profile
