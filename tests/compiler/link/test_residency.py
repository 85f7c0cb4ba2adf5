"""``residency``: what the output of an environment may refer to, by region."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import call, linked
from support.gitops_support import compiled
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CompileError, Diagnostic

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router:
  image: "registry.example/vsr-runtime:0.1.0"
  cache: {address: "valkey.cache:6379", login: {secret: valkey}}
gitops:
  repo: https://git.example.com/team/routing.git
  clusters: {paris: {}, ohio: {}}
endpoints:
  small: {service: "small:8000"}
  large: {service: "large:8000"}
models:
  small: {endpoints: small}
  large: {endpoints: large}
classifiers:
  attacks: {task: jailbreak, server: {protocol: openai-moderation, service: "moderation:8080", model: m}}
signals: {hard: {keywords: [prove]}}
guards: {attack: {detector: attacks, action: block}}
routes: [{name: hard, when: {signal: hard}, model: large, cache: {scope: user, ttl: 1h}}]
default: small
environments:
  prod:
    target: istio
    clusters: {paris: {region: eu}, ohio: {region: us}}
residency: {eu: eu, us: [us, eu]}
"""
LARGE = 'large: {service: "large:8000"}'
CACHE = '{address: "valkey.cache:6379", login'


def findings(*changes: tuple[str, str]) -> list[Diagnostic]:
    """The errors about regions after some replacements in the policy."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    try:
        found = analyse(linked(text), ["istio", "compose"])
    except CompileError as error:
        found = error.diagnostics
    return [item for item in found if item.code in {"VSR205", "VSR564", "VSR565", "VSR566"}]


def line(item: Diagnostic) -> str:
    """The line of the policy that a finding is about, before any replacement of other lines."""
    return TEXT.splitlines()[item.span.line - 1].strip()


def test_what_is_in_the_cluster_is_in_the_region_of_each_cluster() -> None:
    """Nothing needs a region of its own."""
    assert findings() == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (LARGE, 'large: {external: {url: "https://us.example.com"}, region: us}', "the endpoint `large` of `large`"),
        (LARGE, 'large: {service: "large:8000", region: us}', "the endpoint `large` of `large`"),
        (CACHE, '{address: "cache.us.example.com:6379", region: us, login', "the store of `router.cache`"),
        (CACHE, '{address: "valkey.cache:6379", region: us, login', "the store of `router.cache`"),
        ('service: "moderation:8080"', 'url: "https://api.example.com", region: us', "the classifier `attacks`"),
    ],
    ids=["a provider", "a Service of a mesh", "a shared cache", "a cache behind a Service", "a detector"],
)
def test_what_is_in_another_region_is_refused_where_the_policy_defines_it(old: str, new: str, words: str) -> None:
    """Only for the cluster whose region does not allow it."""
    (found,) = findings((old, new))
    assert found.code == "VSR565"
    assert words in found.message
    assert "is in the region `us`" in found.message
    assert "`prod-paris` in `eu` may refer only to `eu`" in found.message
    assert "more" not in found.message
    assert line(found) in {LARGE, TEXT.splitlines()[5].strip(), TEXT.splitlines()[16].strip()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LARGE, 'large: {external: {url: "https://us.example.com"}}'),
        (CACHE, '{address: "cache.example.com:6379", login'),
        ('service: "moderation:8080"', 'url: "https://api.example.com"'),
        ("gitops:", 'gateway: {redis: "redis.example.com:6379"}\ngitops:'),
    ],
    ids=["a provider", "a store", "a detector", "counts of limits"],
)
def test_what_is_outside_the_cluster_in_no_region_may_be_anywhere(old: str, new: str) -> None:
    """It is refused in every region."""
    (found,) = findings((old, new))
    assert found.code == "VSR565"
    assert "in a region that nobody knows" in found.message
    assert "`prod-ohio` and 1 more" in found.message


def test_failover_across_regions_needs_leave() -> None:
    """A model that only gets the requests of a failed one counts as well."""
    provider = (LARGE, 'large: {external: {url: "https://us.example.com"}, region: us}')
    failover = (
        "model: large, cache: {scope: user, ttl: 1h}}",
        "model: small, cache: {scope: user, ttl: 1h}, fallback: [large]}",
    )
    (found,) = findings(provider, failover)
    assert (found.code, line(found)) == ("VSR565", LARGE)
    assert findings(provider, failover, ("residency: {eu: eu,", "residency: {eu: [eu, us],")) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("{region: us}}", "{region: su}}", "VSR564", "region `su`"),
        ("{region: us}}", "{}}", "VSR564", "`prod-ohio` has no region"),
        ("residency: {eu: eu", "residency: {ue: eu", "VSR566", "`ue`"),
        ("us: [us, eu]}", "us: [us, mars]}", "VSR566", "`mars`"),
        ("us: [us, eu]}", "us: [us, us]}", "VSR205", "`us`"),
    ],
    ids=["a misspelt region", "no region", "a misspelt key", "an unknown region", "a region twice"],
)
def test_a_region_that_does_not_fit_is_an_error(old: str, new: str, code: str, words: str) -> None:
    """A misspelt name must not lift a restriction."""
    found = findings((old, new))
    assert code in {item.code for item in found}
    assert any(words in item.message for item in found)


def test_the_own_region_is_always_allowed() -> None:
    """An entry lists where else an environment may refer to."""
    assert findings(("{eu: eu, us: [us, eu]}", "{eu: us, us: eu}")) == []


def test_a_host_is_checked_like_a_cluster() -> None:
    """An environment that is a machine has a region, too."""
    box = "  box: {target: compose, host: {endpoints: {small: 'localhost:8000', large: 'localhost:8001'}}}\nresidency:"
    assert [item.code for item in findings(("residency:", box))] == ["VSR564"]


CANDIDATE = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: next}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  small: {service: "small:8000"}
  large: LARGE
models: {small: {endpoints: small}, large: {endpoints: large}}
signals: {hard: {keywords: [prove, show]}}
routes: [{name: hard, when: {signal: hard}, model: large}]
default: small
"""
LOCAL, AMERICAN = '{service: "large:8000"}', '{external: {url: "https://us.example.com"}, region: us}'


