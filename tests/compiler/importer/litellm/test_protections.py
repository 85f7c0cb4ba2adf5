"""Keys are never copied, and protections of LiteLLM are never lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from vsr_compiler.cli.main import command
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.importer import Imported, Options, import_files

MODEL = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
"""
KEYS = {
    "api": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "master": "sk-master-0123456789abcdef",
    "aws": "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz",
    "salt": "salty-salty-salty-salty",
    "database": "hunter2hunter2",
    "redis": "redis-pass-word-42",
    "variable": "value-of-a-variable-77",
    "query": "s3cr3tQueryKey99",
    "header": "Bearer abcdefghijkl-mnop",
}
LEAKY = f"""\
model_list:
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, temperature: 0.2, api_key: {KEYS["api"]}}}
  - model_name: claude
    litellm_params:
      model: bedrock/anthropic.claude-v2
      aws_region_name: us-east-1
      aws_access_key_id: AKIAIOSFODNN7EXAMPLE
      aws_secret_access_key: {KEYS["aws"]}
  - model_name: other
    litellm_params:
      model: openai/other
      api_base: "https://llm.example.com/v1?key={KEYS["query"]}"
      extra_headers: {{Authorization: "{KEYS["header"]}"}}
litellm_settings:
  cache: true
  cache_params: {{type: redis, password: {KEYS["redis"]}}}
general_settings:
  master_key: {KEYS["master"]}
  salt_key: {KEYS["salt"]}
  database_url: postgresql://user:{KEYS["database"]}@db/litellm
environment_variables:
  SOMETHING: {KEYS["variable"]}
"""


def imported(text: str, folder: Path) -> Imported:
    """Import one configuration."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return import_files([path], Options())


def of_code(result: Imported, code: str) -> list[Diagnostic]:
    """Return the findings of a code."""
    return [item for item in result.findings if item.code == code]


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif"])
def test_a_key_in_the_file_is_in_no_output(form: str, tmp_path: Path) -> None:
    """Neither in the policy nor in a report, also if a finding is about another value of the same line."""
    source, policy = tmp_path / "config.yaml", tmp_path / "policy.yaml"
    source.write_text(LEAKY, encoding="utf-8")
    result = CliRunner().invoke(
        command, ["import", str(source), "-o", str(policy), "--report", form, "--partial"], catch_exceptions=False
    )
    everything = result.output + result.stderr + policy.read_text(encoding="utf-8")
    assert "VSR540" in everything
    for name, key in KEYS.items():
        assert key not in everything, name
    assert "AKIAIOSFODNN7EXAMPLE" not in everything


def test_a_key_becomes_a_reference_to_a_secret_of_the_variable_s_name(tmp_path: Path) -> None:
    """And the report lists the Secrets."""
    result = imported(MODEL, tmp_path)
    assert "apiKey: {secret: openai-api-key, key: apiKey}" in result.policy
    assert ["`openai-api-key`" in item.message for item in of_code(result, "VSR541")] == [True]


def test_a_master_key_makes_the_policy_ask_clients_for_it(tmp_path: Path) -> None:
    """Without `identity` the policy would serve everybody."""
    result = imported(MODEL + "general_settings: {master_key: os.environ/MASTER}\n", tmp_path)
    assert "apiKeys: [{secret: master, key: apiKey, user: master}]" in result.policy


@pytest.mark.parametrize("key", ["custom_auth: my_auth.user_api_key_auth", "enable_jwt_auth: true"])
def test_authentication_that_is_lost_is_an_error(key: str, tmp_path: Path) -> None:
    """Nothing else in the policy would ask clients who they are."""
    result = imported(MODEL + f"general_settings: {{{key}}}\n", tmp_path)
    assert [item.level for item in of_code(result, "VSR547")] == [Severity.ERROR]
    assert result.failed


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("bedrock", Severity.ERROR),
        ("aporia", Severity.ERROR),
        ("my_module.MyGuardrail", Severity.ERROR),
        ("something_new_in_2027", Severity.ERROR),
        ("lakera_v2", Severity.WARNING),
    ],
)
def test_a_guardrail_without_an_equal_is_an_error_and_a_weaker_guard_a_warning(
    kind: str, level: Severity, tmp_path: Path
) -> None:
    """A guardrail that is not known is a protection, too."""
    guardrail = (
        "guardrails:\n  - guardrail_name: safety\n"
        f"    litellm_params: {{guardrail: {kind}, mode: pre_call, default_on: true}}\n"
    )
    result = imported(MODEL + guardrail, tmp_path)
    assert [item.level for item in of_code(result, "VSR546")] == [level]


@pytest.mark.parametrize("kind", ["llamaguard_moderations", "openai_moderations", "custom_callbacks.my_handler"])
def test_a_callback_that_may_reject_requests_is_an_error(kind: str, tmp_path: Path) -> None:
    """Callbacks that only observe are not."""
    result = imported(MODEL + f"litellm_settings: {{callbacks: [langfuse, {kind}]}}\n", tmp_path)
    assert [item.level for item in of_code(result, "VSR546")] == [Severity.ERROR]


def test_the_old_form_of_guardrails_is_read_as_well(tmp_path: Path) -> None:
    """`litellm_settings.guardrails` names callbacks."""
    settings = """\
