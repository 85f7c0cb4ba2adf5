"""Headers by which routing and identity travel, in one table that stripping, routing and checks are made from."""

from __future__ import annotations

SELECTED_MODEL = "x-selected-model"
"""The router writes it, routes match it. A client's own never counts."""

AI_MODEL = "x-ai-eg-model"
"""Envoy AI Gateway writes it, from the body as the router has left it."""

GUARDS = "x-vsr-guards"
"""Which guards flagged a request, for its backend, or a response, for its client."""

STRIPPED = (
    SELECTED_MODEL,
    GUARDS,
    "x-gateway-destination-endpoint",
    "x-prefiller-host-port",
    "x-encoder-hosts-ports",
    "x-vsr-destination-endpoint",
    "x-vsr-fusion-depth",
    "x-vsr-internal-auth",
    "x-vsr-looper-decision",
    "x-vsr-looper-iteration",
    "x-vsr-looper-request",
    "x-vsr-selected-category",
    "x-vsr-selected-decision",
    "x-vsr-selected-model",
    "x-vsr-selected-recipe",
    "x-vsr-skip-processing",
    "x-authz-team-id",
    "x-authz-tenant-id",
    "x-authz-user-groups",
    "x-authz-user-id",
)
"""Removed from a client's request before any filter sees it. What a client may send (``x-vsr-debug``) is not here."""

PROTECTED = frozenset(
    {
        *STRIPPED,
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""What no policy may set or remove: routing, identity and framing rest on it."""

CREDENTIALS = ("authorization", "api-key", "cookie", "proxy-authorization", "x-api-key")
"""By which a client says to the gateway who it is. They go to no provider outside the cluster."""

DEBUG = "x-vsr-debug"
"""A client requests debug headers with ``true``, if the policy allows it."""

SELECTED = "x-vsr-selected-model"
DECISION = "x-vsr-selected-decision"
CATEGORY = "x-vsr-selected-category"
PATH = "x-vsr-response-path"
CACHE_HIT = "x-vsr-cache-hit"
CACHE_SIMILARITY = "x-vsr-cache-similarity"
DEBUG_HEADERS = (CACHE_HIT, CACHE_SIMILARITY, CATEGORY, DECISION, PATH, SELECTED)
"""Response debug headers with the names of the stock router; sent only if the policy allows them."""

ANSWERS = ("allow", "content-type", "retry-after", "x-vsr-fast-response")
"""Headers of the answers that the router gives by itself."""
