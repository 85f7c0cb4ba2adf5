"""Who sends a request: from headers of the gateway, of a front end, or from keys; and what is no client's."""

from __future__ import annotations

import base64
import json
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.identity.client import Client, ClientTest
from vsr_runtime.decision.identity.rules import MAX_LIST, IdentityRules, UnknownClientError, digest_of
from vsr_schemas.identity import HEADERS, MAX_ROLES, MAX_VALUE

USER, TEAM, ROLES = HEADERS["user"], HEADERS["team"], HEADERS["role"]
TOKENS = IdentityRules({**HEADERS, "plan": "x-vsr-claim-plan"})
FRONT = IdentityRules(
    {"user": "x-front-user", "role": "x-front-roles"},
    (ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
    front_end=True,
)
ADA, BOB = Client({"user": "ada", "team": "red"}), Client({"user": "bob", "team": "blue"})
ADAS, BOBS = "key-of-ada-0123456789", "key-of-bob-0123456789"
KEYS = IdentityRules(keys={digest_of(ADAS): ADA, digest_of(BOBS): BOB})


def listed(*values: object) -> str:
    """A list in a token, as Envoy puts it into a header."""
    return base64.b64encode(json.dumps(values).encode()).decode()


def refused(rules: IdentityRules, *headers: tuple[str, str], address: str = "") -> str:
    """The code of the refusal."""
    with pytest.raises(UnknownClientError) as caught:
        rules.client_of(headers, address)
    return caught.value.code


def test_attributes_come_from_the_headers_that_authentication_sets() -> None:
    """A missing one is no attribute, and so is an empty one."""
    client = TOKENS.client_of(((USER, "ada"), (TEAM, "red"), (HEADERS["tenant"], ""), ("x-vsr-claim-plan", "gold")), "")
    assert client.attributes == {"user": "ada", "team": "red", "plan": "gold"}
    assert client.roles == frozenset()


@pytest.mark.parametrize("team", ["red,blue", "red ", "RED", "rød", listed("red"), "red,", "red;blue", "['red']"])
def test_only_the_very_value_of_a_claim_is_a_team(team: str) -> None:
    """Lists, commas, blanks, capitals and lookalikes are other values."""
    client = TOKENS.client_of(((USER, "ada"), (TEAM, team)), "")
    assert not ClientTest("team", frozenset({"red", "blue"})).holds(client)


def test_a_list_of_roles_in_a_token_is_several_roles_and_a_text_is_one() -> None:
    """A comma within a role separates nothing."""
    for value, roles in ((listed("a", "b,c", 3, None), {"a", "b,c"}), ("a,b", {"a,b"}), ("boss", {"boss"})):
        assert TOKENS.client_of(((USER, "ada"), (ROLES, value)), "").roles == roles


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), "identity_required"),
        (((TEAM, "red"),), "identity_required"),
        (((USER, ""),), "identity_required"),
        (((USER, "ada"), (USER, "bob")), "ambiguous_identity"),
        (((USER, "ada"), (TEAM, "red"), (TEAM, "red")), "ambiguous_identity"),
        (((USER, "ada\r\nx-selected-model: big"),), "invalid_identity"),
        (((USER, "ada\x00"),), "invalid_identity"),
        (((USER, "ada"), (TEAM, "red\u202e")), "invalid_identity"),
        (((USER, "a\N{REPLACEMENT CHARACTER}"),), "invalid_identity"),
        (((USER, "a" * (MAX_VALUE + 1)),), "invalid_identity"),
        (((USER, "ada"), (ROLES, "a" * (MAX_LIST + 1))), "invalid_identity"),
        (((USER, "ada"), (ROLES, listed(*map(str, range(MAX_ROLES + 1))))), "invalid_identity"),
    ],
)
def test_missing_doubled_or_hostile_value_is_refused(headers: tuple[tuple[str, str], ...], code: str) -> None:
    """Whatever could become another header, or another client."""
    assert refused(TOKENS, *headers) == code


def test_nested_list_of_roles_is_no_list() -> None:
    """It is read in bounded depth, and is then a text that no policy names."""
    deep = base64.b64encode(b"[" * 6000).decode()
    assert TOKENS.client_of(((USER, "ada"), (ROLES, deep)), "").roles == {deep}


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"])
def test_front_end_is_believed_at_its_addresses(address: str) -> None:
    """Its roles are separated by commas."""
    client = FRONT.client_of((("x-front-user", "ada"), ("x-front-roles", "boss, dev,")), address)
    assert client == Client({"user": "ada"}, frozenset({"boss", "dev"}))


