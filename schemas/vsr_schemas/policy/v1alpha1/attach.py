"""Routes of others: the words for a Gateway that exists already, whose routes lead to the models."""

from __future__ import annotations

from typing import Literal

from vsr_schemas.scalars import Header

Convention = Literal["kserve", "gke", "llm-d", "any"]
"""Whose routes lead to the models: how they name the header and its values."""
Controller = Literal["istio", "envoy-gateway", "agentgateway"]
"""What runs an existing Gateway."""
RouteValue = Header
"""The value of the routing header that a route of others matches."""
