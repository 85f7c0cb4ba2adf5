"""Clients before the real Envoy: with tokens, with keys, behind a front end, and with none of them."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from support.identity_policies import policy
from support.scripted import Scripted
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.identity import HEADERS
from vsr_schemas.sandbox import ClientSettings

pytestmark = REAL_ENVOY

USER, TEAM = HEADERS["user"], HEADERS["team"]
CORS = 'gateway: {cors: {allowOrigins: ["https://a.example"]}}\n'
RESEARCH, INTERNS = ({"team": "research"}, {"team": "interns"})


def _stand(folder, source: str, more: str = "") -> Iterator[Running]:
    with compiled_sandbox(folder, policy(source, more=more)) as stand:
        Scripted.says("done")
        yield stand


@pytest.fixture(scope="module")
def tokens(tmp_path_factory) -> Iterator[Running]:
    """A gateway that checks tokens."""
    yield from _stand(tmp_path_factory.mktemp("tokens"), "jwt", CORS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Iterator[Running]:
    """A router that checks keys."""
    yield from _stand(tmp_path_factory.mktemp("keys"), "apiKeys")


@pytest.fixture(scope="module")
def front(tmp_path_factory) -> Iterator[Running]:
    """A gateway behind a front end."""
    yield from _stand(tmp_path_factory.mktemp("front"), "gatewayHeader")


def token(stand: Running, attributes: dict[str, str] | None = None, roles: tuple[str, ...] = (), **claims) -> str:
    """The Authorization of a client, with further claims."""
    client = ClientSettings(attributes=attributes or {}, roles=list(roles))
    return f"Bearer {stand.sandbox.clients.token(client, **claims)}"


def as_client(stand: Running, attributes: dict[str, str], roles: tuple[str, ...] = ()) -> dict[str, str]:
    """The headers of a client, as keywords."""
    headers = stand.sandbox.clients.headers(ClientSettings(attributes=attributes, roles=list(roles)))
    return {name.replace("-", "_"): value for name, value in headers.items()}


def served(stand: Running, body: bytes, **headers: str) -> str:
    """The model that serves a request."""
    status, _, data = stand.send(body, **headers)
    assert status == 200, data
    return str(json.loads(Scripted.requests[-1][1])["model"])


def received() -> dict[str, str]:
    """The headers that the last model got."""
    return {name.lower(): value for name, value in Scripted.requests[-1][0].items()}


@pytest.mark.parametrize("name", ["tokens", "keys", "front"])
def test_two_teams_get_different_models(name: str, request: pytest.FixtureRequest, chat) -> None:
    """The same prompt, and no credential of a client reaches a model or a provider."""
    stand = request.getfixturevalue(name)
    assert served(stand, chat("auto", "hello"), **as_client(stand, INTERNS)) == "small"
    assert [header for header in CREDENTIALS if header in received()] == []
    assert received()[TEAM] == "interns"
    assert served(stand, chat("auto", "hello"), **as_client(stand, RESEARCH)) == "gpt"
    assert received()["authorization"].startswith("Bearer stand-in-")
    assert [header for header in received() if header.startswith(("x-authz-", "x-vsr-claim-", "x-front-"))] == []


@pytest.mark.parametrize("name", ["tokens", "keys", "front"])
def test_a_team_cannot_name_a_model_of_others(name: str, request: pytest.FixtureRequest, chat) -> None:
    """403 in the form of the API, and the model is not in its list."""
    stand = request.getfixturevalue(name)
    status, _, data = stand.send(chat("gpt", "hello"), **as_client(stand, INTERNS))
    assert (status, json.loads(data)["error"]["code"]) == (403, "model_not_allowed")
    _, _, listed = stand.send(None, "GET", "/v1/models", **as_client(stand, INTERNS))
    assert [item["id"] for item in json.loads(listed)["data"]] == ["auto", "MoM", "small"]
    _, _, listed = stand.send(None, "GET", "/v1/models", **as_client(stand, RESEARCH))
    assert {"gpt", "large"} <= {item["id"] for item in json.loads(listed)["data"]}


@pytest.mark.parametrize("name", ["tokens", "keys", "front"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/small", "/v1/chat/completions", "/nowhere"])
def test_strangers_get_nothing(name: str, path: str, request: pytest.FixtureRequest, chat) -> None:
    """Whatever they say about themselves: no list of models, no 404, no verdict."""
    stand, before = request.getfixturevalue(name), len(Scripted.requests)
    forged = {header.replace("-", "_"): "research" for header in (*HEADERS.values(), "x-front-user", "x-front-team")}
    for headers in ({}, forged):
        body, method = (chat("small", "hello"), "POST") if "chat" in path else (None, "GET")
        status, _, data = stand.send(body, method, path, **headers)
        assert status in {401, 403}
        assert b"small" not in data
    assert len(Scripted.requests) == before


def test_forged_headers_beside_a_token_have_no_effect(tokens: Running, chat) -> None:
    """A client without a team has none, whatever it says; nor does it have another's."""
    forged = {header.replace("-", "_"): "research" for header in (*HEADERS.values(), "x-vsr-claim-plan")}
    status, _, _ = tokens.send(chat("gpt", "hello"), **forged, authorization=token(tokens))
    assert status == 403
    assert served(tokens, chat("auto", "hello"), **forged, authorization=token(tokens, INTERNS)) == "small"
    assert received()[TEAM] == "interns"
    assert received()[USER] == "test"


