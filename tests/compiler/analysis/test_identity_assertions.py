"""Assertions about clients: proofs, and for broken policies the request that breaks them."""

from __future__ import annotations

import pytest

from support.common import linked
from support.identity_policies import API_KEYS, HEAD, JWT
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CompileError

MODELS = """\
endpoints:
  small: {service: {name: small, port: 8000}}
  large: {service: {name: large, port: 8000}}
  openai: {external: {url: "https://api.example.com/v1"}}
"""
CLOSED = """\
models: {small: {endpoints: small}, large: {endpoints: large}, gpt: {endpoints: openai, allow: {team: research}}}
"""
OPEN = "models: {small: {endpoints: small}, large: {endpoints: large}, gpt: {endpoints: openai}}\n"
SIGNALS = """\
signals:
  urgent: {keywords: [urgent]}
  interns: {team: interns}
  research: {team: [research, lab]}
  ada: {user: ada}
  boss: {role: boss}
  dev: {role: [dev, ops]}
  gold: {claims: {plan: gold}}
  paying: {claims: {plan: [gold, silver]}}
  acme: {tenant: acme}
"""


def allowing(clients: str) -> str:
    """Models of which one is for some clients."""
    return CLOSED.replace("team: research", clients)


def policy(models: str, routes: str, assertion: str, *more: str, default: str = "small", source: str = JWT) -> str:
    """A policy with an assertion about clients."""
    parts = (HEAD, source, MODELS, models, SIGNALS, f"routes: {routes}\n", f"default: {default}\n", *more)
    return "".join(parts) + f"assertions: [{assertion}]\n"


def verdict(text: str) -> list[tuple[str, str]]:
    """The codes and messages of what the proof of the assertion says."""
    found = analyse(linked(text), {"istio"})
    return [(item.code, item.message) for item in found if item.code in {"VSR240", "VSR241", "VSR242"}]


def when(condition: str, model: str, *others: str) -> str:
    """A list of routes whose first has a condition."""
    first = f"{{name: first, when: {condition}, model: {model}}}"
    return f"[{', '.join((first, *others))}]"


RESEARCH = when("{signal: research}", "gpt")
BOSS, GOLD, ADA = (when(f"{{signal: {name}}}", "gpt") for name in ("boss", "gold", "ada"))
PROVED = {
    "a model that is not for the team": policy(CLOSED, "[]", "{never: {team: interns, to: external}}"),
    "a route that asks for another team": policy(CLOSED, RESEARCH, "{never: {team: interns, to: external}}"),
    "a route that nobody of the team gets past": policy(
        CLOSED,
        when("{signal: interns}", "small", "{name: rest, when: always, model: gpt}"),
        "{never: {team: interns, to: external}}",
    ),
    "several teams at once": policy(CLOSED, RESEARCH, "{never: {team: [interns, guests], to: [gpt]}}"),
    "who else gets there": policy(CLOSED, RESEARCH, "{never: {team: lab, to: external}}"),
    "always within": policy(CLOSED, RESEARCH, "{always: {team: interns, to: [small, large]}}"),
    "a role": policy(
        allowing("role: boss"),
        when("{signal: boss}", "gpt"),
        "{always: {role: boss, to: [small, large, gpt]}}",
    ),
    "a claim": policy(
        allowing("claims: {plan: gold}"),
        when("{signal: gold}", "gpt"),
        "{never: {claims: {plan: silver}, to: external}}",
    ),
    "a user and a tenant": policy(
        allowing("user: ada"),
        when("{signal: ada}", "gpt"),
        "{never: {user: bob, tenant: acme, to: external}}",
    ),
    "one client has one plan": policy(
        allowing("claims: {plan: gold}"),
        when(
            "{all: [{signal: paying}, {not: {signal: gold}}]}",
            "small",
            "{name: gold, when: {signal: gold}, model: gpt}",
        ),
        "{never: {claims: {plan: silver}, to: external}}",
    ),
}


@pytest.mark.parametrize("name", PROVED)
def test_assertion_about_clients_is_proved(name: str) -> None:
    """No client is of two teams, and the router refuses a model to those that it is not for."""
    assert verdict(PROVED[name]) == []