litellm_settings:
  guardrails:
    - prompt_injection: {callbacks: [detect_prompt_injection, hide_secrets], default_on: true}
    - moderation: {callbacks: [openai_moderations]}
    - logs: {callbacks: [presidio], logging_only: true}
"""
    result = imported(MODEL + settings, tmp_path)
    assert "patterns: injection" in result.policy
    assert "patterns: builtin, action: mask" in result.policy
    assert [item.level for item in of_code(result, "VSR546")] == [Severity.WARNING, Severity.ERROR]


def test_types_that_no_pattern_finds_are_an_error_and_the_others_a_guard(tmp_path: Path) -> None:
    """Presidio finds names; patterns do not."""
    guardrail = """\
guardrails:
  - guardrail_name: pii
    litellm_params:
      guardrail: presidio
      mode: pre_call
      default_on: true
      pii_entities_config: {EMAIL_ADDRESS: MASK, PERSON: MASK}
"""
    result = imported(MODEL + guardrail, tmp_path)
    assert "pii: {types: [EMAIL_ADDRESS], action: mask}" in result.policy
    assert ["`PERSON`" in item.message for item in of_code(result, "VSR546")] == [True]
    assert "# LOST: pii looks for PERSON." in result.policy


def test_a_pattern_that_re2_cannot_read_is_an_error(tmp_path: Path) -> None:
    """A policy with it would not compile."""
    guardrail = """\
guardrails:
  - guardrail_name: filter
    litellm_params:
      guardrail: litellm_content_filter
      default_on: true
      patterns: [{pattern_type: regex, pattern: '(?<=a)b', name: x, action: BLOCK}]
      categories: [{category: harmful_violence, enabled: true, action: BLOCK}]
"""
    result = imported(MODEL + guardrail, tmp_path)
    assert len(of_code(result, "VSR546")) == 2
    assert result.failed


def test_an_included_file_that_was_not_passed_is_an_error_and_a_passed_one_is_read(tmp_path: Path) -> None:
    """`import` reads no file that the user did not name."""
    (tmp_path / "models.yaml").write_text(MODEL, encoding="utf-8")
    main = tmp_path / "main.yaml"
    main.write_text(
        "include: [models.yaml]\nlitellm_settings: {num_retries: 1}\nrouter_settings: {timeout: 30}\n", encoding="utf-8"
    )
    assert of_code(import_files([main], Options()), "VSR553")
    both = import_files([main, tmp_path / "models.yaml"], Options())
    assert not of_code(both, "VSR553")
    assert "gpt-4o: {endpoints: gpt-4o}" in both.policy
    assert "attempts: 2" in both.policy


def test_the_routes_of_an_auto_router_may_be_in_a_file_of_json(tmp_path: Path) -> None:
    """The file is passed as well."""
    routes = {"routes": [{"name": "gpt-4o", "utterances": ["write code"], "score_threshold": 0.4}]}
    (tmp_path / "router.json").write_text(json.dumps(routes), encoding="utf-8")
    main = tmp_path / "main.yaml"
    auto = """\
  - model_name: smart
    litellm_params:
      model: auto_router/smart
      auto_router_config_path: ./router.json
      auto_router_default_model: gpt-4o
"""
    main.write_text(MODEL + auto, encoding="utf-8")
    result = import_files([main, tmp_path / "router.json"], Options())
    assert "autoModels: [smart]" in result.policy
    assert "to: [write code]" in result.policy
    assert of_code(import_files([main], Options()), "VSR553")
