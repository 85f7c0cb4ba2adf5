"""Kinds of hardware for model servers: the resource that a pod requests, the image, arguments, variables and taints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Hardware:
    """A kind of hardware.

    Attributes:
        source: Where its vendor and vLLM say so.
        resource: The resource of one device; empty if a server needs none.
        image: The key of its image in `model_servers.Vllm.images`; empty if vLLM publishes none.
        taint: The key of the taint that clusters put on such nodes, with the effect NoSchedule; empty for none.
        args: Arguments that vLLM needs there.
        env: Variables that vLLM needs there.
    """

    source: str
    resource: str
    image: str = ""
    taint: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


NVIDIA, CPU = "nvidia", "cpu"
HARDWARE: Mapping[str, Hardware] = MappingProxyType(
    {
        NVIDIA: Hardware(
            "NVIDIA/k8s-device-plugin README: nvidia.com/gpu; GKE, AKS and EKS taint GPU nodes with that key; "
            "vLLM 0.17.0 docs/deployment/docker.md",
            "nvidia.com/gpu",
            image="nvidia",
            taint="nvidia.com/gpu",
        ),
        "amd": Hardware(
            "ROCm/k8s-device-plugin README: amd.com/gpu; vLLM 0.17.0 "
            "docs/getting_started/installation/gpu.rocm.inc.md: vllm/vllm-openai-rocm",
            "amd.com/gpu",
            image="amd",
            taint="amd.com/gpu",
        ),
        "gaudi": Hardware(
            "docs.habana.ai, Kubernetes: habana.ai/gaudi; vllm-gaudi (no image for vLLM 0.17.0): "
            "PT_HPU_ENABLE_LAZY_COLLECTIVES for tensor parallelism in lazy mode",
            "habana.ai/gaudi",
            taint="habana.ai/gaudi",
            env=MappingProxyType({"PT_HPU_ENABLE_LAZY_COLLECTIVES": "true"}),
        ),
        CPU: Hardware(
            "vLLM 0.17.0 docs/getting_started/installation/cpu.md: images, VLLM_CPU_KVCACHE_SPACE (GiB), and bfloat16 "
            "because float16 is unstable on CPUs",
            "",
            image="cpu",
            args=("--dtype=bfloat16",),
            env=MappingProxyType({"VLLM_CPU_KVCACHE_SPACE": "4"}),
        ),
    }
)
"""By the word of `device`."""
_VENDORS = MappingProxyType({item.resource.partition("/")[0]: name for name, item in HARDWARE.items() if item.resource})


def hardware(device: str | None) -> Hardware:
    """Return the hardware of a device: a kind, the name of a resource, or None for an NVIDIA GPU.

    >>> hardware("nvidia.com/mig-3g.40gb").taint
    'nvidia.com/gpu'
    """
    known = HARDWARE.get(device or NVIDIA)
    if known is not None:
        return known
    resource = str(device)
    vendor = _VENDORS.get(resource.partition("/")[0])
    if vendor is None:
        return Hardware("the policy", resource)
    base = HARDWARE[vendor]
    return Hardware(base.source, resource, base.image, base.taint, base.args, base.env)
