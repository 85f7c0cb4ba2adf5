"""Providers, model cards and addresses as endpoints and models."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.imports import imported, places, policy_of
from vsr_compiler.importer.places import address, service

REFS = """\
version: v0.3
providers:
  defaults: {{model: m}}
  models: [{{name: m, backend_refs: [{refs}]}}]
routing: {{modelCards: [{{name: m, context_window_size: 4096, loras: [{{name: law-expert}}]}}]}}
"""


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("vllm", ("vllm", "")),
        ("vllm.models", ("vllm", "models")),
        ("vllm.models.svc", ("vllm", "models")),
        ("vllm.models.svc.cluster.local", ("vllm", "models")),
        ("api.example.com", None),
        ("example.com", None),
        ("10.0.0.1", None),
        ("localhost", None),
    ],
)
def test_names_in_the_cluster_are_services(host: str, expected: tuple[str, str] | None) -> None:
    """A name of two parts is a Service unless it ends like a public one."""
    assert service(host) == expected


@pytest.mark.parametrize("text", ["<host>:8000", "a b", "ftp://x", "http://", "host:99999999"])
def test_what_is_no_address_is_none(text: str) -> None:
    """Placeholders and other schemes."""
    assert address(text) is None


@pytest.mark.parametrize(
    ("refs", "endpoint"),
    [
        ('{endpoint: "vllm.models:8000"}', {"service": "vllm.models:8000"}),
        ('{endpoint: "vllm.models.svc.cluster.local:8000"}', {"service": "vllm.models:8000"}),
        ("{base_url: 'https://api.example.com/v1'}", {"external": {"url": "https://api.example.com/v1"}}),
        ("{provider: groq}", {"external": {"url": "https://api.groq.com/openai/v1"}}),
        (
            "{provider: anthropic, api_key_env: ANTHROPIC_API_KEY}",
            {
                "external": {
                    "url": "https://api.anthropic.com",
                    "schema": "anthropic",
                    "apiKey": {"secret": "anthropic", "key": "ANTHROPIC_API_KEY"},
                }
            },
        ),
        (
            "{base_url: 'https://api.example.com/v1', api_key: '${MY_API_KEY}', auth_header: X-Key}",
            {
                "external": {
                    "url": "https://api.example.com/v1",
                    "apiKey": {"secret": "my", "key": "MY_API_KEY", "header": "x-key"},
                }
            },
        ),
    ],
)
def test_backends_become_endpoints(tmp_path: Path, refs: str, endpoint: object) -> None:
    """Services in the cluster, or providers with references to their keys."""
    result = imported(tmp_path, REFS.format(refs=refs))
    assert policy_of(result)["endpoints"] == {"m": endpoint}
    assert not result.failed


@pytest.mark.parametrize("refs", ['{endpoint: "127.0.0.1:8000"}', "{base_url: '${URL}'}", "{endpoint: dummy}", ""])
def test_a_model_without_a_usable_address_gets_a_placeholder(tmp_path: Path, refs: str) -> None:
    """Its Service has the model's name, and the report says so at the place."""
    result = imported(tmp_path, REFS.format(refs=refs))
    assert policy_of(result)["endpoints"] == {"m": {"service": "m:8000"}}
    assert len(places(result, "VSR531")) == 1


def test_weights_of_backends_stay(tmp_path: Path) -> None:
    """The gateway splits by them."""
    result = imported(tmp_path, REFS.format(refs='{name: a, endpoint: "a:80", weight: 3}, {name: b, endpoint: "b:80"}'))
    assert policy_of(result)["models"]["m"]["endpoints"] == {"m-a": 3, "m-b": 1}


def test_an_adapter_is_a_model_at_the_same_endpoint(tmp_path: Path) -> None:
    """Its server has it under its own name."""
    models = policy_of(imported(tmp_path, REFS.format(refs='{endpoint: "a:80"}')))["models"]
    assert models == {"m": {"endpoints": "m", "context": 4096}, "law-expert": {"endpoints": "m", "context": 4096}}


def test_names_that_a_header_cannot_carry_are_changed_and_reported(tmp_path: Path) -> None:
    """The report has the old and the new name."""
    result = imported(tmp_path, REFS.format(refs='{endpoint: "a:80"}').replace("name: m,", 'name: "my model",'))
    assert "my-model" in policy_of(result)["models"]
    [(_, message)] = places(result, "VSR530")
    assert "my model => my-model" in message
