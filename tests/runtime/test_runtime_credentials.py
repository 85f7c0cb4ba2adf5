from __future__ import annotations

import pytest

from vsr_runtime.credentials import KEYLESS, MAX_KEY, read_credentials
from vsr_runtime.decision.program.effects import ModelTarget, ProviderCredentials
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.runtime import CredentialSettings

KEY = "sk-stand-in"
GIVEN = {"gpt": CredentialSettings(file="far/api-key")}


@pytest.fixture
def folder(tmp_path):
    """A folder with one key."""
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "api-key").write_text(KEY + "\n")
    return tmp_path


def test_a_key_is_read_without_the_line_break_that_editors_add(folder):
    """The header is Authorization and the prefix Bearer unless the settings say otherwise."""
    found = read_credentials(folder, GIVEN)
    assert found == {"gpt": ProviderCredentials("authorization", f"Bearer {KEY}")}
    own = CredentialSettings(file="far/api-key", header="x-api-key", prefix="")
    assert read_credentials(folder, {"gpt": own}) == {"gpt": ProviderCredentials("x-api-key", KEY)}


def test_a_provider_without_a_key_differs_from_none(folder):
    """No credential is sent, which is not the same as nothing being done."""
    assert read_credentials(folder, {"gpt": CredentialSettings()}) == {
        "gpt": ProviderCredentials("authorization", None)
    }


def test_where_the_gateway_adds_the_keys_none_is_read():
    """What a client says of itself is still taken away: there is a model outside, only its key is not ours to know."""
    assert read_credentials(KEYLESS, GIVEN) == {"gpt": ProviderCredentials("authorization", None)}


def test_a_key_in_the_query_is_encoded_behind_the_url_s_own(folder):
    """And it is in no header, and never shown."""
    (folder / "far" / "api-key").write_text("a&b=c/d")
    own = CredentialSettings(file="far/api-key", parameter="key", query="tier=1")
    (found,) = read_credentials(folder, {"gpt": own}).values()
    assert (found.query, found.value) == ("tier=1&key=a%26b%3Dc%2Fd", None)
    assert "a%26b" not in repr(found)


def test_headers_that_carry_keys_elsewhere_are_taken_from_clients():
    """Also where the gateway adds the keys, with what the provider requires besides."""
    own = CredentialSettings(file="far/api-key", query="a=1", defaults={"x-version": "1"}, remove=["x-goog-api-key"])
    (found,) = read_credentials(KEYLESS, {"gpt": own}).values()
    assert (found.query, found.defaults, found.removed[-1]) == ("", (("x-version", "1"),), "x-goog-api-key")


def test_a_key_is_never_shown(folder):
    """Neither by itself nor inside of what holds it."""
    (outside,) = read_credentials(folder, GIVEN).values()
    assert KEY not in repr(outside)
    assert KEY not in repr(ModelTarget("gpt", "gpt", credentials=outside))


def test_a_missing_file_is_named(tmp_path):
    """One line that says which, and what to do."""
    with pytest.raises(UserError, match=r"far/api-key: No such file or directory; mount the Secret"):
        read_credentials(tmp_path, GIVEN)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must hold one line"),
        (b" \n", "must hold one line"),
        (b"first\nSECRET", "must hold one line"),
        (b"SECRET\r\nx-admin: 1", "must hold one line"),
        (b"SECRET\x00", "must hold one line"),
        ("SECR\u00c9T".encode(), "must hold one line"),
        (b"S" * (MAX_KEY + 1), "larger than 8192 bytes"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(folder, data, message):
    """A line break would let a Secret write headers; the message never repeats what the file holds."""
    (folder / "far" / "api-key").write_bytes(data)
    with pytest.raises(UserError, match=message) as error:
        read_credentials(folder, GIVEN)
    assert "SEC" not in str(error.value).replace("Secret", "")


@pytest.mark.parametrize("file", ["../far", "/etc/passwd", "far/../far/api-key", "Far/key", ""])
def test_a_file_outside_the_folder_cannot_be_named(file):
    """The settings come from a ConfigMap, and may not read what else lies on the disk."""
    with pytest.raises(ValueError, match="String should match pattern"):
        CredentialSettings(file=file)


def with_credentials(policy, text):
    """The path of the sample's config, with credentials in its settings."""
    settings = policy / "router" / "runtime.yaml"
    settings.write_text(f"{settings.read_text()}\ncredentials: {text}\n")
    return policy / "router" / "config.yaml"


def test_keys_are_next_to_the_config_by_default(policy, folder):
    """A cluster mounts them there; a sandbox names its own folder."""
    config = with_credentials(policy, "{phi4-mini: {file: far/api-key}}")
    with pytest.raises(UserError, match="router/credentials/far/api-key"):
        load(config)
    models = load(config, folder).program.models
    assert models["phi4-mini"].credentials == ProviderCredentials("authorization", f"Bearer {KEY}")
    assert models["llama3-8b"].credentials is None


def test_credentials_of_an_unknown_model_are_refused(policy):
    """A misspelt name would send a request without its key."""
    config = with_credentials(policy, "{phi: {}}")
    with pytest.raises(UserError, match=r"runtime.yaml: credentials.phi: config.yaml has no model of this name"):
        load(config)


def test_a_route_to_a_model_outside_takes_the_key_along(policy, folder):
    """Targets of decisions are made from the models, and lose nothing on the way."""
    config = with_credentials(policy, "{phi4-mini: {file: far/api-key}}")
    targets = [target for route in load(config, folder).program.routes for target, _ in route.targets]
    assert {target.name: target.credentials is not None for target in targets}["phi4-mini"]
