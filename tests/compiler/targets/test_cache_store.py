"""The store of cached responses on a cluster: what protects it, and how the router reaches it."""

from __future__ import annotations

import pytest

from support.common import SMALL, linked
from vsr_compiler.analysis.caches import check
from vsr_compiler.targets.common import cache_store, classifier_servers

CACHED = SMALL.replace("    model: little\n", "    model: little\n    cache: {}\n")
SAFE = "login: {secret: valkey}, pods: {app: valkey}"
DETECTOR = """\
classifiers:
  attacks: {task: jailbreak, server: {protocol: tei, service: "detector.models:8080"}}
guards: {jailbreak: {detector: attacks, action: block}}
"""


def policy(cache: str, more: str = "", base: str = CACHED):
    """A policy with a store."""
    return linked(base.replace('0.1.0"}', f'0.1.0", cache: {{{cache}}}}}') + more)


@pytest.mark.parametrize(
    ("address", "namespace"),
    [
        ("valkey:6379", "vllm-semantic-router-system"),
        ("valkey.cache:6379", "cache"),
        ("valkey.cache.svc:6379", "cache"),
        ("valkey.cache.svc.cluster.local:6379", "cache"),
        ("my.cache.example.com:6379", None),
    ],
)
def test_only_the_router_reaches_the_pods_of_a_store_in_the_cluster(address: str, namespace: str | None) -> None:
    """In the namespace that the address names; a store elsewhere has no pods here, and that is said."""
    found = policy(f'address: "{address}", {SAFE}')
    policies = list(cache_store.network_policy(found))
    assert [item.body["metadata"]["namespace"] for item in policies] == ([namespace] if namespace else [])
    for item in policies:
        (rule,) = item.body["spec"]["ingress"]
        assert rule["ports"] == [{"port": 6379, "protocol": "TCP"}]
        assert item.body["spec"]["podSelector"] == {"matchLabels": {"app": "valkey"}}
    assert [one.code for one in check(found)] == ([] if namespace else ["VSR580"])


@pytest.mark.parametrize(("address", "reached"), [("valkey.cache:6379", "cache"), ("my.cache.example.com:6379", 6379)])
def test_a_router_that_may_connect_to_few_places_may_connect_to_the_store(address: str, reached: object) -> None:
    """A guard with a server limits the router's connections; the store is one of them."""
    (found,) = classifier_servers.egress(policy(f'address: "{address}", {SAFE}', DETECTOR))
    text = str(found.body["spec"]["egress"])
    assert repr(reached) in text
    (without,) = classifier_servers.egress(linked(CACHED + DETECTOR))
    assert repr(reached) not in str(without.body["spec"]["egress"])


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        (SAFE, []),
        ("tls: false, login: {secret: valkey}", ["VSR581"]),
        ("tls: false", ["VSR581", "VSR581"]),
    ],
)
def test_a_store_that_others_can_read_is_named(settings: str, codes: list[str]) -> None:
    """Without TLS, without a password, or both."""
    assert [one.code for one in check(policy(f'address: "valkey.cache:6379", {settings}'))] == codes
    unused = policy(f'address: "valkey.cache:6379", {settings}', base=SMALL)
    assert [one.code for one in check(unused)] == ["VSR580", *codes]
