"""A policy whose limits the gateway counts."""

from __future__ import annotations

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: limits}
router: {image: "registry.example/vsr-runtime:0.1.0", replicas: 3}
gateway: {redis: "redis.cache:6379"}
"""
IDENTITY = """\
identity:
  jwt:
    issuer: https://login.example.com
    audiences: [llm]
    jwksUri: https://login.example.com/keys
    claims: {team: team}
"""
REST = """\
endpoints:
  small: {service: {name: small, port: 8000}}
  large: {service: {name: large, port: 8000}}
models:
  small: {endpoints: small, price: {prompt: 0.1, completion: 0.3}}
  large: {endpoints: large, price: {prompt: 2, completion: 8, cachedPrompt: 0.5}}
signals: {hard: {keywords: [prove]}}
routes: [{name: hard, when: {signal: hard}, model: large}]
default: small
"""


def policy(*limits: str, identity: str = IDENTITY, rest: str = REST) -> str:
    """A policy with limits that the gateway counts."""
    lines = "".join(f"  - {{{limit}, countedBy: gateway}}\n" for limit in limits)
    return f"{HEAD}{identity}{rest}limits:\n{lines}"
