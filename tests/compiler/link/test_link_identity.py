"""How clients are authenticated: what is linked, and what is reported."""

from __future__ import annotations

import pytest

from support.common import linked
from support.identity_policies import API_KEYS, GATEWAY_HEADER, HEAD, JWT, REST, SOURCES, policy
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError


def codes(text: str) -> list[tuple[str, int]]:
    """The codes and lines of what linking reports."""
    try:
        return [(item.code, item.span.line) for item in linked(text).warnings]
    except CompileError as error:
        return [(item.code, item.span.line) for item in error.diagnostics]


@pytest.mark.parametrize("source", SOURCES)
def test_every_way_to_authenticate_tells_the_same_attributes(source: str) -> None:
    """So that a policy can change the way and keep its routes."""
    identity = linked(policy(source)).identity
    assert identity is not None
    assert identity.attributes == ("plan", "role", "team", "tenant", "user")


def test_user_of_a_token_is_its_subject_unless_another_claim_is_named() -> None:
    """`claims.user` replaces it."""
    for text, claim in ((JWT, "sub"), (JWT.replace("{team: team", "{user: email, team: team"), "email")):
        identity = linked(HEAD + text + REST).identity
        assert identity is not None
        assert isinstance(identity.source, ir.Jwt)
        assert dict(identity.source.claims)["user"] == claim


def test_adapters_have_the_clients_of_their_base() -> None:
    """Otherwise a restricted model would be open by the name of an adapter."""
    text = policy().replace(
        "small: {endpoints: small}", "small: {endpoints: vllm, checkpoint: a/b, loras: {l: {path: /l}}}"
    )
    text = text.replace("  small: {service", "  vllm: {vllm: {}}\n  small: {service").replace(
        "loras: {l: {path: /l}}}", "loras: {l: {path: /l}}, allow: {role: boss}}"
    )
    models = {model.name: model for model in linked(text).models}
    assert models["l"].allow == models["small"].allow == (ir.ClientTest("role", ("boss",)),)


BROKEN = {
    "allow without identity": (HEAD + REST, "VSR292"),
    "assertion about a team that nothing tells": (
        HEAD
        + JWT.replace("team: team, ", "")
        + REST.replace("{team: research, ", "{").replace("{team: research}", "{role: x}")
        + "assertions: [{never: {team: interns, to: external}}]\n",
        "VSR292",
    ),
    "test of a client without identity": (
        HEAD + REST.split("models:", maxsplit=1)[0] + "models: {small: {endpoints: small}}\ndefault: small\n"
        "tests: [{prompt: hello, as: {team: a}, expect: {model: small}}]\n",
        "VSR292",
    ),
    "split by a tenant that nothing tells": (
        policy().replace(", tenant: org", "") + "stickiness: {key: tenant}\n",
        "VSR292",
    ),
    "two keys of a split": (policy(more="stickiness: {key: team, keyHeader: x-session-id}\n"), "VSR293"),
    "issuer of an environment without tokens": (
        policy(
            "apiKeys", more="environments: {dev: {target: istio, identity: {issuer: 'https://other.example.com'}}}\n"
        ),
        "VSR293",
    ),
    "team among the further attributes": (
        HEAD + API_KEYS.replace("claims: {plan: gold}", "claims: {team: gold}") + REST,
        "VSR293",
    ),
    "team that no key has": (policy("apiKeys").replace("[research, lab]", "[research, labs]"), "VSR295"),
    "one key for two clients": (HEAD + API_KEYS.replace("key: bot", "key: ada") + REST, "VSR205"),
    "one header for two attributes": (HEAD + GATEWAY_HEADER.replace("x-front-team", "x-front-user") + REST, "VSR205"),
    "header that the gateway removes": (
        HEAD + GATEWAY_HEADER.replace("x-front-team", "x-authz-team-id") + REST,
        "VSR224",
    ),
    "header with the client's key": (HEAD + GATEWAY_HEADER.replace("x-front-user", "authorization") + REST, "VSR224"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_contradiction_about_clients_is_reported(name: str) -> None:
    """With its code."""
    text, code = BROKEN[name]
    assert code in dict(codes(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://login.example.com/keys", "http://login.example.com/keys"),
        ("audiences: [llm]", "audiences: []"),
        ("team: team", "team: 'https://example.com/team'"),
        ("issuer: https://login.example.com", 'issuer: "*"'),
        ("team: team", "Team: team"),
    ],
)
def test_insecure_or_unreadable_setting_of_tokens_is_an_error(old: str, new: str) -> None:
    """Keys over plain text, tokens for anybody, and claims that gateways read as nested ones."""
    from support.common import PolicySpec, load, parse  # noqa: PLC0415 - the schema alone

    document = load(policy().replace(old, new, 1), "policy.yaml")
    with pytest.raises(CompileError):
        parse(document, PolicySpec)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "10.1.0.1/16", "example.com"])
def test_front_end_must_have_an_address(network: str) -> None:
    """Everybody is no front end."""
    with pytest.raises(CompileError):
        linked(policy("gatewayHeader").replace("10.1.0.0/16", network))