def _unsigned(text: str, algorithm: str) -> str:
    head, body, signature = text.removeprefix("Bearer ").split(".")
    other = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"Bearer {other}.{body}.{'' if algorithm == 'none' else signature}" if head else ""


BAD = {
    "expired": lambda stand: token(stand, RESEARCH, exp=int(time.time()) - 3600),
    "not valid yet": lambda stand: token(stand, RESEARCH, nbf=int(time.time()) + 3600),
    "of another issuer": lambda stand: token(stand, RESEARCH, iss="https://evil.example.com"),
    "for another audience": lambda stand: token(stand, RESEARCH, aud="other"),
    "without an audience": lambda stand: token(stand, RESEARCH, aud=None),
    "without a user": lambda stand: token(stand, RESEARCH, sub=None),
    "with an empty user": lambda stand: token(stand, RESEARCH, sub=""),
    "with a user that is a list": lambda stand: token(stand, RESEARCH, sub=["ada"]),
    "unsigned": lambda stand: _unsigned(token(stand, RESEARCH), "none"),
    "with another algorithm": lambda stand: _unsigned(token(stand, RESEARCH), "RS256"),
    "with a changed signature": lambda stand: token(stand, RESEARCH)[:-6] + "AAAAAA",
    "with a line break in a claim": lambda stand: token(stand, {"team": "research\r\nx-selected-model: gpt"}),
    "with a NUL in a claim": lambda stand: token(stand, {"team": "research\x00"}),
    "with a claim that is too long": lambda stand: token(stand, {"team": "r" * 5000}),
    "too many roles": lambda stand: token(stand, RESEARCH, groups=[str(number) for number in range(1000)]),
    "longer than headers may be": lambda stand: token(stand, RESEARCH, pad="x" * 80_000),
    "no token": lambda _: "Bearer nonsense",
    "of another scheme": lambda stand: token(stand, RESEARCH).replace("Bearer", "Basic"),
    "two in one header": lambda stand: f"{token(stand, INTERNS)},{token(stand, RESEARCH)}",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_token_is_refused(tokens: Running, name: str, chat) -> None:
    """By Envoy, or by the router where a claim is hostile; no model is asked."""
    before = len(Scripted.requests)
    try:
        status, _, _ = tokens.send(chat("small", "hello"), authorization=BAD[name](tokens))
    except ConnectionError:  # as Envoy may end a connection with headers that are too long
        status = 431
    assert status in {401, 403, 431}
    assert len(Scripted.requests) == before


@pytest.mark.parametrize(
    "team", ["interns,research", "research,interns", ["research"], "résearch", "研究", "RESEARCH", {"a": 1}, 7]
)
def test_odd_claim_is_no_team_of_the_policy(tokens: Running, team, chat) -> None:
    """Commas, lists, capitals and other scripts name another team, which may not use the model."""
    authorization = token(tokens, team=team)
    status, _, _ = tokens.send(chat("gpt", "hello"), authorization=authorization)
    assert status == 403
    assert served(tokens, chat("auto", "hello"), authorization=authorization) == "small"


def test_list_of_roles_counts_one_by_one(tokens: Running, chat) -> None:
    """As identity providers send groups."""
    assert served(tokens, chat("large", "hello"), authorization=token(tokens, roles=("dev", "boss"))) == "large"
    for roles in (("dev",), ("boss,dev",), ("boss ",)):
        status, _, _ = tokens.send(chat("large", "hello"), authorization=token(tokens, roles=roles))
        assert status == 403


def _twice(stand: Running, one: str, other: str, body: bytes) -> int:
    """The status of a request with two Authorization headers."""
    host, _, port = stand.sandbox.url.removeprefix("http://").partition(":")
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
    head += f"content-type: application/json\r\nauthorization: {one}\r\nauthorization: {other}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status


@pytest.mark.parametrize("name", ["tokens", "keys"])
def test_two_credentials_in_a_request_are_refused(name: str, request: pytest.FixtureRequest, chat) -> None:
    """In either order: neither decides who it is."""
    stand = request.getfixturevalue(name)
    one, other = (as_client(stand, team)["authorization"] for team in (INTERNS, RESEARCH))
    assert [_twice(stand, *pair, chat("gpt", "hello")) for pair in ((one, other), (other, one))] == [401, 401]


@pytest.mark.parametrize("name", ["tokens", "keys"])
def test_preflight_of_a_page_is_answered_without_credentials(name: str, request: pytest.FixtureRequest) -> None:
    """If the policy has pages; otherwise it leads nowhere."""
    stand = request.getfixturevalue(name)
    asked = {"origin": "https://a.example", "access_control_request_method": "POST", "content_type": None}
    status, headers, _ = stand.send(None, "OPTIONS", **asked)
    assert status == (204 if name == "tokens" else 404)
    assert headers.get("access-control-allow-origin") == ("https://a.example" if name == "tokens" else None)


def test_front_end_is_believed_at_its_address_only(front: Running, chat) -> None:
    """Another address is refused, with the same headers."""
    headers = as_client(front, RESEARCH)
    assert served(front, chat("auto", "from the front end"), **headers) == "gpt"
    for address in ("10.2.0.1", "192.0.2.1", ""):
        status, _, data = front.send(chat("auto", "hello"), **{**headers, "x_forwarded_for": address})
        assert (status, json.loads(data)["error"]["code"]) == (403, "untrusted_sender")
    assert served(front, chat("auto", "from another"), **{**headers, "x_forwarded_for": "192.0.2.1, 10.1.3.4"}) == "gpt"


@pytest.mark.parametrize("name", ["tokens", "keys", "front"])
def test_cached_answer_of_a_team_is_for_the_team(name: str, request: pytest.FixtureRequest, chat) -> None:
    """The route of research caches by team; others do not get there, and users share no entries of their own."""
    stand = request.getfixturevalue(name)
    asked = chat("auto", f"cached by {name}")
    for expected in (1, 0):
        before = len(Scripted.requests)
        status, _, _ = stand.send(asked, **as_client(stand, RESEARCH))
        assert (status, len(Scripted.requests) - before) == (200, expected)


def _keys_out_of_reach(bootstrap: dict) -> None:
    """The list of models, by which the sandbox sees that it is ready, is checked with keys at hand; the rest is not."""
    resources = bootstrap["static_resources"]
    (chain,) = resources["listeners"][0]["filter_chains"]
    manager = chain["filters"][-1]["typed_config"]
    (filter_,) = (item for item in manager["http_filters"] if item["name"].endswith("jwt_authn"))
    config = filter_["typed_config"]
    remote = {key: value for key, value in config["providers"]["identity"].items() if key != "local_jwks"}
    uri = {"uri": "http://127.0.0.1:9/keys", "cluster": "issuer", "timeout": "1s"}
    config["providers"]["remote"] = remote | {"remote_jwks": {"http_uri": uri}}
    config["rules"] = [
        {"match": {"prefix": path}, "requires": {"provider_name": name}}
        for path, name in (("/v1/models", "identity"), ("/", "remote"))
    ]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 9}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {"name": "issuer", "type": "STATIC", "connect_timeout": "0.2s"}
    resources["clusters"].append(cluster | {"load_assignment": {"cluster_name": "issuer", "endpoints": endpoints}})


def test_nobody_is_served_while_the_keys_of_the_issuer_cannot_be_had(tmp_path, chat) -> None:
    """A valid token is refused as well: authentication fails closed."""
    with compiled_sandbox(tmp_path, policy("jwt"), edit=_keys_out_of_reach) as stand:
        Scripted.says("done")
        before = len(Scripted.requests)
        status, _, data = stand.send(chat("small", "hello"), authorization=token(stand, INTERNS))
        assert status == 401
        assert b"Jwks" in data
        assert len(Scripted.requests) == before