@pytest.mark.parametrize("address", ["", "10.2.0.1", "::ffff:10.2.0.1", "fe80::1", "10.1.2.3:80", "10.1.2", "/socket"])
def test_others_are_nobody_whatever_they_say(address: str) -> None:
    """Even with the headers of the front end, and without an address that the gateway tells."""
    assert refused(FRONT, ("x-front-user", "ada"), address=address) == "untrusted_sender"


@pytest.mark.parametrize(
    "header",
    [("authorization", f"Bearer {ADAS}"), ("authorization", f"bearer {ADAS}"), ("x-api-key", ADAS), ("api-key", ADAS)],
)
def test_key_is_that_of_a_client(header: tuple[str, str]) -> None:
    """In the headers of OpenAI's, Anthropic's and Azure's programs."""
    assert KEYS.client_of((header,), "") is ADA


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), "identity_required"),
        (((USER, "ada"),), "identity_required"),
        ((("authorization", ADAS),), "invalid_api_key"),
        ((("authorization", f"Basic {ADAS}"),), "invalid_api_key"),
        ((("authorization", "Bearer "),), "invalid_api_key"),
        ((("authorization", f"Bearer {ADAS}x"),), "invalid_api_key"),
        ((("x-api-key", ADAS.upper()),), "invalid_api_key"),
        ((("x-api-key", "k" * 100_000),), "invalid_api_key"),
        ((("authorization", f"Bearer {ADAS}"), ("authorization", f"Bearer {BOBS}")), "ambiguous_identity"),
        ((("authorization", f"Bearer {ADAS}"), ("x-api-key", BOBS)), "ambiguous_identity"),
        ((("authorization", "Bearer EMPTY"), ("x-api-key", BOBS)), "invalid_api_key"),
    ],
)
def test_missing_wrong_or_doubled_key_is_refused(headers: tuple[tuple[str, str], ...], code: str) -> None:
    """All keys of a request must be the same client's."""
    assert refused(KEYS, *headers) == code


def test_limits_behind_the_router_see_who_it_is_whoever_authenticates() -> None:
    """Claims of tokens are in headers already; the router sets the others."""
    client = Client({"user": "ada", "team": "red", "plan": "gold"}, frozenset({"boss", "dev"}))
    assert TOKENS.headers_behind(client) == ()
    for rules in (KEYS, FRONT):
        assert dict(rules.headers_behind(client)) == {USER: "ada", TEAM: "red", ROLES: "boss,dev"}


def test_same_team_of_two_tenants_is_two_teams() -> None:
    """And so are users. Without the attribute there is no key."""
    one, other = (Client({"user": "ada", "team": "red", "tenant": tenant}) for tenant in ("acme", "initech"))
    for attribute in ("user", "team", "tenant"):
        assert one.key(attribute) != other.key(attribute)
    assert one.key("team") != one.key("user")
    assert one.key("plan") is None


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["ada", "red", "red,blue", listed("boss"), "boss", "W10=", "bnVsbA==", " red", "\r\nx: y"]),
    st.sampled_from([ADAS, f"Bearer {ADAS}", f"Bearer {BOBS}"]),
)


@examples(300)
@given(st.lists(st.tuples(st.sampled_from([*HEADERS.values(), "x-front-user", "x-api-key", "authorization"]), HOSTILE)))
def test_client_has_nothing_but_what_one_header_says(headers: list[tuple[str, str]]) -> None:
    """Whatever headers there are: each attribute is the whole value of the only header for it, or nobody is known."""
    for rules, address in ((TOKENS, ""), (FRONT, "10.1.2.3"), (KEYS, "")):
        try:
            client = rules.client_of(headers, address)
        except UnknownClientError:
            continue
        assert rules is not KEYS or client in (ADA, BOB)
        for attribute, value in client.attributes.items() if rules is not KEYS else ():
            assert [text for name, text in headers if name == rules.headers[attribute]] == [value]
            assert value.isprintable()


def test_front_end_with_a_certificate_is_believed_at_any_address() -> None:
    """The gateway lets nobody in without one. Roles are separated by commas as well."""
    rules = IdentityRules(FRONT.headers, front_end=True)
    client = rules.client_of((("x-front-user", "ada"), ("x-front-roles", "boss,dev")), "")
    assert client == Client({"user": "ada"}, frozenset({"boss", "dev"}))
    assert dict(rules.headers_behind(client)) == {USER: "ada", ROLES: "boss,dev"}
