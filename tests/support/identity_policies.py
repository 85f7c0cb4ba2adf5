"""Policies that authenticate clients, in each of the three ways."""

from __future__ import annotations

JWT = """\
identity:
  jwt:
    issuer: https://login.example.com
    audiences: [llm]
    jwksUri: https://login.example.com/keys
    claims: {team: team, role: groups, tenant: org, plan: subscription.plan}
"""
API_KEYS = """\
identity:
  apiKeys:
    - {secret: client-keys, key: ada, user: ada, team: research, role: [boss, dev], tenant: acme}
    - {secret: client-keys, key: bot, user: bot, team: interns, claims: {plan: gold}}
"""
GATEWAY_HEADER = """\
identity:
  gatewayHeader:
    from: [10.1.0.0/16]
    user: x-front-user
    team: x-front-team
    role: x-front-roles
    tenant: x-front-tenant
    claims: {plan: x-front-plan}
"""
SOURCES = {"jwt": JWT, "apiKeys": API_KEYS, "gatewayHeader": GATEWAY_HEADER}
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: teams}
router: {image: "registry.example/vsr-runtime:0.1.0"}
"""
REST = """\
endpoints:
  small: {service: {name: small, port: 8000}}
  large: {service: {name: large, port: 8000}}
  openai: {external: {url: "https://api.example.com/v1", apiKey: {secret: openai, key: apiKey}}}
models:
  small: {endpoints: small}
  large: {endpoints: large, allow: {team: research, role: boss}}
  gpt: {endpoints: openai, allow: {team: research}}
signals:
  interns: {team: interns}
  research: {team: [research, lab]}
  gold: {claims: {plan: gold}}
routes:
  - {name: interns, when: {signal: interns}, model: small}
  - {name: research, when: {signal: research}, model: gpt, cache: {scope: team}}
  - {name: gold, when: {signal: gold}, model: small, cache: {scope: user}}
default: small
"""


def policy(source: str = "jwt", rest: str = REST, more: str = "") -> str:
    """A policy of two teams whose clients are authenticated in one of the ways."""
    return HEAD + SOURCES[source] + rest + more