TEAM = "{never: {team: interns, to: external}}"
ROLE = "{never: {role: dev, to: external}}"
PLAN = "{never: {claims: {plan: silver}, to: external}}"
BY_ROLE = allowing("role: [boss, dev]")
BY_PLAN = allowing("claims: {plan: [gold, silver]}")
GUARD = 'guards: {risky: {patterns: ["x-1"], action: route, model: gpt}}\n'
FLAG = "guards: {secrets: {patterns: builtin, action: flag}}\n"
BROKEN = {
    "team: anybody may name the model": (policy(OPEN, "[]", TEAM), "of the team `interns` that names the model `gpt`"),
    "team: allowed by mistake": (
        policy(allowing("team: [research, interns]"), "[]", TEAM),
        "of the team `interns` that names the model `gpt`",
    ),
    "team: allowed by another attribute": (
        policy(allowing("team: research, role: boss"), "[]", TEAM),
        "of the team `interns` with the role `boss` that names the model `gpt`",
    ),
    "team: a route of everybody": (
        policy(OPEN, when("{signal: urgent}", "gpt"), TEAM),
        "of the team `interns`, with `urgent` takes route `first` (line 26) to model `gpt`",
    ),
    "team: a negation that lets it in": (
        policy(OPEN, when("{not: {signal: research}}", "gpt"), TEAM),
        "of the team `interns` takes route `first`",
    ),
    "team: the default": (
        policy(OPEN, RESEARCH, TEAM, default="gpt"),
        "of the team `interns` matches no route and reaches the default model `gpt`",
    ),
    "team: a guard that moves requests": (
        policy(OPEN, "[]", TEAM, GUARD),
        "of the team `interns`, with `matched by guard risky` is sent to model `gpt`",
    ),
    "role: anybody may name the model": (policy(OPEN, "[]", ROLE), "with the role `dev` that names the model `gpt`"),
    "role: allowed by mistake": (policy(BY_ROLE, "[]", ROLE), "with the role `dev` that names the model `gpt`"),
    "role: a client with two roles": (
        policy(allowing("role: boss"), when("{signal: boss}", "gpt"), ROLE),
        "with the role `boss` and `dev` takes route `first`",
    ),
    "role: a route of another attribute": (
        policy(BY_ROLE, when("{signal: gold}", "gpt"), ROLE),
        "of the plan `gold`, with the role `dev` takes route `first`",
    ),
    "role: the default": (
        policy(BY_ROLE, when("{signal: dev}", "small"), "{never: {role: boss, to: external}}", default="gpt"),
        "without the role `dev` and `ops` matches no route",
    ),
    "role: always within": (
        policy(BY_ROLE, when("{signal: dev}", "large"), "{always: {role: dev, to: [large, gpt]}}"),
        "with the role `dev` that names the model `small`",
    ),
    "claim: anybody may name the model": (policy(OPEN, "[]", PLAN), "of the plan `silver` that names the model `gpt`"),
    "claim: allowed by mistake": (policy(BY_PLAN, "[]", PLAN), "of the plan `silver` that names the model `gpt`"),
    "claim: a route of both plans": (
        policy(BY_PLAN, when("{signal: paying}", "gpt"), PLAN),
        "of the plan `silver` takes route `first`",
    ),
    "claim: a route of a tenant": (
        policy(BY_PLAN, when("{signal: acme}", "gpt"), PLAN),
        "of the plan `silver`, of the tenant `acme` takes route `first`",
    ),
    "claim: the default": (
        policy(BY_PLAN, when("{signal: gold}", "small"), PLAN, default="gpt"),
        "of the plan `silver` matches no route",
    ),
    "claim: with a guard missing": (
        policy(
            BY_PLAN,
            "[]",
            "{never: {claims: {plan: silver}, to: external, without: secrets}}",
            "guards: {secrets: {patterns: builtin, action: flag}}\n",
        ),
        "of the plan `silver` that names the model `gpt` reaches it without the guard `secrets`",
    ),
    "team: a fallback": (
        policy(OPEN, "[{name: first, when: {signal: interns}, model: small, fallback: [gpt]}]", TEAM),
        "of the team `interns` takes route `first` (line 26) to model `small`, and falls back to `gpt`",
    ),
    "user: another one of the team": (
        policy(CLOSED, when("{signal: ada}", "gpt"), "{never: {user: ada, team: research, to: external}}"),
        "of the team `research`, of the user `ada` takes route `first`",
    ),
    "tenant: keys of a tenant": (
        policy(CLOSED, when("{signal: research}", "gpt"), "{never: {tenant: acme, to: external}}", source=API_KEYS),
        "of the team `research`, of the tenant `acme` takes route `first`",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_policy_gets_the_client_that_breaks_it(name: str) -> None:
    """The counterexample names what the client must be, and the way to the model."""
    text, words = BROKEN[name]
    ((code, message),) = verdict(text)
    assert code == "VSR240"
    assert words in message


def test_router_that_fails_open_lets_every_team_in() -> None:
    """Nobody checks teams then."""
    text = policy(OPEN.replace("endpoints: small", "endpoints: openai"), "[]", TEAM, default="small")
    text = text.replace('0.1.0"}', '0.1.0", onFailure: default-model}')
    text = text.replace("to: external", "to: small").replace(
        "endpoints: openai}", "endpoints: openai, allow: {team: lab}}"
    )
    ((_, message),) = verdict(text)
    assert "of the team `interns` reaches the default model `small` if the router fails" in message


def test_many_teams_are_proved_quickly() -> None:
    """A number for each value, not a variable: 250 teams need 8 bits."""
    teams = ", ".join(f"team-{number}" for number in range(250))
    signals = SIGNALS.replace("team: [research, lab]", f"team: [{teams}]")
    assert verdict(policy(CLOSED, RESEARCH, TEAM).replace(SIGNALS, signals)) == []


def test_assertion_about_an_unknown_attribute_is_no_proof() -> None:
    """It would be true of any policy."""
    with pytest.raises(CompileError, match="does not tell the team"):
        linked(policy(allowing("role: boss"), "[]", TEAM).replace("team: team, ", ""))
