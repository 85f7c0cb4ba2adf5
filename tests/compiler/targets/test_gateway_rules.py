"""Which requests gateways let through to the router and to models, on the output of every target.

The rules are those of `support.consumers`. A fault that is put back into the objects must be seen: that is the proof
that the rules see anything.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import ModuleType

import pytest

from support import rendering, verify_support
from support.cases import policy_of
from support.consumers import checks, edits, facts
from support.consumers.compiled import Body, cases, data_of, objects, router_of, with_keys
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.common import gateway_api
from vsr_compiler.targets.envoy_gateway import envoy_patch_policy


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every endpoint that wants one."""
    return with_keys(tmp_path_factory.mktemp("credentials"))


@pytest.mark.parametrize(("case", "target", "profile"), list(cases()))
def test_authentication_of_the_gateway_comes_before_the_router(
    case: str, target: str, profile: str, keys: Path
) -> None:
    """Nothing of models or router is answered to strangers, and authentication judges the client's own credentials."""
    bodies, models = objects(case, target, profile), list(data_of(case)["models"])
    for name, scheme in checks.schemes(bodies).items():
        assert list(checks.authentication(bodies, scheme, router_of(case, keys), models)) == [], name


@pytest.mark.parametrize(("case", "target", "profile"), list(cases()))
def test_no_listener_leads_to_a_model_without_the_router(case: str, target: str, profile: str, keys: Path) -> None:
    """Whatever listeners, Gateways and policies a user adds, what a client forges chooses no model.

    Only `onFailure: default-model` opens the default model where the router does not decide.
    """
    bodies, models = objects(case, target, profile), list(data_of(case)["models"])
    lenient = data_of(case)["router"].get("onFailure") == "default-model"
    for name, edit in edits.USER_EDITS.items():
        found = checks.coverage(edit(bodies), router_of(case, keys), models, default_is_open=lenient)
        assert list(found) == [], name


SERVES = ("nothing", "HTTPS in place of HTTP", "a ClientTrafficPolicy of the user's")


@pytest.mark.parametrize(("case", "target", "profile"), list(cases()))
def test_every_model_is_reached(case: str, target: str, profile: str, keys: Path) -> None:
    """The router's filter is there also after the listener has been turned into HTTPS."""
    for edit in SERVES:
        bodies = edits.USER_EDITS[edit](objects(case, target, profile))
        assert list(checks.served_models(bodies, router_of(case, keys), data_of(case)["models"])) == [], edit


EG, AI = ("external", "envoy-gateway"), ("external", "ai-gateway")
ISTIO, POOLS, LLM_D = ("external", "istio"), ("external", "gie"), ("external", "llm-d")
SKIPPED = "the router is asked about"
MISPLACED = [
    ("the filter stands first", EG, edits.filter_first, "jwt", f"without credentials: {SKIPPED} GET /v1/models"),
    ("the filter stands first", EG, edits.filter_first, "jwt", "with valid credentials: large is answered with 401"),
    ("the filter stands first", EG, edits.filter_first, "extAuth", "is shown authorization of somebody else for large"),
    ("the filter stands first", AI, edits.filter_first, "jwt", f"without credentials: {SKIPPED} GET /v1/models"),
    ("the filter stands first", ISTIO, edits.filter_first, "RequestAuthentication", "large is answered with 401"),
    ("the filter stands first", POOLS, edits.filter_first, "CUSTOM", "is shown authorization of somebody else"),
    ("the filter stands first", LLM_D, edits.filter_first, "CUSTOM", f"without credentials: {SKIPPED}"),
    ("no catch-all route", EG, edits.no_catch_all, "jwt", "without credentials: /v1/chat/completions reaches large"),
    ("no catch-all route", EG, edits.no_catch_all, "extAuth", "with valid credentials: ext_authz does not run"),
    (
        "first, and no catch-all route",
        EG,
        edits.together(edits.filter_first, edits.no_catch_all),
        "apiKeyAuth",
        "without credentials: /v1/chat/completions reaches large",
    ),
    ("only on routes", EG, edits.authenticated_on_routes_only, "jwt", "without credentials: /v1/chat/completions rea"),
    ("only on routes", EG, edits.authenticated_on_routes_only, "extAuth", "ext_authz does not run for large"),
    ("replaced on the catch-all", EG, edits.catch_all_with_its_own_policy, "jwt", "/v1/chat/completions reaches large"),
    ("on one route", AI, edits.authenticated_on_one_generated_route, "extAuth", "/v1/chat/completions reaches large"),
]


