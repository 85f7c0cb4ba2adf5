"""L06: a picker's arguments name its pool, its port and its configuration."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import dig, labels, rows, text
from vsr_compiler.verify.manifest_index import World
from vsr_compiler.verify.pickers import Picker, flags, pickers


def rule(world: World) -> Iterator[Diagnostic]:
    """An endpoint picker watches the pool that asks it: `--pool-name`, `--pool-namespace`, `--pool-group` and
    `--grpc-port` are those of the pool and its Service, and `--config-file` is a key of a ConfigMap that is mounted.
    """  # noqa: D205 - the whole of it is what users read
    seen: set[int] = set()
    for picker in pickers(world):
        seen.add(id(picker.pods))
        yield from _identity(picker)
        yield from _config(world, picker)
    for pods in world.pods:
        for path, container in pods.containers():
            name, place = flags(container, path).get("pool-name", ("", ()))
            if name and id(pods) not in seen:
                message = f"{pods.owner.title} is a picker for the pool `{name}`, and no pool leads to it"
                hint = "See that the pool is there and names the picker's Service, and that the Service selects it."
                yield Diagnostic("VSR406", message, pods.owner.span(*place), hint)


def _identity(picker: Picker) -> Iterator[Diagnostic]:
    pool = picker.pool
    wanted = {"pool-name": pool.name, "pool-namespace": pool.namespace, "pool-group": pool.group}
    port = _target(picker)
    if port:
        wanted["grpc-port"] = port
    for flag, value in wanted.items():
        if flag in picker.flags:
            given, place = picker.flags[flag]
            if given != value and not given.startswith("$("):
                said = f"`{value}`" if value else "not written, so wherever it is applied"
                what = {"grpc-port": "port at which its Service leads to it"}.get(flag, flag.replace("-", "'s ", 1))
                message = f"{picker.owner.title} has --{flag} `{given}`, and the {what} is {said}"
                yield Diagnostic("VSR406", message, picker.owner.span(*place), "Make the two the same.")
    if "pool-name" not in picker.flags and "endpoint-selector" not in picker.flags:
        message = f"{picker.owner.title} picks for {pool.title} and has no --pool-name"
        yield Diagnostic("VSR406", message, picker.owner.span(*picker.path), f"Add --pool-name={pool.name}.")
    named = any(env.get("name") == "NAMESPACE" for env in rows(picker.container.get("env")))
    if "pool-namespace" not in picker.flags and not named and pool.namespace not in {"", "default"}:
        message = f"{picker.owner.title} looks for its pool in `default`, and it is in `{pool.namespace}`"
        hint = f"Add --pool-namespace={pool.namespace}."
        yield Diagnostic("VSR406", message, picker.owner.span(*picker.path), hint)


def _target(picker: Picker) -> str:
    """The number of the container's port to which the picker's Service leads; empty where nothing tells."""
    target = picker.port.get("targetPort", picker.port.get("port"))
    if isinstance(target, str):
        target = picker.pods.ports().get(target)
    return str(target) if isinstance(target, int) else ""


def _config(world: World, picker: Picker) -> Iterator[Diagnostic]:
    file, place = picker.flags.get("config-file", ("", ()))
    folder, _, key = file.rpartition("/")
    mount = next((m for m in rows(picker.container.get("volumeMounts")) if m.get("mountPath") == folder), None)
    if not file or mount is None:
        if file:
            message = f"{picker.owner.title} reads {file}, and nothing is mounted at {folder or '/'}"
            yield Diagnostic("VSR406", message, picker.owner.span(*place), "Mount the ConfigMap that holds the file.")
        return
    volume = next((v for v in rows(picker.pods.spec.get("volumes")) if v.get("name") == mount.get("name")), {})
    name = text(dig(volume, "configMap", "name"))
    source = world.find("", "ConfigMap", picker.owner.namespace, name)
    items = rows(dig(volume, "configMap", "items"))
    keys = {text(item.get("path")) for item in items} or set(labels(source.body.get("data")) if source else {})
    if source is not None and key not in keys:
        message = f"{picker.owner.title} reads {file}, and {source.title} has no key `{key}`"
        hint = f"It has {', '.join(sorted(keys)) or 'none'}."
        yield Diagnostic("VSR406", message, picker.owner.span(*place), hint)
