"""Links placement: where pods run, and what they get there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from vsr_compiler import ir
from vsr_compiler.ir.placement import (
    Affinity,
    Autoscaling,
    Claim,
    EmptyDir,
    KeyReference,
    Mounted,
    NearbyPods,
    Placement,
    Requirement,
    Spread,
    Toleration,
    Variable,
    Volume,
)
from vsr_compiler.link.scope import Scope
from vsr_compiler.releases.hardware import CPU, HARDWARE, hardware
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema
from vsr_schemas.quantities import amount, is_device

_SECRET_NAME = re.compile(r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")
"""Variables whose values are secrets, by their names. A file or an id is not one."""
_RESOURCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
SERVER_VARIABLES = frozenset({"HF_HOME", "HF_TOKEN", "VLLM_API_KEY"})
"""Variables of model servers that the compiler sets, or that another field sets."""
ROUTER_VARIABLES = frozenset({"VSR_CACHE_DIR", "VSR_MODELS", "TMPDIR", "HF_HOME", "HF_TOKEN"})
PICKER_VARIABLES = frozenset({"NAMESPACE", "POD_NAME"})
TAKEN = frozenset({"weights", "shm", "config", "cache", "cache-store", "models", "scratch", "tmp", "credentials"})
"""Names of volumes that the compiler writes."""
WEIGHTS = "/data"
"""Where model servers have their weights."""
FOLDERS = ("/dev", "/proc", "/sys", "/etc/vsr", "/var/cache/vsr", "/models", "/config")
"""Folders that the compiler mounts, or that the kernel provides."""


def link_placement(scope: Scope, spec: schema.PlacementSpec, path: Path, own: Collection[str]) -> Placement:
    """Return the placement of some pods.

    Args:
        scope: The document.
        spec: The policy's words.
        path: Their place.
        own: The variables that the compiler sets itself.
    """
    if spec.env is not None:
        _check_env(scope, spec.env, (*path, "env"), own)
    if spec.volumes is not None:
        _check_volumes(scope, spec.volumes, (*path, "volumes"))
    storage = spec.storage_class if isinstance(spec, schema.StoredPlacementSpec) else None
    return Placement(
        node_selector=None if spec.node_selector is None else tuple(sorted(spec.node_selector.items())),
        tolerations=None if spec.tolerations is None else tuple(_toleration(item) for item in spec.tolerations),
        affinity=None if spec.affinity is None else _affinity(spec.affinity),
        spread=None
        if spec.topology_spread is None
        else tuple(Spread(item.topology, item.max_skew, item.unsatisfiable) for item in spec.topology_spread),
        runtime_class=spec.runtime_class,
        priority_class=spec.priority_class,
        pull_secrets=None if spec.pull_secrets is None else tuple(spec.pull_secrets),
        env=None if spec.env is None else tuple(_variable(name, item) for name, item in sorted(spec.env.items())),
        volumes=None if spec.volumes is None else tuple(_volume(item) for item in spec.volumes),
        storage_class=storage,
    )


def link_resources(scope: Scope, spec: schema.ResourcesSpec | None, path: Path) -> ir.Resources | None:
    """Return resources, and report what an API server rejects: fractions of devices, and requests above limits."""
    if spec is None:
        return None
    for key, quantities in (("requests", spec.requests), ("limits", spec.limits)):
        for name, text in quantities.items():
            if is_device(name) and not text.isdecimal():
                scope.report("VSR104", "expected a whole number of devices", (*path, key, name))
    for name in spec.requests.keys() & spec.limits.keys():
        request, limit = spec.requests[name], spec.limits[name]
        over = (amount(request) or 0) - (amount(limit) or 0)
        if over > 0 or (over and is_device(name)):
            hint = "Set both to the same number." if is_device(name) else "Lower the request, or raise the limit."
            message = f"the request for `{name}` is `{request}`, above its limit `{limit}`"
            scope.report("VSR228", message, (*path, "requests", name), hint)
    return ir.Resources(spec.requests, spec.limits)


def link_autoscaling(
    scope: Scope, spec: schema.AutoscalingSpec | None, path: Path, replicas: int
) -> Autoscaling | None:
    """Return the bounds of autoscaling. VSR268 if they contradict each other or the number of replicas."""
    if spec is None:
        return None
    least = replicas if spec.min is None else spec.min
    if spec.max < least:
        message = f"`max` is {spec.max}, less than the {least} pods with which it starts"
        scope.report("VSR268", message, (*path, "max"), "Raise `max`, or lower `min` or `replicas`.")
    after = None if spec.scale_down_after is None else spec.scale_down_after // 1000
    return Autoscaling(spec.min, spec.max, spec.queue, spec.prometheus, scope.span(*path, key=True), after)


def check_device(scope: Scope, device: str | None, image: str | None, path: Path, gpus: int = 1) -> None:
    """VSR267 for an unknown device, for one without an image, and for GPUs of a server on CPUs."""
    if device is None:
        return
    if device not in HARDWARE and not _RESOURCE.fullmatch(device):
        kinds = ", ".join(f"`{name}`" for name in HARDWARE)
        hint = f"Use one of: {kinds}, or the name of a device's resource, such as `nvidia.com/mig-3g.40gb`."
        scope.report("VSR267", f"`{device[:80]}` is no kind of hardware", path, hint)
    elif not hardware(device).image and image is None:
        message = f"vLLM publishes no image for `{device}`"
        scope.report("VSR267", message, path, "Set `image` to one that contains vLLM for this hardware.")
    elif device == CPU and gpus != 1:
        scope.report("VSR267", f"a server on CPUs has no GPUs, but `gpus` is {gpus}", path, "Remove `gpus`.")


def _toleration(spec: schema.TolerationSpec) -> Toleration:
    operator = spec.operator or ("Exists" if spec.value is None else "Equal")
    return Toleration(spec.key, operator, spec.value, spec.effect, spec.toleration_seconds)


def _requirements(specs: list[schema.RequirementSpec]) -> tuple[Requirement, ...]:
    return tuple(Requirement(item.key, item.operator, tuple(item.values)) for item in specs)


def _affinity(spec: schema.AffinitySpec) -> Affinity:
    nodes = spec.nodes or schema.NodeAffinitySpec()
    return Affinity(
        _requirements(nodes.require),
        tuple((item.weight, _requirements(item.match)) for item in nodes.prefer),
        tuple(_nearby(item) for item in spec.near),
        tuple(_nearby(item) for item in spec.apart),
    )


def _nearby(spec: schema.PodsNearSpec) -> NearbyPods:
    return NearbyPods(spec.topology, tuple(sorted(spec.labels.items())), spec.weight)


def _variable(name: str, spec: str | schema.KeyReferenceSpec) -> Variable:
    if isinstance(spec, str):
        return Variable(name, spec)
    if spec.secret is not None:
        return Variable(name, KeyReference("secret", spec.secret, spec.key, spec.optional))
    return Variable(name, KeyReference("configMap", str(spec.config_map), spec.key, spec.optional))


def _volume(spec: schema.VolumeSpec) -> Volume:
    source: Claim | EmptyDir | Mounted
    if spec.pvc is not None:
        source = Claim(spec.pvc)
    elif spec.empty_dir is not None:
        source = EmptyDir(spec.empty_dir.size, spec.empty_dir.memory)
    elif spec.secret is not None:
        source = Mounted("secret", spec.secret)
    else:
        source = Mounted("configMap", str(spec.config_map))
    return Volume(spec.name, spec.mount, source, spec.sub_path, spec.read_only)


def _check_env(
    scope: Scope, env: Mapping[str, str | schema.KeyReferenceSpec], path: Path, own: Collection[str]
) -> None:
    """VSR206 for variables that the compiler sets, VSR227 for literal secrets."""
    for name, value in env.items():
        if name in own:
            hint = "Set `token` or `apiKey` instead." if name in {"HF_TOKEN", "VLLM_API_KEY"} else "Remove it."
            scope.report("VSR206", f"`{name}` is set by the compiler", (*path, name), hint, key=True)
        elif isinstance(value, str) and value and _SECRET_NAME.search(name):
            hint = "Store it in a Secret and refer to it: `{secret: NAME, key: KEY}`. If it was real, revoke it."
            scope.secret(f"the value of `{name}` is a secret", (*path, name), hint)


def _check_volumes(scope: Scope, volumes: list[schema.VolumeSpec], path: Path) -> None:
    """VSR206 for volumes that the compiler writes, VSR205 for two of one name or one folder."""
    names: set[str] = set()
    folders: set[str] = set()
    taken = FOLDERS if path[0] == "router" else (WEIGHTS, *FOLDERS)
    for index, volume in enumerate(volumes):
        if volume.name in TAKEN or any(_inside(volume.mount, folder) for folder in taken):
            what = f"volume `{volume.name}`" if volume.name in TAKEN else f"folder `{volume.mount}`"
            scope.report("VSR206", f"the {what} is set by the compiler", (*path, index), "Use another name and folder.")
        if volume.name in names or volume.mount in folders:
            what = f"`{volume.name}`" if volume.name in names else f"`{volume.mount}`"
            scope.report("VSR205", f"duplicate entry {what}", (*path, index), "Remove one.")
        names.add(volume.name)
        folders.add(volume.mount)


def _inside(mount: str, folder: str) -> bool:
    return mount == folder or mount.startswith(f"{folder}/") or folder.startswith(f"{mount}/")
