"""Values that charts print without quotes, so that YAML may read a name such as `on` or `123` as something else.

Helm renders text, and reads it as YAML 1.1. What a template prints through `toYaml` or `quote` is safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body
from vsr_compiler.manifests.scalars import is_plain_text
from vsr_compiler.targets.common.helm import Values

UNQUOTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # helm/templates at vllm-project/production-stack a6c01db0 (2026-08-05).
        "vllm-stack": (
            "servingEngineSpec.modelSpec[].name",
            "servingEngineSpec.modelSpec[].hf_token.secretName",
            "servingEngineSpec.modelSpec[].imagePullSecret",
            "servingEngineSpec.modelSpec[].runtimeClassName",
            "servingEngineSpec.vllmApiKey.secretName",
            "servingEngineSpec.vllmApiKey.secretKey",
        ),
        # deploy/helm/semantic-router/templates at vllm-project/semantic-router 3d48f8c9c (2026-08-22).
        "semantic-router": (
            "fullnameOverride",
            "nameOverride",
            "global.namespace",
            "persistence.existingClaim",
            "persistence.storageClassName",
        ),
    }
)
"""The values by chart; `[]` after a key stands for every item of a list."""


def check(values: Values) -> Iterator[Diagnostic]:
    """VSR339 for each value that the chart prints without quotes and YAML does not read as text."""
    named = [(path, text) for path in UNQUOTED.get(values.chart, ()) for text in _texts(values.body, path.split("."))]
    named += [("the namespace", service.namespace) for service in values.services]
    named += [("the name of the release", values.release)]
    for path, text in dict.fromkeys(named):
        if text and not is_plain_text(text):
            where = path if " " in path else f"`{path}`"
            message = f"the chart {values.chart} prints {where} without quotes, and YAML does not read `{text}` as text"
            yield Diagnostic("VSR339", message, values.origin, f"Rename `{text}`, for example to `{text}-x`.")


def _texts(body: Body, path: list[str]) -> list[str]:
    """Return the texts at a path."""
    head, *rest = path
    value = body.get(head.removesuffix("[]"))
    if not rest:
        return [value] if isinstance(value, str) else []
    items = value if isinstance(value, list) else [value]
    return [text for item in items if isinstance(item, dict) for text in _texts(item, rest)]
