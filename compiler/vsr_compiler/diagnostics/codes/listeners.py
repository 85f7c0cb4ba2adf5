"""Codes about listeners of the Gateway."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR264": Code(
        title="listeners that exclude each other",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "Two listeners have the same name, or the same hostname on one port. Or a port has two protocols, "
            "redirects beside models, or overlapping hostnames with different `clientCertificates`."
        ),
        reason=(
            "The Gateway would refuse one of them. With overlapping hostnames a client could connect by the name that "
            "needs no certificate, and send requests for the other."
        ),
        fix="Give the listeners different names, ports or hostnames.",
        example=Example("""\
gateway:
  listeners:
    - {name: public, port: 443, hostnames: [api.example.com], tls: {secret: public}}
    - {name: partners, port: 443, hostnames: [api.example.com], tls: {secret: partners}}
"""),
    ),
    "VSR265": Code(
        title="redirect that leads nowhere",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "`redirect` names no listener with `tls` that serves models, a redirected hostname is none of the "
            "target's, or every listener redirects."
        ),
        reason="Clients would be sent to an address that does not answer.",
        fix="Name a listener with `tls` that has the hostnames.",
        example=Example("""\
gateway:
  listeners:
    - {name: https, port: 443, tls: {secret: api}}
    - {name: http, port: 80, redirect: tls}
"""),
    ),
    "VSR266": Code(
        title="TLS without a certificate",
        severity="error",
        stage=Stage.LINK,
        meaning=(
            "`tls` names neither a Secret nor an issuer, the issuer has no hostnames to certify, a listener on port "
            "443 has no `tls`, or `clientCertificates` is given without `tls`."
        ),
        reason="The port would not answer, or clients would send their keys in plain text.",
        fix="Write `tls: {secret: NAME}`, or `tls: {issuer: NAME}` with `hostnames`.",
        example=Example("""\
gateway:
  listeners:
    - {name: https, port: 443, tls: {issuer: letsencrypt}}
"""),
    ),
    "VSR343": Code(
        title="listener that the target cannot serve",
        severity="error",
        stage=Stage.TARGETS,
        meaning=(
            "The gateway of the target would not find the authorities of client certificates, cannot demand "
            "certificates on this listener only, or cannot make attempts of routes behind it."
        ),
        reason="Clients without a certificate would be let in, or requests would be answered with 404.",
        fix="Follow the hint of the message.",
        example=Example("""\
gateway:
  listeners:
    - {name: https, port: 443, tls: {secret: api}, clientCertificates: {configMap: partners}}
environments:
  dev: {target: istio}
"""),
    ),
    "VSR344": Code(
        title="too many listeners",
        severity="error",
        stage=Stage.TARGETS,
        meaning="The listeners have more hostnames than a Gateway can have listeners, or a route can attach to.",
        reason="The API server would refuse the Gateway or its routes.",
        fix="Use wildcards, or a second policy with a Gateway of its own.",
        example=Example(
            "gateway:\n  listeners:\n    - {name: http, port: 80, hostnames: ["
            + ", ".join(f"h{number}.example.com" for number in range(16))
            + "]}\n    - {name: more, port: 81}\n"
        ),
    ),
}
