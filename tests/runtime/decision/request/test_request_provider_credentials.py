from __future__ import annotations

import pytest

from support.request_machine import RULES, drive, headers, rules
from vsr_runtime.decision.program.conditions import AllConditions
from vsr_runtime.decision.program.effects import Effects, ModelTarget, ProviderCredentials
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.events import RequestBody
from vsr_runtime.decision.request.states import MachineConfig
from vsr_schemas.headers import CREDENTIALS, PROTECTED

KEY = ProviderCredentials("authorization", "Bearer sk-stand-in")
GPT = ModelTarget("gpt", "gpt-9", credentials=KEY)
OPEN = ModelTarget("open", "open", credentials=ProviderCredentials())


def outward(target, effects=None) -> MachineConfig:
    """Rules under which every request goes to a model outside."""
    every = PolicyRoute("every", AllConditions(()), ((target, 100),), effects or Effects())
    return rules(every, models={target.name: target, **RULES.program.models})


@pytest.mark.parametrize("model", ["gpt", "auto"])
def test_the_key_goes_with_a_request_whoever_chose_the_model(chat, model):
    """Named or decided, the provider sees our key and no word of the client's about who it is."""
    _, action = drive(headers(authorization="Bearer mine"), RequestBody(chat(model)), rules=outward(GPT))
    assert dict(action.set_headers)["authorization"] == "Bearer sk-stand-in"
    assert dict(action.set_headers)["x-selected-model"] == "gpt"
    assert set(action.remove_headers) == set(CREDENTIALS) - {"authorization"}
    assert b"gpt-9" in action.body


def test_a_provider_without_a_key_does_not_get_the_clients(chat):
    """What the client says to the gateway is not for others."""
    _, action = drive(headers(), RequestBody(chat("open")), rules=outward(OPEN))
    assert set(action.remove_headers) == set(CREDENTIALS)
    assert {name for name, _ in action.set_headers} == {"x-selected-model"}


def test_in_cluster_model_gets_the_client_s_credentials(chat):
    """It may have a key of its own to ask for."""
    _, action = drive(headers(authorization="Bearer mine"), RequestBody(chat("llama3-8b")), rules=outward(GPT))
    assert "authorization" not in dict(action.set_headers)
    assert action.remove_headers == ()


def test_a_route_may_set_other_headers_but_not_the_one_of_the_key(chat):
    """The policy's own words stay, in any case of letters; the key wins over them."""
    effects = Effects(
        set_headers=(("Authorization", "x"), ("X-Api-Key", "y")), remove_headers=("AUTHORIZATION", "x-old")
    )
    _, action = drive(headers(), RequestBody(chat("auto")), rules=outward(GPT, effects))
    assert [value for name, value in action.set_headers if name.lower() == "authorization"] == ["Bearer sk-stand-in"]
    assert dict(action.set_headers)["X-Api-Key"] == "y"
    assert set(action.remove_headers) == {"x-old", "api-key", "cookie", "proxy-authorization"}


def test_the_key_is_never_shown(chat):
    """An action that is logged by mistake does not show the key."""
    _, action = drive(headers(), RequestBody(chat("gpt")), rules=outward(GPT))
    assert "Bearer sk-stand-in" in dict(action.set_headers).values()
    assert "stand-in" not in repr(action)
    assert "stand-in" not in repr(outward(GPT))


def test_no_header_is_removed_that_the_request_cannot_do_without():
    """Credentials are neither routing nor framing."""
    assert PROTECTED.isdisjoint(CREDENTIALS)
