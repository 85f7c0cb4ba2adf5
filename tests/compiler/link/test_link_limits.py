"""Limits of use, and regions: what is linked, what is reported, and what assertions say of them."""

from __future__ import annotations

import pytest

from support.common import linked
from support.identity_policies import API_KEYS, JWT
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.routerconfig.vsr_runtime import runtime_settings

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: limits}
router: {image: "registry.example/vsr-runtime:0.1.0", replicas: 2}
"""
REST = """\
endpoints:
  small: {service: "small:8000"}
  far: {external: {url: "https://far.example.com"}, region: us}
  near: {external: {url: "https://near.example.com"}, region: eu}
  lost: {external: {url: "https://lost.example.com"}}
models:
  small: {endpoints: small, price: {prompt: 1, completion: 2}}
  far: {endpoints: far, price: {prompt: 4, completion: 8, cachedPrompt: 1}}
  near: {endpoints: near}
  lost: {endpoints: lost}
signals: {hard: {keywords: [prove]}}
guards: {pii: {types: [EMAIL_ADDRESS], action: mask, except: {models: [small]}}}
routes: [{name: hard, when: {signal: hard}, model: near}]
default: small
environments: {dev: {region: eu}, other: {region: eu}}
"""


def codes(limits: str, identity: str = "", rest: str = REST) -> list[str]:
    """The codes that linking reports."""
    try:
        return [item.code for item in linked(f"{HEAD}{identity}{rest}limits:\n{limits}\n").warnings]
    except CompileError as error:
        return [item.code for item in error.diagnostics]


BROKEN = {
    "a team that nothing tells": ("  - {per: team, requests: 9, window: 1m}", "", "VSR292"),
    "keys that the policy does not know": ("  - {per: key, requests: 9, window: 1m}", JWT, "VSR277"),
    "dollars without a price": ("  - {per: model, dollars: 9, window: 1d}", "", "VSR278"),
    "nothing that counts": (
        "  - {per: model, for: {model: far}, requests: 9, window: 1m, over: {route: far}}",
        "",
        "VSR279",
    ),
    "a circle": (
        (
            "  - {name: a, per: model, for: {model: far}, requests: 9, window: 1m, over: {route: near}}\n"
            "  - {name: b, per: model, for: {model: near}, requests: 9, window: 1m, over: {route: far}}"
        ),
        "",
        "VSR296",
    ),
    "less than one for each replica": ("  - {per: model, requests: 1, window: 1m}", "", "VSR297"),
    "an unknown route": ("  - {per: model, for: {route: hrad}, requests: 9, window: 1m}", "", "VSR201"),
    "two of one name": (
        "  - {per: model, requests: 9, window: 1m}\n  - {per: model, requests: 8, window: 1m}",
        "",
        "VSR205",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_limit_that_cannot_be_counted_is_reported(name: str) -> None:
    """At once, and with nothing else."""
    limits, identity, code = BROKEN[name]
    assert set(codes(limits, identity)) == {code}


def test_stock_router_has_no_limits() -> None:
    """It would count nothing."""
    text = HEAD.replace(
        'image: "registry.example/vsr-runtime:0.1.0", replicas: 2',
        "engine: semantic-router, unguarded: explicit-models",
    )
    with pytest.raises(CompileError) as caught:
        linked(f"{text}{REST}limits: [{{per: model, requests: 9, window: 1m}}]\n")
    assert "VSR298" in [item.code for item in caught.value.diagnostics]


def test_router_gets_limits_and_prices() -> None:
    """One table of names for all of them."""
    limit = "{per: [team, key], for: {model: [far, small]}, dollars: 9, window: 30d}"
    text = f"{HEAD}{API_KEYS}{REST}limits: [{limit}]\n"
    rates = runtime_settings(linked(text), {}).rates
    assert rates is not None
    assert rates.limits[0].model_dump(exclude_none=True) == {
        "name": "team-key-dollars-30d",
        "per": ["team", "key"],
        "models": ["far", "small"],
        "unit": "dollars",
        "amount": 9,
        "window": 2_592_000,
    }
    assert rates.prices is not None
    assert (rates.prices["far"].cached, rates.prices["small"].cached) == (1, 1)


def violations(assertion: str, rest: str = REST, more: str = "") -> list[str]:
    """The messages about a broken assertion."""
    policy = linked(f"{HEAD}{rest}{more}assertions: [{assertion}]\n")
    return [item.message for item in analyse(policy, ["istio"]) if item.code in {"VSR240", "VSR241"}]


def test_provider_elsewhere_is_outside() -> None:
    """The message names the endpoint and its region."""
    assert "endpoint `far` in the region `us`" in violations("{never: {to: {outside: eu}}}")[0]


def test_provider_without_region_is_outside_of_every_region() -> None:
    """It may be anywhere."""
    assert "endpoint `lost` in no region" in violations("{never: {to: {outside: [eu, us]}}}")[0]


def test_model_inside_a_region_is_found() -> None:
    """The opposite question."""
    assert "endpoint `far` in the region `us`" in violations("{never: {to: {inside: us}}}")[0]


def test_environment_of_another_region_is_named() -> None:
    """One is enough."""
    rest = REST.replace("other: {region: eu}", "other: {region: us}").replace("except: {models: [small]}", "")
    found = violations("{never: {to: {outside: [eu]}}}", rest)
    assert "endpoint `small` in the region `us`, environment `other`" in found[0]


def test_endpoint_outside_among_several_of_a_model_is_found() -> None:
    """Traffic is split, so some requests get there."""
    rest = REST.replace("small: {endpoints: small", "small: {endpoints: {small: 9, far: 1}").replace(
        "  far: {endpoints: far", "  far: {endpoints: small"
    )
    assert any("`small`, served by endpoint `far`" in text for text in violations("{never: {to: {inside: us}}}", rest))


def test_region_of_nothing_is_an_error() -> None:
    """Often it is misspelt."""
    with pytest.raises(CompileError) as caught:
        violations("{never: {to: {outside: ue}}}")
    assert [item.code for item in caught.value.diagnostics] == ["VSR299"]


def test_nothing_outside_is_what_the_assertion_is_for() -> None:
    """It is not called vacuous."""
    rest = REST.replace("region: us", "region: eu").replace('lost.example.com"}', 'lost.example.com"}, region: eu')
    assert violations("{never: {to: {outside: eu}}}", rest) == []


MASKED = "pii: {types: [EMAIL_ADDRESS], action: mask, except: {models: [small]}}"
FINDINGS = {
    "a guard that flags": "pii: {types: [EMAIL_ADDRESS], action: flag}",
    "a guard that exempts the model": "pii: {types: [EMAIL_ADDRESS], action: mask, except: {models: [far]}}",
    "a guard of responses": "pii: {types: [EMAIL_ADDRESS], action: block, on: response}",
    "a guard that passes what it cannot read": "pii: {types: [EMAIL_ADDRESS], action: block, unreadable: pass}",
    "a guard that passes when it fails": "pii: {types: [EMAIL_ADDRESS], action: block, onError: pass}",
    "a guard that sends it there": "pii: {types: [EMAIL_ADDRESS], action: route, model: far}",
}


@pytest.mark.parametrize("name", FINDINGS)
def test_what_a_guard_finds_and_does_not_remove_reaches_the_model(name: str) -> None:
    """The counterexample names the guard."""
    found = violations("{never: {to: {outside: eu}, with: [pii]}}", REST.replace(MASKED, FINDINGS[name]))
    assert len(found) == 1
    assert "with what the guard `pii` finds" in found[0]
    assert "endpoint `far` in the region `us`" in found[0] or "`lost` in no region" in found[0]


@pytest.mark.parametrize("guard", ["action: mask", "action: block", "action: route, model: small"])
def test_guard_that_removes_what_it_finds_proves_residency(guard: str) -> None:
    """Whatever model a client names."""
    rest = REST.replace(MASKED, f"pii: {{types: [EMAIL_ADDRESS], {guard}}}")
    assert violations("{never: {to: {outside: eu}, with: pii}}", rest) == []


SOFT = "limits:\n  - {{name: soft, per: model, for: {{{selected}}}, requests: 9, window: 1m, over: {{route: far}}}}\n"
LED = {
    "any request": ("model: near", "{never: {signal: hard, to: far}}"),
    "requests of a route": ("route: hard", "{never: {signal: hard, to: {outside: eu}}}"),
    "an assertion about all": ("model: near", "{always: {signal: hard, to: near}}"),
    "an assertion about regions": ("model: near", "{never: {signal: hard, to: {inside: us}}}"),
}


@pytest.mark.parametrize("name", LED)
def test_counterexample_names_the_limit_that_leads_to_the_model(name: str) -> None:
    """And its line."""
    selected, assertion = LED[name]
    found = violations(assertion, more=SOFT.format(selected=selected))
    assert len(found) == 1
    assert "goes to model `far` when it is over the limit `soft` (line" in found[0]


def test_chain_of_limits_is_followed_to_its_end() -> None:
    """Each limit is named."""
    more = SOFT.format(selected="model: near").replace("route: far", "route: small").rstrip() + (
        "\n  - {name: second, per: model, for: {model: small}, requests: 9, window: 1m, over: {route: far}}\n"
    )
    found = violations("{never: {signal: hard, to: far}}", more=more)
    assert "over the limit `soft`" in found[0]
    assert "over the limit `second`" in found[0]


def test_limit_of_other_requests_breaks_no_assertion() -> None:
    """One that refuses, or counts another model or route, leads nowhere."""
    for selected in ("model: small, route: hard", "model: lost"):
        assert violations("{never: {signal: hard, to: far}}", more=SOFT.format(selected=selected)) == []
    hard = "limits: [{per: model, requests: 9, window: 1m}]\n"
    assert violations("{never: {signal: hard, to: far}}", more=hard) == []


@pytest.mark.parametrize("selected", ["model: small", "route: default"])
def test_limit_leads_requests_that_the_router_cannot_decide(selected: str) -> None:
    """With `onFailure: default-model` they count as those of the default; the guards still apply to them."""
    open_router = HEAD.replace("replicas: 2}", "onFailure: default-model}")
    more = "  small: {vllm: {}}\n  far: {external"
    rest = REST.replace('  small: {service: "small:8000"}\n  far: {external', more).replace(
        "small: {endpoints: small", "small: {endpoints: small, checkpoint: meta-llama/Llama-3.1-8B-Instruct"
    )

    def found(assertion: str) -> list[str]:
        policy = linked(f"{open_router}{rest}{SOFT.format(selected=selected)}assertions: [{assertion}]\n")
        return [item.message for item in analyse(policy, ["istio"]) if item.code == "VSR240"]

    (message,) = found("{never: {signal: hard, to: far}}")
    assert "if the router fails" in message
    assert "over the limit `soft`" in message
    assert found("{never: {signal: hard, to: far, without: pii}}") == []


def test_limit_of_one_team_leads_only_that_team() -> None:
    """The counterexample names the team."""
    more = API_KEYS + SOFT.format(selected="model: near, team: interns")
    assert violations("{never: {team: research, signal: hard, to: far}}", more=more) == []
    found = violations("{never: {team: interns, signal: hard, to: far}}", more=more)
    assert "`interns`" in found[0]
    assert "over the limit `soft`" in found[0]
