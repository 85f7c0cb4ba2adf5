"""Attributes of an authenticated client, and the headers by which they travel from the gateway to the router and on.

Clients cannot send these headers: the gateway removes them before any filter runs, and authentication sets them later.
Behind the router's filter those in ``HEADERS`` are set for every request that it lets through, whatever authenticates:
limits can count by them. Headers of other claims end there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

USER, TEAM, ROLE, TENANT = "user", "team", "role", "tenant"
ATTRIBUTES = (USER, TEAM, ROLE, TENANT)
"""The attributes that the policy language has words for. Others are claims with names of the policy's own."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {USER: "x-authz-user-id", TEAM: "x-authz-team-id", ROLE: "x-authz-user-groups", TENANT: "x-authz-tenant-id"}
)
"""The names are those of the stock router. Every policy removes them from requests of clients."""

CLAIM_PREFIX = "x-vsr-claim-"
"""Before the name of any other claim. A policy that names one removes its header from requests of clients."""

MAX_VALUE = 1024
"""Characters of one attribute. A longer one is refused."""
MAX_ROLES = 256
"""Roles of one client. More are refused."""


def header_of(attribute: str) -> str:
    """Return the header of an attribute.

    >>> header_of("team"), header_of("plan")
    ('x-authz-team-id', 'x-vsr-claim-plan')
    """
    return HEADERS.get(attribute, f"{CLAIM_PREFIX}{attribute}")
