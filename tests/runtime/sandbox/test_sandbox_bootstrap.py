from __future__ import annotations

import base64
import copy
import hashlib
import json

import pytest

from support.runtime_fakes import DATA
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_runtime.sandbox.bootstrap import localise
from vsr_schemas.sandbox import PLACEHOLDER_KEY_SET

SAMPLE = read_yaml(DATA / "local" / "envoy.yaml")
PORTS = {"semantic-router": 1, "llama-8b": 2, "phi4-mini": 3}


def test_listener_and_admin_take_free_ports():
    """Ports of Envoy's own are left to the system, on loopback."""
    changed = localise(SAMPLE, PORTS)
    free = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    assert changed["static_resources"]["listeners"][0]["address"] == free
    assert changed["admin"] == {"address": free}


def test_clusters_point_to_what_was_started():
    """Each cluster reaches the port given for it, and keeps its protocol options."""
    clusters = {cluster["name"]: cluster for cluster in localise(SAMPLE, PORTS)["static_resources"]["clusters"]}
    for name, port in PORTS.items():
        (locality,) = clusters[name]["load_assignment"]["endpoints"]
        (endpoint,) = locality["lb_endpoints"]
        assert endpoint["endpoint"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": port}
        assert clusters[name]["type"] == "STATIC"
    assert "typed_extension_protocol_options" in clusters["semantic-router"]


def test_nothing_else_changes():
    """Filters and routes are those that were compiled, and the document given is not touched."""
    before = copy.deepcopy(SAMPLE)
    changed = localise(SAMPLE, PORTS)
    assert before == SAMPLE
    chains = [document["static_resources"]["listeners"][0]["filter_chains"] for document in (SAMPLE, changed)]
    assert chains[0] == chains[1]


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        (PORTS | {"other": 4}, "envoy.yaml: has no cluster 'other', which sandbox.yaml names"),
        ({"semantic-router": 1, "llama-8b": 2}, "sandbox.yaml: does not say what serves the cluster 'phi4-mini'"),
    ],
)
def test_clusters_must_be_those_of_the_sandbox(ports, message):
    """A cluster that nobody serves, or that is not there, is an error before anything listens."""
    with pytest.raises(UserError) as error:
        localise(SAMPLE, ports)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "static_resources is missing"),
        ([], "static_resources is missing"),
        ({"static_resources": {}}, "static_resources.listeners: a list is expected"),
        ({"static_resources": {"listeners": []}}, "one listener is expected, 0 are there"),
        ({"static_resources": {"listeners": [1]}}, "static_resources.listeners: a list is expected"),
        ({"static_resources": {"listeners": [{}], "clusters": {}}}, "static_resources.clusters: a list is expected"),
    ],
)
def test_what_is_no_bootstrap_is_refused(document, message):
    """Another document in its place is one line that names the file."""
    with pytest.raises(UserError) as error:
        localise(document, {})
    assert str(error.value).startswith("envoy.yaml: ")
    assert message in str(error.value)


def test_nobody_knows_the_private_key_of_the_placeholder() -> None:
    """Its point on the curve comes from a sentence, so a bootstrap that is used as it is accepts no token."""
    (key,) = json.loads(PLACEHOLDER_KEY_SET)["keys"]
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "="), "big") for name in "xy")
    start = int.from_bytes(hashlib.sha256(b"vsr-compile: no issuer has this key").digest(), "big")
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    constant = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    assert 0 <= x - start < 64
    assert (x**3 - 3 * x + constant - y * y) % prime == 0


def test_key_set_of_the_sandbox_replaces_the_placeholder() -> None:
    """Wherever a filter has it; without tokens nothing is replaced."""
    filters = [{"typed_config": {"local_jwks": {"inline_string": PLACEHOLDER_KEY_SET}}}, {"inline_string": "other"}]
    bootstrap = {"static_resources": {"clusters": [], "listeners": [{"filters": filters}]}}
    changed = localise(bootstrap, {}, key_set="ours")["static_resources"]["listeners"][0]["filters"]
    assert changed == [{"typed_config": {"local_jwks": {"inline_string": "ours"}}}, {"inline_string": "other"}]
    assert localise(bootstrap, {})["static_resources"]["listeners"][0]["filters"] == filters
