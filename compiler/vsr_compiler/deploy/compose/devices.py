"""Devices of the host for model servers and the router.

Sources: Compose specification, `deploy.resources.reservations.devices` with `device_ids`; NVIDIA Container Toolkit, CDI
names `nvidia.com/gpu=INDEX`, which Podman takes; vLLM docs/getting_started/installation/gpu.rocm.inc.md: device files,
group `video`; ROCm, ROCR_VISIBLE_DEVICES.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.deploy.compose.facts import ROUTER
from vsr_compiler.deploy.compose.model import Devices
from vsr_compiler.releases.hardware import CPU, NVIDIA

AMD = "amd"
SUPPORTED = frozenset({NVIDIA, AMD, CPU})
AMD_FILES, AMD_GROUPS = ("/dev/kfd", "/dev/dri"), ("video",)


def allotted(policy: ir.Policy) -> Mapping[str, tuple[int, ...]]:
    """Return the indices of the GPUs of each endpoint and of the router, by name.

    Containers on one host see the same devices, and a mere number would give all of them the first ones.
    """
    used: dict[str, int] = {}
    result: dict[str, tuple[int, ...]] = {}
    for name, kind, number in _wanted(policy):
        first = used.get(kind, 0)
        result[name] = tuple(range(first, first + number))
        used[kind] = first + number
    return result


def _wanted(policy: ir.Policy) -> Iterator[tuple[str, str, int]]:
    for endpoint in policy.endpoints:
        server = endpoint.server
        if server is not None and not server.simulate and (kind := server.device or NVIDIA) != CPU:
            yield f"endpoint/{endpoint.name}", kind, server.gpus
    if policy.router.gpus:
        yield ROUTER, NVIDIA, policy.router.gpus


def of_server(server: ir.VllmServer, indices: tuple[int, ...]) -> tuple[Devices, tuple[tuple[str, str], ...]]:
    """Return the devices of a server, and the variables that choose among them."""
    kind = server.device or NVIDIA
    if server.simulate or kind == CPU:
        return Devices(), ()
    if kind == AMD:
        chosen = ",".join(str(index) for index in indices)
        return Devices(files=AMD_FILES, groups=AMD_GROUPS), (("ROCR_VISIBLE_DEVICES", chosen),)
    return Devices(nvidia=indices), ()
