"""What releases of the Gateway API's inference extension break."""

from __future__ import annotations

from types import MappingProxyType

from vsr_compiler.releases.breakages.model import Breakage, Images, Versions

_EXTENSION = "inference-extension"
_LEGACY = "inference.networking.x-k8s.io"

BREAKAGES = (
    Breakage(
        component=_EXTENSION,
        since="1.6.0",
        what="the project has no endpoint picker: {found} is of an earlier release, which reads kinds that are gone",
        remedy="Use the endpoint picker of llm-d-router, 0.10.0 or later.",
        source="kubernetes-sigs/gateway-api-inference-extension#2967 and #2973; 1.6.0 has no `cmd/epp`",
        sign=Images(r"(^|/)gateway-api-inference-extension/(epp|bbr)$"),
    ),
    Breakage(
        component=_EXTENSION,
        since="1.6.0",
        what="there is no {found} any more",
        remedy="Install the definitions of llm-d-router, and use its kinds of the group `llm-d.ai`.",
        source="kubernetes-sigs/gateway-api-inference-extension#2973",
        sign=Versions(
            _LEGACY, MappingProxyType({"InferenceObjective": "llm-d.ai", "InferenceModelRewrite": "llm-d.ai"})
        ),
    ),
    Breakage(
        component=_EXTENSION,
        since="1.5.0",
        what="there is no {found} any more",
        remedy="Use {instead}.",
        source="kubernetes-sigs/gateway-api-inference-extension 1.5.0, config/crd/bases",
        sign=Versions(_LEGACY, MappingProxyType({"InferencePool": "inference.networking.k8s.io/v1"})),
    ),
)
