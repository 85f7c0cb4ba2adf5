"""How stacks of others route by a header: its name and its values. A platform may set another name.

Sources, read in August 2026 and named by repository, release and file:

- kserve: kserve/kserve v0.19.0 and v0.20.0, `config/llmisvcconfig/config-llm-router-route.yaml` (rules
  `v1-model-routing` and `v1-catch-all-model-routing`), `pkg/apis/serving/v1beta1/configmap.go` (name of the header),
  `pkg/controller/v1alpha2/llmisvc/config_merge.go` (adapters). Its vLLM servers have the short name and the value as
  names of a model (`config-llm-template.yaml`), and load adapters under both (`workload_lora.go`). Not confirmed for
  0.21.0, which was not available.
- gke: gateway-api-inference-extension v1.5.0, `config/charts/body-based-routing/values.yaml`, which has GKE among its
  providers: the header is the model of the body.
- llm-d: llm-d-router main of 2026-08-22, `config/charts/llm-d-router-gateway/templates/httproute.yaml`: the header is
  the base model, which a body-based router finds by an adapter's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vsr_schemas.policy.v1alpha1.attach import Convention

MODEL_HEADER = "x-gateway-model-name"
BASE_MODEL_HEADER = "x-gateway-base-model-name"


@dataclass(frozen=True, slots=True)
class HeaderConvention:
    """How the routes of a stack match models.

    Attributes:
        title: The stack, for people.
        header: The header, in lower case.
        value: What its value is: the name in the body (`model`), that of the base model (`base`), or the name with the
            namespace of the server (`publisher`).
        needs: What the stack must have, for people; empty for nothing.
    """

    title: str
    header: str
    value: Literal["model", "base", "publisher"]
    needs: str = ""


CONVENTIONS: Mapping[Convention, HeaderConvention] = MappingProxyType(
    {
        "kserve": HeaderConvention(
            "KServe", MODEL_HEADER, "publisher", "KServe 0.19 or newer, with `modelBasedRoutingMode` not `disabled`"
        ),
        "gke": HeaderConvention("body-based routing", MODEL_HEADER, "model"),
        "llm-d": HeaderConvention("llm-d", BASE_MODEL_HEADER, "base"),
        "any": HeaderConvention("others", MODEL_HEADER, "model"),
    }
)


def publisher_name(namespace: str, model: str) -> str:
    """Return the value by which KServe's routes match a model (`fullyQualifiedModelName`).

    >>> publisher_name("llm", "qwen")
    'publishers/llm/models/qwen'
    """
    return f"publishers/{namespace}/models/{model}"


BODY_ROUTERS = ("body-based-rout", "/bbr", ".bbr", "payload-processor")
"""Parts of names by which body-based routers are recognised: of their filters, Services and images.

Source: gateway-api-inference-extension v1.4.0 and v1.5.0, `config/charts/body-based-routing` (filter
`envoy.filters.http.ext_proc.bbr`, Service `body-based-router`, image `…/bbr`). The name of llm-d's payload processor is
not confirmed by its source.
"""
BODY_ROUTER_HEADERS = frozenset({MODEL_HEADER, BASE_MODEL_HEADER})
"""The headers that they write."""