@pytest.mark.parametrize(
    ("used", "large", "environments"),
    [
        ("router", LOCAL, ()),
        ("router", AMERICAN, ("prod-paris",)),
        ("prod", AMERICAN, ("prod-paris",)),
        ("router", '{external: {url: "https://us.example.com"}}', ("prod-ohio", "1 more")),
    ],
)
def test_a_candidate_must_not_bring_an_endpoint_of_another_region(
    used: str, large: str, environments: tuple[str, ...], tmp_path: Path
) -> None:
    """By the residency of the policy: the candidate itself has none."""
    (tmp_path / "next.yaml").write_text(CANDIDATE.replace("LARGE", large), encoding="utf-8")
    place = "router:\n" if used == "router" else "    target: istio\n"
    indent = "  " if used == "router" else "    "
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT.replace(place, f"{place}{indent}candidate: {{policy: next.yaml}}\n"), encoding="utf-8")
    result = call("check", path)
    found = [line for line in result.output.splitlines() if "VSR565" in line]
    assert result.exit_code == bool(environments)
    assert len(found) == bool(environments)
    for line in found:
        assert f"{tmp_path / 'next.yaml'}:7:3: error VSR565: the endpoint `large` of `large`" in line
        assert all(name in line for name in environments)


def test_a_compile_refuses_output_for_one_region_with_a_host_of_another() -> None:
    """The keys of tokens are at the Gateway of the other region: agentgateway has a backend for them."""
    jwt = 'identity: {jwt: {issuer: "https://id", audiences: [llm], jwksUri: "https://chat.us.example.com/keys"}}\n'
    text = TEXT.replace("gitops:", f"gateway: {{listeners: [{{name: http, port: 80}}]}}\n{jwt}gitops:", 1)
    text = text.replace("target: istio", "target: agentgateway")
    text = text.replace("{region: us}}", "{region: us, gateway: {hostnames: {http: [chat.us.example.com]}}}}")
    with pytest.raises(CompileError) as error:
        compiled(linked(text))
    (found,) = [item for item in error.value.diagnostics if item.code == "VSR567"]
    assert "chat.us.example.com, which is in the region `us`" in found.message
    assert found.span.line == text.splitlines().index(jwt.rstrip()) + 1
    compiled(linked(text.replace("residency: {eu: eu", "residency: {eu: [eu, us]")))
