"""What the diff of a policy says of listeners: who is not served any more, and what is newly open."""

from __future__ import annotations

from functools import cache

import pytest

from support.common import linked
from support.gitops_support import compiled
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: small}}
router: {{image: "registry.example/vsr-runtime:0.1.0"}}
gateway: {{{gateway}}}
endpoints: {{a: {{service: {{name: a}}}}}}
models: {{one: {{endpoints: a}}}}
default: one
environments:
  dev: {{target: istio}}
  prod: {{target: envoy-gateway{prod}}}
"""
HTTPS = "{name: https, port: 443, hostnames: [a.example.com], tls: {secret: cert}}"
REDIRECT = "{name: http, port: 80, redirect: https}"
LISTENERS = f"listeners: [{HTTPS}, {REDIRECT}]"
MUTUAL = LISTENERS.replace("tls: {secret: cert}", "tls: {secret: cert}, clientCertificates: {secret: cert-cacert}")
TWO = LISTENERS.replace("[a.example.com]", "[a.example.com, b.example.com]")
ANY = LISTENERS.replace("[a.example.com]", '["*.example.com"]')
MOVED = ", gateway: {hostnames: {https: [prod.example.com]}}"
GATEWAY = "Gateway default/inference-gateway"


@cache
def files(gateway: str, prod: str = "") -> dict[str, bytes]:
    """The output of the policy with such listeners."""
    tree = compiled(linked(POLICY.format(gateway=gateway, prod=prod))).tree
    return {path: file.content for path, file in tree.items()}


def broken(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, str | None]]:
    """The breaking changes between two outputs."""
    found = report("p", Baseline("old", files(*old)), files(*new))
    return [(each.text.removeprefix(f"{GATEWAY} "), each.breaking) for each in found.traffic]


CLOSED, OPENED = "listener closed", "exposure widened"
CASES = {
    "a host that is gone": (
        (TWO,),
        (LISTENERS,),
        [("in dev, prod no longer listens on HTTPS port 443 for b.example.com", CLOSED)],
    ),
    "a host that a wider one includes": (
        (LISTENERS,),
        (ANY,),
        [("listens on HTTPS port 443 for *.example.com", OPENED)],
    ),
    "a host of one environment": (
        (LISTENERS,),
        (LISTENERS, MOVED),
        [
            ("in prod no longer listens on HTTPS port 443 for a.example.com", CLOSED),
            ("in prod listens on HTTPS port 443 for prod.example.com", OPENED),
        ],
    ),
    "TLS that is gone": (
        (LISTENERS,),
        ("",),
        [
            ("in dev, prod no longer listens on HTTPS port 443 for a.example.com", CLOSED),
            ("in dev, prod serves models without TLS on HTTP port 80", OPENED),
        ],
    ),
    "a port that only redirects now": (
        ("",),
        (LISTENERS,),
        [
            ("in dev, prod serves no models on HTTP port 80 any more", CLOSED),
            ("listens on HTTPS port 443 for a.example.com", OPENED),
        ],
    ),
    "certificates of clients that are not required": (
        (MUTUAL,),
        (LISTENERS,),
        [
            ("in dev requires no certificates of clients any more on HTTPS port 443 for a.example.com", OPENED),
            ("ClientTrafficPolicy", OPENED),
        ],
    ),
    "certificates of clients that are newly required": ((LISTENERS,), (MUTUAL,), []),
}


@pytest.mark.parametrize("name", CASES)
def test_diff_says_what_a_change_of_listeners_means_for_clients(name: str) -> None:
    """As each environment has them."""
    old, new, expected = CASES[name]
    found = broken(old, new)
    assert [rule for _, rule in found] == [rule for _, rule in expected]
    assert all(text.startswith(words) for (text, _), (words, _) in zip(found, expected, strict=True)), found


def test_equal_listeners_are_not_mentioned() -> None:
    """A diff of an output with itself."""
    assert broken((LISTENERS,), (LISTENERS,)) == []
