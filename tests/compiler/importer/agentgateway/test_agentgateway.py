"""agentgateway's configuration file and its Kubernetes objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.importer import Imported, Options, import_files
from vsr_compiler.pipeline import compile_policy, read_policy

MODELS = """\
llm:
  port: 4000
  models:
    - {name: small, provider: openAI, params: {model: gpt-4o-mini, apiKey: $OPENAI_API_KEY}}
    - {name: large, provider: anthropic, params: {model: claude-sonnet-4-5, apiKey: $ANTHROPIC_API_KEY}}
    - {name: own, provider: openAI, params: {baseUrl: "http://vllm.models.svc.cluster.local:8000/v1"}}
"""
BINDS = """\
binds:
  - port: 3000
    listeners:
      - routes:
          - name: chat
            policies:
              backendAuth: {key: $OPENAI_API_KEY}
              localRateLimit: [{maxTokens: 100, tokensPerFill: 100, fillInterval: 60s, type: tokens}]
              ai:
                promptGuard:
                  request:
                    - regex: {action: reject, rules: [{builtin: ssn}, {pattern: "Project [A-Z]+"}]}
                  response:
                    - regex: {action: mask, rules: [{builtin: creditCard}]}
            backends:
              - ai: {name: openai, provider: {openAI: {model: gpt-4o-mini}}}
"""


def imported(text: str, folder: Path) -> Imported:
    """Import one file."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return import_files([path], Options())


def of_code(result: Imported, code: str) -> list[Diagnostic]:
    """Return the findings of a code."""
    return [item for item in result.findings if item.code == code]


@pytest.mark.parametrize("text", [MODELS, BINDS])
def test_a_configuration_compiles_for_agentgateway(text: str, tmp_path: Path) -> None:
    """Keys are references, and the output is for the same gateway."""
    result = imported(text, tmp_path)
    assert not [item for item in result.findings if item.level is Severity.ERROR], result.findings
    assert "secret: openai-api-key" in result.policy
    assert "dev: {target: agentgateway}" in result.policy
    policy = tmp_path / "policy.yaml"
    policy.write_text(result.policy, encoding="utf-8")
    assert compile_policy(read_policy(policy), lambda _: None).objects


def test_prompt_guards_and_limits_are_guards_and_limits(tmp_path: Path) -> None:
    """With their action, on requests or responses."""
    result = imported(BINDS, tmp_path)
    assert "types: [US_SSN], action: block" in result.policy
    assert '"Project [A-Z]+"' in result.policy
    assert 'types: [CREDIT_CARD], action: mask, "on": response' in result.policy
    assert 'tokens: 100, window: "1m"' in result.policy


@pytest.mark.parametrize(
    "guard", ["webhook: {target: {host: a}}", "bedrockGuardrails: {region: x}", "openAIModeration: {}"]
)
def test_a_guard_that_asks_a_service_is_an_error(guard: str, tmp_path: Path) -> None:
    """It is a protection, and no guard of a policy does the same."""
    result = imported(BINDS.replace("- regex: {action: mask, rules: [{builtin: creditCard}]}", f"- {guard}"), tmp_path)
    assert [item.level for item in of_code(result, "VSR546") if item.level is Severity.ERROR] == [Severity.ERROR]


def test_authentication_that_is_lost_is_an_error(tmp_path: Path) -> None:
    """The policy would serve everybody."""
    result = imported(
        BINDS.replace(
            "ai:\n                promptGuard", "jwtAuth: {issuer: x}\n              ai:\n                promptGuard"
        ),
        tmp_path,
    )
    assert [item.level for item in of_code(result, "VSR547")] == [Severity.ERROR]


def test_a_weighted_virtual_model_is_a_split_of_the_automatic_name(tmp_path: Path) -> None:
    """Shares add up to 100."""
    virtual = """\
  virtualModels:
    - name: smart
      routing: {weighted: {targets: [{model: small, weight: 2}, {model: own, weight: 1}]}}
"""
    result = imported(MODELS + virtual, tmp_path)
    assert "autoModels: [smart]" in result.policy
    assert "split: {small: 67, own: 33}" in result.policy


def test_a_virtual_model_with_failover_is_a_default_with_fallbacks(tmp_path: Path) -> None:
    """By priority, the lowest first."""
    virtual = """\
  virtualModels:
    - name: smart
      routing: {failover: {targets: [{model: own, priority: 2}, {model: small, priority: 1}]}}
"""
    result = imported(MODELS + virtual, tmp_path)
    assert "model: small" in result.policy
    assert "fallback: [own]" in result.policy


def test_an_expression_that_chooses_a_model_is_an_error_with_the_expression_in_a_comment(tmp_path: Path) -> None:
    """No signal reads metadata of a request."""
    virtual = """\
  virtualModels:
    - name: smart
      routing:
        conditional: {targets: [{when: 'llmRequest.max_tokens > 100', model: large}, {model: small}]}
"""
    result = imported(MODELS + virtual, tmp_path)
    assert [item.level for item in of_code(result, "VSR550")] == [Severity.ERROR]
    assert "# LOST: smart chose large when: llmRequest.max_tokens > 100" in result.policy


def test_models_of_kubernetes_are_read_as_those_of_files(tmp_path: Path) -> None:
    """An AgentgatewayModel names its model, provider and Secret."""
    text = """\
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayModel
metadata: {name: mini, namespace: ai}
spec:
  parentRefs: [{name: agentgateway}]
  match: {model: gpt-4o-mini}
  provider: OpenAI
  policies:
    auth: {secretRef: {name: openai-secret}}
    promptGuard: {request: [{regex: {action: Reject, builtins: [Email]}}]}
"""
    result = imported(text, tmp_path)
    assert "gpt-4o-mini: {endpoints: mini}" in result.policy
    assert "apiKey: {secret: openai-secret, key: Authorization}" in result.policy
    assert "types: [EMAIL_ADDRESS], action: block" in result.policy
    assert "dev: {target: agentgateway}" in result.policy
