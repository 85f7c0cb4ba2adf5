"""Codes about placement, providers and keys."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES: dict[str, Code] = {
    "VSR267": Code(
        title="unknown or unusable hardware",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "`device` is no kind of hardware and no name of a resource, vLLM publishes no image for it, or the section "
            "cannot have it."
        ),
        reason="The pods would request a resource that no node has, or run an image that does not support it.",
        fix="Use `nvidia`, `amd`, `gaudi`, `cpu` or the name of a device's resource, and set `image` where needed.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {device: h100}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR268": Code(
        title="bounds of autoscaling contradict each other",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "`autoscaling.max` is less than the number of pods with which the Deployment starts, in the policy or in "
            "an environment."
        ),
        reason="The autoscaler would remove pods that the policy asks for, or be rejected.",
        fix="Raise `max`, or lower `min` or `replicas`.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {replicas: 4, autoscaling: {max: 2}}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR269": Code(
        title="endpoints of a model need different keys",
        severity="error",
        stage=Stage.LINK,
        meaning="The router sends the key of a model, but its endpoints have different keys, or some have none.",
        reason="The router chooses the key with the model, before the gateway chooses the endpoint.",
        fix="Give the endpoints the same `apiKey`, or define a model for each and use a route's `split`.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {service: {name: small, port: 8000, apiKey: {secret: small, key: token}}}
  other: {service: {name: other, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small, other]}
"""),
    ),
    "VSR288": Code(
        title="provider contradicts its schema",
        severity="error",
        stage=Stage.LINK,
        meaning="The URL, the credentials or the APIs of a provider do not fit its `schema`, or each other.",
        reason="The provider would reject every request.",
        fix="Follow the hint of the message.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {external: {url: "https://example.openai.azure.com/v1", schema: azure-openai}}
"""),
    ),
    "VSR289": Code(
        title="API key in a URL",
        severity="warning",
        stage=Stage.LINK,
        meaning="The key of a provider travels in the query of the URL.",
        reason="Gateways and providers write URLs to their access logs, so the key may be stored there.",
        fix="Use a header, if the provider reads its key from one, or remove the path from the gateway's access log.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {external: {url: "https://api.example.com/v1", apiKey: {secret: small, key: token, query: key}}}
"""),
    ),
    "VSR320": Code(
        title="credentials that the target cannot send",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The gateway or the router of a target cannot authenticate to an endpoint as the policy says.",
        reason="Every request to the endpoint would get 401.",
        fix="Follow the hint of the message: another header, or another target.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small:
    external:
      url: "https://bedrock-runtime.eu-west-1.amazonaws.com"
      schema: aws-bedrock
      auth: {aws: {region: eu-west-1, secret: aws}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR321": Code(
        title="API that the target does not translate",
        severity="error",
        stage=Stage.TARGETS,
        meaning="Requests to a provider have to be translated, or need a path or query that the target does not send.",
        reason="The provider would not understand any request.",
        fix="Use the target `ai-gateway`, or an API of the provider that is compatible with OpenAI's.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {}}
  small: {external: {url: "https://api.example.com", schema: cohere, apiKey: {secret: small, key: token}}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR322": Code(
        title="placement that the target cannot express",
        severity="error",
        stage=Stage.TARGETS,
        meaning="A chart or release that the target uses has no setting for a word of the placement.",
        reason="The pods would run elsewhere, or without what they need.",
        fix="Remove the word, or use another target or release.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {apiKey: {secret: big, key: token}, pullSecrets: [one, two]}}
  small: {service: {name: small, port: 8000}}
environments:
  stack: {target: production-stack}
"""),
    ),
}
