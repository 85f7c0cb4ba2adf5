"""Endpoint pickers: a pool, the Service that it names, and the pods behind that with their arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import Body, Manifest, Path, dig, text, texts
from vsr_compiler.verify.manifest_index import Pods, World, selector, shared

Flags = dict[str, tuple[str, Path]]
"""Values of arguments by name, without dashes, with the place of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Picker:
    """A container that picks endpoints for a pool.

    Attributes:
        pool: The pool.
        service: The pool's picker Service.
        port: The port of that Service, as the pool has it.
        pods: The pods.
        path: The container's path in their owner.
        flags: Its arguments.
    """

    pool: Manifest
    service: Manifest
    port: Body
    pods: Pods
    path: Path
    flags: Flags

    @property
    def owner(self) -> Manifest:
        """The workload."""
        return self.pods.owner

    @property
    def container(self) -> Body:
        """The container."""
        body: Body = self.owner.at(*self.path)
        return body

    def is_on(self, flag: str, *, default: bool) -> bool:
        """Whether a boolean flag is set."""
        return self.flags[flag][0].lower() not in {"false", "0", "f"} if flag in self.flags else default


@shared
def pickers(world: World) -> Iterator[Picker]:
    """Every picker whose pool, Service and pods are among the objects."""
    for pool in world.pools:
        name, number = picker_service(pool)
        service = world.service(pool.namespace, name)
        if service is None:
            continue
        port = next((body for _, body in service.each("spec", "ports") if body.get("port") == number), {})
        for pods in world.selected(pool.namespace, selector(service.body, "spec", "selector")):
            for path, container in pods.containers():
                found = flags(container, path)
                if "pool-name" in found or len(pods.containers()) == 1:
                    yield Picker(pool, service, port, pods, path, found)


def picker_service(pool: Manifest) -> tuple[str, int | None]:
    """The name and port of the Service that a pool asks."""
    ref = pool.spec.get("endpointPickerRef", pool.spec.get("extensionRef"))
    number = dig(ref, "port", "number") or dig(ref, "portNumber")
    return text(dig(ref, "name")), number if isinstance(number, int) else None


def flags(container: Body, path: Path) -> Flags:
    """A container's arguments, written `--name=value`, `--name value` or `--name`."""
    found: Flags = {}
    for field in ("command", "args"):
        words = texts(container.get(field))
        for number, word in enumerate(words):
            name, equals, value = word.lstrip("-").partition("=")
            if not word.startswith("-") or not name:
                continue
            if not equals:
                following = words[number + 1] if number + 1 < len(words) else "-"
                value = "true" if following.startswith("-") else following
            found[name] = value, (*path, field, number)
    return found


def served_names(container: Body) -> set[str]:
    """The names under which a model server answers: `--served-model-name` with all its values, and its adapters."""
    names: set[str] = set()
    flag = ""
    for word in [*texts(container.get("command")), *texts(container.get("args"))]:
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            values = [value] if equals else []
        else:
            values = [word]
        if flag == "--served-model-name":
            names |= {each for value in values for each in value.replace(",", " ").split()}
        elif flag == "--lora-modules":
            names |= {_adapter(value) for value in values}
    return names - {""}


def _adapter(value: str) -> str:
    found = re.search(r'"name"\s*:\s*"([^"]*)"', value)
    return found[1] if found else value.partition("=")[0]