@pytest.mark.parametrize(("fault", "where", "edit", "scheme", "words"), MISPLACED)
def test_authentication_that_is_passed_by_is_seen(
    fault: str, where: tuple[str, str], edit: edits.Edit, scheme: str, words: str, keys: Path
) -> None:
    """Each arrangement that let strangers in on a real control plane does so by the rules."""
    del fault
    case, target = where
    bodies, models = objects(case, target, "current"), list(data_of(case)["models"])
    chosen = checks.schemes(bodies)[scheme]
    found = list(checks.authentication(bodies, chosen, router_of(case, keys), models, edit))
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize(("fault", "where", "edit", "scheme", "words"), MISPLACED)
def test_verify_reports_authentication_that_is_passed_by(
    fault: str, where: tuple[str, str], edit: edits.Edit, scheme: str, words: str
) -> None:
    """What lets strangers in by the rules is a finding of `verify`, and the output as it is compiled is none."""
    del fault, words
    compiled = objects(*where, "current")
    (gateway,) = (body for body in compiled if body["kind"] == "Gateway")
    bodies = [*compiled, *checks.schemes(compiled)[scheme].objects(gateway)]
    assert misplaced(bodies) == []
    assert misplaced(edit(bodies)) != []


def misplaced(bodies: list[Body]) -> list[str]:
    """What `verify` says about the place of the router's filter and about policies that do not run."""
    return sorted(codes(bodies) & {"VSR409", "VSR625"})


def codes(bodies: list[Body]) -> set[str]:
    """The codes of what `verify` finds."""
    return {item.code for item in verify_support.found("---\n".join(json.dumps(body) + "\n" for body in bodies))}


OPEN = [
    (target, name)
    for target, names in {
        "envoy-gateway": ("HTTP/3", "a listener before ours", "a second listener"),
        "ai-gateway": ("a listener before ours", "a second listener"),
        "istio": ("a second Gateway",),
        "gie": ("a second Gateway",),
    }.items()
    for name in names
]


@pytest.mark.parametrize(("target", "name"), OPEN)
def test_a_listener_that_the_filter_misses_is_seen(target: str, name: str, keys: Path) -> None:
    """If routes matched only what a client can send, each of these listeners would be open."""
    edit = edits.together(edits.forgeable_routes, edits.USER_EDITS[name])
    bodies = edit(objects("external", target, "current"))
    found = list(checks.coverage(bodies, router_of("external", keys), data_of("external")["models"]))
    assert any("without the router" in problem for problem in found), found


