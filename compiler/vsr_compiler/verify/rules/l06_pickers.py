"""L06: endpoint pickers whose arguments do not fit their pool."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import as_mappings, as_string, as_string_map, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.pickers import Picker, container_flags, pickers
from vsr_compiler.verify.rules.rule import LinkRule

_SUBJECTS = {
    "pool-name": "the pool's name",
    "pool-namespace": "the pool's namespace",
    "pool-group": "the pool's API group",
    "grpc-port": "the target port of its Service",
}


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    with_pool: set[int] = set()
    for picker in pickers(index):
        with_pool.add(id(picker.workload))
        yield from _identity(picker)
        yield from _config_file(index, picker)
    for workload in index.workloads:
        for path, container in workload.containers():
            name, flag_path = container_flags(container, path).get("pool-name", ("", ()))
            if name and id(workload) not in with_pool:
                message = f"{workload.owner.title} is a picker for the pool `{name}`, but no pool refers to it"
                hint = "Make sure that the pool exists and names the picker's Service, and that the Service selects it."
                yield Diagnostic("VSR406", message, workload.owner.span(*flag_path), hint)


def _identity(picker: Picker) -> Iterator[Diagnostic]:
    pool, owner = picker.pool, picker.owner
    expected = {"pool-name": pool.name, "pool-namespace": pool.namespace, "pool-group": pool.group}
    port = _target_port(picker)
    if port:
        expected["grpc-port"] = port
    for flag, value in expected.items():
        if flag in picker.flags:
            actual, path = picker.flags[flag]
            if actual != value and not actual.startswith("$("):
                shown = f"`{value}`" if value else "not set"
                message = f"{owner.title} has {picker.written(flag)} `{actual}`, but {_SUBJECTS[flag]} is {shown}"
                yield Diagnostic("VSR406", message, owner.span(*path), "Use the same value in both places.")
    if "pool-name" not in picker.flags and "endpoint-selector" not in picker.flags:
        flag = picker.written("pool-name")
        message = f"{owner.title} is the picker of {pool.title} but has no {flag}"
        yield Diagnostic("VSR406", message, owner.span(*picker.path), f"Add {flag}={pool.name}.")
    from_variable = any(env.get("name") == "NAMESPACE" for env in as_mappings(picker.container.get("env")))
    if "pool-namespace" not in picker.flags and not from_variable and pool.namespace not in {"", "default"}:
        message = f"{owner.title} looks for its pool in `default`, but the pool is in `{pool.namespace}`"
        hint = f"Add {picker.written('pool-namespace')}={pool.namespace}."
        yield Diagnostic("VSR406", message, owner.span(*picker.path), hint)


def _target_port(picker: Picker) -> str:
    """Return the number of the container port behind the picker's Service; empty if it is unknown."""
    target = picker.port.get("targetPort", picker.port.get("port"))
    if isinstance(target, str):
        target = picker.workload.ports().get(target)
    return str(target) if isinstance(target, int) else ""


def _config_file(index: ManifestIndex, picker: Picker) -> Iterator[Diagnostic]:
    file, flag_path = picker.flags.get("config-file", ("", ()))
    folder, _, key = file.rpartition("/")
    mounts = as_mappings(picker.container.get("volumeMounts"))
    mount = next((mount for mount in mounts if mount.get("mountPath") == folder), None)
    if not file or mount is None:
        if file:
            message = f"{picker.owner.title} reads {file}, but nothing is mounted at {folder or '/'}"
            hint = "Mount the ConfigMap that holds the file."
            yield Diagnostic("VSR406", message, picker.owner.span(*flag_path), hint)
        return
    volumes = as_mappings(picker.workload.spec.get("volumes"))
    volume = next((volume for volume in volumes if volume.get("name") == mount.get("name")), {})
    name = as_string(value_at(volume, "configMap", "name"))
    source = index.find("", "ConfigMap", picker.owner.namespace, name)
    items = as_mappings(value_at(volume, "configMap", "items"))
    data = as_string_map(source.body.get("data")) if source else {}
    keys = {as_string(item.get("path")) for item in items} or set(data)
    if source is not None and key not in keys:
        message = f"{picker.owner.title} reads {file}, but {source.title} has no key `{key}`"
        hint = f"Use one of its keys: {', '.join(sorted(keys)) or 'it has none'}."
        yield Diagnostic("VSR406", message, picker.owner.span(*flag_path), hint)


RULE = LinkRule(
    name="L06",
    code="VSR406",
    purpose="`--pool-name`, `--pool-namespace`, `--pool-group` and `--grpc-port` of an endpoint picker are those of "
    "the pool that refers to it and of its Service, and `--config-file` is a key of a mounted ConfigMap.",
    check=_check,
)
