"""Endpoint pickers: the pool, its picker Service, and the container behind it with its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.manifests.expansion import without_escapes
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_string, as_strings, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex, Workload, cached_per_index, label_selector

Flags = dict[str, tuple[str, Path]]
"""Values of command-line flags by name, without dashes, with the path of each."""
IMAGE_RELEASE = re.compile(r":v?(\d+)\.(\d+)\.(\d+)")
_BUILT_ON = {(0, 3): (1, 0), (0, 4): (1, 2), (0, 5): (1, 3), (0, 7): (1, 4), (0, 8): (1, 5)}
"""The inference extension's release that each release of llm-d's scheduler is built on; from 0.9 on, none."""


@dataclass(frozen=True, slots=True, eq=False)
class Picker:
    """A container that picks endpoints for a pool.

    Attributes:
        pool: The pool.
        service: The picker Service of the pool.
        port: The port of that Service to which the pool refers.
        workload: The workload that runs the container.
        path: Path of the container in the workload.
        flags: Its command-line flags.
    """

    pool: Manifest
    service: Manifest
    port: Body
    workload: Workload
    path: Path
    flags: Flags

    @property
    def has_camel_case_flags(self) -> bool:
        """Whether the release writes its flags in camel case, such as `-poolName`: those before 1.0."""
        return _is_camel_case(container_flags(self.container, self.path), as_string(self.container.get("image")))

    def written(self, flag: str) -> str:
        """Return a flag as the release writes it."""
        if not self.has_camel_case_flags:
            return f"--{flag}"
        first, *rest = flag.split("-")
        return f"-{first}{''.join(word.title() for word in rest)}"

    @property
    def owner(self) -> Manifest:
        """The object of the workload."""
        return self.workload.owner

    @property
    def container(self) -> Body:
        """The container."""
        body: Body = self.owner.at(*self.path)
        return body

    def is_on(self, flag: str, *, default: bool) -> bool:
        """Whether a boolean flag is set."""
        return self.flags[flag][0].lower() not in {"false", "0", "f"} if flag in self.flags else default


@cached_per_index
def pickers(index: ManifestIndex) -> Iterator[Picker]:
    """Return every picker whose pool, Service and workload are among the objects."""
    for pool in index.pools:
        name, number = picker_service(pool)
        service = index.service(pool.namespace, name)
        if service is None:
            continue
        port = next((body for _, body in service.entries("spec", "ports") if body.get("port") == number), {})
        for workload in index.selected_workloads(pool.namespace, label_selector(service.body, "spec", "selector")):
            for path, container in workload.containers():
                flags = _kebab_case(container_flags(container, path), as_string(container.get("image")))
                if "pool-name" in flags or len(workload.containers()) == 1:
                    yield Picker(pool, service, port, workload, path, flags)


def _kebab_case(flags: Flags, image: str) -> Flags:
    """Return flags under the names that they have from release 1.0 on.

    Source: kubernetes-sigs/gateway-api-inference-extension, `cmd/epp/runner/runner.go`, v0.5.1 and v1.0.0.
    """
    if not _is_camel_case(flags, image):
        return flags
    return {re.sub(r"(?<=[a-z])([A-Z])", r"-\1", name).lower(): value for name, value in flags.items()}


def _is_camel_case(flags: Flags, image: str) -> bool:
    """Whether a picker is from before 1.0, by its release, or by its flags if the image does not tell."""
    release = extension_release(image)
    return "poolName" in flags if release is None else release < (1, 0)


def picker_service(pool: Manifest) -> tuple[str, int | None]:
    """Return name and port of the picker Service to which a pool refers."""
    ref = pool.spec.get("endpointPickerRef", pool.spec.get("extensionRef"))
    number = value_at(ref, "port", "number") or value_at(ref, "portNumber")
    return as_string(value_at(ref, "name")), number if isinstance(number, int) else None


def container_flags(container: Body, path: Path) -> Flags:
    """Return a container's flags, written `--name=value`, `--name value` or `--name`."""
    flags: Flags = {}
    for field in ("command", "args"):
        words = as_strings(container.get(field))
        for number, word in enumerate(words):
            name, equals, value = word.lstrip("-").partition("=")
            if not word.startswith("-") or not name:
                continue
            if not equals:
                following = words[number + 1] if number + 1 < len(words) else "-"
                value = "true" if following.startswith("-") else following
            flags[name] = value, (*path, field, number)
    return flags


def served_names(container: Body) -> set[str]:
    """Return the model names that a server accepts: all values of `--served-model-name`, and its adapters."""
    names: set[str] = set()
    flag = ""
    for written in [*as_strings(container.get("command")), *as_strings(container.get("args"))]:
        word = without_escapes(written)
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            values = [value] if equals else []
        else:
            values = [word]
        if flag == "--served-model-name":
            names |= {name for value in values for name in value.replace(",", " ").split()}
        elif flag == "--lora-modules":
            names |= {_adapter_name(value) for value in values}
    return names - {""}


def _adapter_name(value: str) -> str:
    match = re.search(r'"name"\s*:\s*"([^"]*)"', value)
    return match[1] if match else value.partition("=")[0]


def extension_release(image: str) -> tuple[int, int] | None:
    """Return the inference extension's release that a picker's image corresponds to; (1, 9) for all later ones."""
    match = IMAGE_RELEASE.search(image)
    if match is None:
        return None
    number = int(match[1][:4]), int(match[2][:4])
    if "gateway-api-inference-extension" in image:
        return number
    if "llm-d" in image:
        return _BUILT_ON.get(number, (1, 9) if number >= (0, 9) else None)
    return None