@pytest.mark.parametrize(("target", "name"), OPEN)
def test_verify_reports_a_listener_that_the_filter_misses(target: str, name: str) -> None:
    """What is open by the rules is a finding of `verify`, and so is the same listener closed."""
    for first in (edits.forgeable_routes, edits.unchanged):
        bodies = edits.together(first, edits.USER_EDITS[name])(objects("external", target, "current"))
        assert "VSR624" in codes(bodies)


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_verify_reports_a_filter_behind_another_at_the_first_index(target: str) -> None:
    """A second patch at index 1 is before authentication as well as the one at index 0."""
    bodies = copy.deepcopy(objects("external", target, "current"))
    gateway = next(body for body in bodies if body["kind"] == "Gateway")
    for policy in (body for body in bodies if body["kind"] == "EnvoyPatchPolicy"):
        patches = [item for item in policy["spec"]["jsonPatches"] if item["type"].endswith(".Listener")]
        for index, patch in enumerate(patches):
            del patch["operation"]["jsonPath"]
            patch["operation"]["path"] = f"/default_filter_chain/filters/0/typed_config/http_filters/{index}"
    assert "VSR409" in codes([*bodies, *checks.ENVOY_GATEWAY_SCHEMES["jwt"].objects(gateway)])


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_a_patch_for_http_only_is_seen(target: str, keys: Path) -> None:
    """A patch of the default filter chain misses HTTPS: no model is reached there."""
    edit = edits.together(edits.filter_of_http_only, edits.https_in_place)
    bodies = edit(objects("external", target, "current"))
    found = list(checks.served_models(bodies, router_of("external", keys), data_of("external")["models"]))
    assert any("large is answered with 404" in problem for problem in found), found


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
@pytest.mark.parametrize("edit", [edits.own_traffic_policy, edits.no_request_buffer])
def test_without_the_request_buffer_nothing_is_served(target: str, edit: edits.Edit, keys: Path) -> None:
    """The anchor of the patch is gone, so the router's filter is as well, and every model is closed."""
    bodies, models = edit(objects("external", target, "current")), list(data_of("external")["models"])
    found = list(checks.served_models(bodies, router_of("external", keys), models))
    assert len(found) == len(models)
    assert all("is answered with 404" in problem for problem in found), found
    assert list(checks.coverage(bodies, router_of("external", keys), models)) == []


@pytest.mark.parametrize(("case", "target", "profile"), list(cases()))
def test_no_header_is_obeyed_beside_a_policy_of_the_user(case: str, target: str, profile: str, keys: Path) -> None:
    """A user's ClientTrafficPolicy replaces ours: what leads to another model, pod or queue is still removed."""
    bodies = edits.own_client_policy(objects(case, target, profile))
    assert list(checks.headers(bodies, router_of(case, keys), data_of(case)["models"])) == []


JWT_FILTER = f"{facts.HTTP}.jwt_authn"
TABLES = [
    ("istio", filter_order, "ISTIO_ANCHOR", JWT_FILTER, "RequestAuthentication"),
    ("gie", filter_order, "PICKER", JWT_FILTER, "RequestAuthentication"),
    ("llm-d", filter_order, "PICKER", JWT_FILTER, "RequestAuthentication"),
    ("envoy-gateway", envoy_patch_policy, "BEFORE_BUFFER", f"$..http_filters[?(@.name=='{JWT_FILTER}')]", "jwt"),
    ("ai-gateway", envoy_patch_policy, "BEFORE_BUFFER", f"$..http_filters[?(@.name=='{JWT_FILTER}')]", "jwt"),
]


@pytest.mark.parametrize(("target", "module", "name", "value", "scheme"), TABLES)
def test_a_wrong_place_in_the_tables_of_the_compiler_is_seen(
    target: str, module: ModuleType, name: str, value: str, scheme: str, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emitter that puts the filter before authentication is found by what comes out of it."""
    monkeypatch.setattr(module, name, value)
    bodies = [item.body for item in rendering.objects(policy_of("external", "current"), target)]
    chosen = checks.schemes(bodies)[scheme]
    found = list(checks.authentication(bodies, chosen, router_of("external", keys), data_of("external")["models"]))
    assert any(SKIPPED in problem for problem in found), found
    assert any("large is answered with 401" in problem for problem in found), found


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway", "istio", "gie", "llm-d"])
def test_routes_that_a_client_can_match_are_seen(target: str, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the header that marks the router's filters were one that Envoy lets through, further listeners were open."""
    monkeypatch.setattr(gateway_api, "DECIDED", "x-decided")
    bodies = [item.body for item in rendering.objects(policy_of("external", "current"), target)]
    name = "a second Gateway" if checks.schemes(bodies) is checks.ISTIO_SCHEMES else "a second listener"
    found = list(checks.coverage(edits.USER_EDITS[name](bodies), router_of("external", keys), ["llama"]))
    assert any("without the router" in problem for problem in found), found
