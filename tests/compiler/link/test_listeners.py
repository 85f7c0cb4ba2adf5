"""Listeners that exclude each other, and those that fit together."""

from __future__ import annotations

import pytest

from support.common import SMALL, call, linked, reference
from vsr_compiler.diagnostics import CompileError, Diagnostic

HTTPS = "{name: https, port: 443, hostnames: [api.example.com], tls: {secret: api}}"
CLIENTS = "clientCertificates: {secret: ca}"


def policy(*listeners: str, more: str = "") -> str:
    """Return a policy with listeners, of which each begins in a line of its own."""
    lines = "".join(f"    - {listener}\n" for listener in listeners)
    return SMALL.replace("endpoints:\n", f"gateway:\n  listeners:\n{lines}endpoints:\n", 1) + more


def errors(text: str) -> list[Diagnostic]:
    """Return what is reported about a policy."""
    try:
        linked(text)
    except CompileError as error:
        return error.diagnostics
    return []


BROKEN = {
    "a port and hostname twice": (
        (HTTPS, "{name: other, port: 443, hostnames: [api.example.com], tls: {secret: b}}"),
        "VSR264",
        1,
    ),
    "every host twice": (("{name: a, port: 80}", "{name: b, port: 80}"), "VSR264", 1),
    "a name twice": (("{name: a, port: 80}", "{name: a, port: 81}"), "VSR264", 1),
    "the number of a hostname as a name": (
        ("{name: a, port: 80, hostnames: [a.example.com, b.example.com]}", "{name: a-2, port: 81}"),
        "VSR264",
        1,
    ),
    "two protocols on a port": ((HTTPS, "{name: plain, port: 443, hostnames: [b.example.com]}"), "VSR264", 1),
    "a redirect beside models": (
        (HTTPS, "{name: a, port: 80, redirect: https}", "{name: b, port: 80, hostnames: [b.example.com]}"),
        "VSR264",
        2,
    ),
    "overlapping hostnames of which one needs certificates": (
        (
            "{name: wide, port: 443, hostnames: ['*.example.com'], tls: {secret: wild}}",
            HTTPS.replace("443,", f"443, {CLIENTS},"),
        ),
        "VSR264",
        1,
    ),
    "every host beside one that needs certificates": (
        ("{name: wide, port: 443, tls: {secret: wild}}", HTTPS.replace("443,", f"443, {CLIENTS},")),
        "VSR264",
        1,
    ),
    "a redirect to nowhere": ((HTTPS, "{name: http, port: 80, redirect: htps}"), "VSR265", 1),
    "a redirect to a port without TLS": (
        (HTTPS, "{name: plain, port: 8080}", "{name: http, port: 80, redirect: plain}"),
        "VSR265",
        2,
    ),
    "a redirect to itself": ((HTTPS, "{name: http, port: 80, redirect: http}"), "VSR265", 1),
    "a redirect for a hostname that its target has not": (
        (HTTPS, "{name: http, port: 80, redirect: https, hostnames: [www.example.com]}"),
        "VSR265",
        1,
    ),
    "TLS without a Secret": (("{name: https, port: 443, tls: {}}",), "VSR266", 0),
    "an issuer without hostnames": (("{name: https, port: 443, tls: {issuer: letsencrypt}}",), "VSR266", 0),
    "an issuer for a Secret elsewhere": (
        (HTTPS.replace("{secret: api}", "{issuer: letsencrypt, secret: {name: api, namespace: certificates}}"),),
        "VSR266",
        0,
    ),
    "port 443 without TLS": (("{name: https, port: 443}",), "VSR266", 0),
    "client certificates without TLS": ((f"{{name: http, port: 80, {CLIENTS}}}",), "VSR266", 0),
    "a hostname twice": (("{name: http, port: 80, hostnames: [a.example.com, a.example.com]}",), "VSR205", 0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_listeners_are_reported_at_their_line(name: str) -> None:
    """With one finding each, which says what to do."""
    listeners, code, index = BROKEN[name]
    text = policy(*listeners)
    found = [item for item in errors(text) if item.code != "VSR266" or code == "VSR266"]
    line = text.splitlines().index(f"    - {listeners[index]}") + 1
    assert [(item.code, item.span.line) for item in found][:1] == [(code, line)]
    assert found[0].hint


def test_every_listener_that_redirects_is_reported() -> None:
    """No request would reach a model."""
    text = policy("{name: a, port: 80, redirect: b}", "{name: b, port: 81, redirect: a}")
    assert "every listener redirects, so no request reaches a model" in [item.message for item in errors(text)]


RIGHT = {
    "a wildcard beside a name of it": (
        "{name: a, port: 443, hostnames: ['*.example.com'], tls: {secret: wild}}",
        HTTPS,
    ),
    "TLS for every host": ("{name: https, port: 443, tls: {secret: {name: a, namespace: certificates}}}",),
    "hostnames without TLS": ("{name: http, port: 8080, hostnames: [a.example.com, b.example.com]}",),
    "two redirects on one port": (
        HTTPS,
        "{name: more, port: 8443, hostnames: [b.example.com], tls: {issuer: {name: own, kind: Issuer}}}",
        "{name: http, port: 80, redirect: https}",
        "{name: http-more, port: 80, redirect: more}",
    ),
    "the same certificates for overlapping hostnames": (
        f"{{name: wide, port: 443, hostnames: ['*.example.com'], tls: {{secret: wild}}, {CLIENTS}}}",
        HTTPS.replace("443,", f"443, {CLIENTS},"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_listeners_that_fit_together_are_accepted(name: str) -> None:
    """A policy with them links."""
    assert errors(policy(*RIGHT[name])) == []


def test_a_policy_without_listeners_has_one_for_http() -> None:
    """The port 80, without hostname and TLS."""
    (section,) = linked(SMALL).gateway.sections
    assert (section.name, section.listener.port, section.hostname, section.listener.protocol) == (
        "http",
        80,
        "",
        "HTTP",
    )


def test_a_further_hostname_renames_no_listener() -> None:
    """Routes refer to listeners by name, and Envoy Gateway names Envoy's after the first of a port."""
    one = linked(policy(HTTPS)).gateway
    two = linked(policy(HTTPS.replace("[api.example.com]", "[api.example.com, b.example.com]"))).gateway
    assert [section.name for section in one.sections] == ["https"]
    assert [section.name for section in two.sections] == ["https", "https-2"]


def test_hostnames_of_an_environment_are_checked() -> None:
    """A listener that the policy does not have, and an overlap that only the environment has."""
    listeners = (HTTPS, "{name: other, port: 443, hostnames: [b.example.com], tls: {secret: b}}")
    for given, code in (("htps: [c.example.com]", "VSR201"), ("other: [api.example.com]", "VSR264")):
        more = f"environments:\n  prod: {{target: istio, gateway: {{hostnames: {{{given}}}}}}}\n"
        assert [item.code for item in errors(policy(*listeners, more=more))] == [code]


def test_a_redirect_must_fit_the_hostnames_of_an_environment() -> None:
    """One with hostnames of its own does not follow those of its target."""
    listeners = (HTTPS, "{name: http, port: 80, redirect: https, hostnames: [api.example.com]}")
    more = "environments:\n  prod: {target: istio, gateway: {hostnames: {%s}}}\n"
    assert [item.code for item in errors(policy(*listeners, more=more % "https: [b.example.com]"))] == ["VSR265"]
    both = "https: [b.example.com], http: [b.example.com]"
    assert errors(policy(*listeners, more=more % both)) == []
    assert errors(policy(HTTPS, "{name: http, port: 80, redirect: https}", more=more % "https: [b.example.com]")) == []


def test_keys_that_people_try_lead_to_listeners() -> None:
    """The hint shows a listener, instead of a key of a similar spelling."""
    folder = next((reference() / "data" / "cases" / "bugs").glob("06*"))
    result = call("check", folder / "policy.yaml")
    assert result.exit_code == 1
    output = result.output
    assert output.count("VSR101") == 2
    assert output.count("listeners: [{name: https, port: 443, hostnames: [api.example.com], tls: {secret: NAME}}]") == 2
    assert "Did you mean" not in output
