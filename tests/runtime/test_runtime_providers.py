"""Providers in a stock config: keys by reference, headers, paths, and the models' names there."""

from __future__ import annotations

import pytest
import yaml

from vsr_runtime.credentials import KEYLESS
from vsr_runtime.decision.request.headers import apply_credentials
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.apis import CHAT

REF = {"name": "a", "provider": "openai", "base_url": "https://api.example.com/v1", "api_key_env": "EXAMPLE_KEY"}
SECRET = "sk-1234567890-very-secret"  # noqa: S105 - not a real one


@pytest.fixture(autouse=True)
def _variables(monkeypatch):
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)


def loaded(folder, *refs, credentials=None, **model):
    """The program of a config with one model."""
    document = {
        "version": "v0.3",
        "providers": {"defaults": {"model": "big"}, "models": [{"name": "big", "backend_refs": list(refs), **model}]},
        "routing": {"modelCards": [{"name": "big"}]},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    return load(folder / "config.yaml", credentials).program


def sent(program, path=CHAT):
    """The headers that a request to the model carries."""
    headers, removed = apply_credentials((), (), program.models["big"].credentials, path)
    return dict(headers), removed


def test_the_key_comes_from_the_variable_that_the_config_names(tmp_path):
    """Clients' keys are removed, and no text shows the key."""
    program = loaded(tmp_path, REF)
    headers, removed = sent(program)
    assert headers == {"authorization": f"Bearer {SECRET}"}
    assert {"api-key", "x-api-key", "cookie"} <= set(removed)
    assert SECRET not in repr(program)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"auth_header": "X-Api-Key", "auth_prefix": "Token"}, {"x-api-key": f"Token {SECRET}"}),
        ({"chat_path": "/chat"}, {"authorization": f"Bearer {SECRET}", ":path": "/chat"}),
        (
            {"base_url": "https://openrouter.example/api/v1/"},
            {"authorization": f"Bearer {SECRET}", ":path": "/api/v1/chat/completions"},
        ),
        (
            {
                "provider": "azure-openai",
                "base_url": "https://x.example/openai/deployments/a",
                "api_version": "2024-10-21",
            },
            {"api-key": SECRET, ":path": "/openai/deployments/a/chat/completions?api-version=2024-10-21"},
        ),
        ({"provider": "minimax", "base_url": "https://x.example"}, {"authorization": f"Bearer {SECRET}"}),
        ({"extra_headers": {"X-Title": "us"}}, {"authorization": f"Bearer {SECRET}", "x-title": "us"}),
    ],
)
def test_requests_carry_what_the_stock_router_would_send(tmp_path, ref, expected):
    """The defaults of a type of provider, and what the config says instead."""
    assert sent(loaded(tmp_path, {**REF, **ref}))[0] == expected


def test_a_provider_with_a_path_of_its_own_has_only_chats(tmp_path):
    """Other APIs would go to the path of chats."""
    assert loaded(tmp_path, {**REF, "chat_path": "/chat"}).models["big"].limits.apis == {CHAT}
    assert len(loaded(tmp_path, REF).models["big"].limits.apis) > 1


def test_a_gateway_that_adds_the_keys_needs_no_variable(tmp_path, monkeypatch):
    """Then the router sets none."""
    monkeypatch.delenv("EXAMPLE_KEY")
    assert sent(loaded(tmp_path, REF, credentials=KEYLESS))[0] == {}


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ({"api_key": SECRET}, r"backend_refs\[0\]\.api_key: keys are not read from this file"),
        ({"api_key_env": "MISSING"}, "'MISSING' of api_key_env is not set; set it from a Secret"),
        ({"provider": "anthropic"}, "provider 'anthropic' is not executed here"),
        ({"provider": None}, "provider 'none' is not executed here"),
        ({"base_url": "ftp://x"}, "not an address such as"),
        ({"base_url": f"https://user:{SECRET}@x.example/v1"}, "not an address such as"),
        ({"base_url": "https://x.example/v1?key=1"}, "has a query"),
        ({"chat_path": "chat"}, "chat_path is not a path"),
        ({"chat_path": "/chat\r\nx: y"}, "chat_path is not a path"),
        ({"provider": "azure-openai", "api_version": "1&key=2"}, "api_version is not one"),
        ({"auth_header": "host"}, "cannot be sent in a header"),
        ({"auth_header": ":path"}, "cannot be sent in a header"),
        ({"auth_prefix": "a\nb"}, "cannot be sent in a header"),
        ({"extra_headers": {"Authorization": SECRET}}, "is a key; name a variable"),
        ({"extra_headers": {"x-a": "1\r\nx-b: 2"}}, "cannot be set"),
        ({"extra_headers": {"Host": "x"}}, "cannot be set"),
        ({"extra_headers": {"X-Selected-Model": "other"}}, "cannot be set"),
    ],
)
def test_a_provider_that_cannot_be_used_is_refused_without_its_key(tmp_path, ref, message):
    """What the message shows is never secret."""
    with pytest.raises(UserError, match=message) as error:
        loaded(tmp_path, {**REF, **ref})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("key", ["a\nb: c", "schlüssel", "x" * 9000])
def test_a_variable_that_holds_no_key_is_refused_without_it(tmp_path, monkeypatch, key):
    """A line break would start another header."""
    monkeypatch.setenv("EXAMPLE_KEY", key)
    with pytest.raises(UserError, match="must hold one line") as error:
        loaded(tmp_path, REF)
    assert key not in str(error.value)


def test_endpoints_of_a_model_that_need_other_keys_are_refused(tmp_path):
    """The gateway chooses between them behind the router."""
    with pytest.raises(UserError, match="have the same provider, key and path"):
        loaded(tmp_path, REF, {"name": "b", "endpoint": "local:8000"})
    assert loaded(tmp_path, REF, {**REF, "name": "b", "weight": 2}).models["big"].credentials


@pytest.mark.parametrize(
    ("model", "refs", "name"),
    [
        ({"external_model_ids": {"openai": "gpt", "vllm": "local"}}, [REF], "gpt"),
        ({"external_model_ids": {"vllm": "local"}}, [{"endpoint": "a:1"}], "local"),
        ({"external_model_ids": {"ollama": "local"}}, [{"endpoint": "a:1"}], "big"),
        ({"external_model_ids": {"openai": "gpt"}, "provider_model_id": "other"}, [REF], "gpt"),
        ({"provider_model_id": "other"}, [REF], "other"),
        (
            {"external_model_ids": {"x": "1", "other": "2"}},
            [{"provider": "x", "endpoint": "a:1"}, {"provider": "other", "endpoint": "b:1", "weight": 2}],
            "2",
        ),
    ],
)
def test_the_name_at_the_provider_is_that_of_the_heaviest_endpoint(tmp_path, model, refs, name):
    """By its type, which is vllm if it has none."""
    assert loaded(tmp_path, *refs, **model).models["big"].served_as == name
