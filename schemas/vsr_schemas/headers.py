"""Headers by which routing and identity travel, in one table that stripping, routing and checks are made from."""

from __future__ import annotations

from vsr_schemas.obeyed_headers import routing_names, stripped_names, stripped_prefixes

SELECTED_MODEL = "x-selected-model"
"""The router writes it, routes match it. A client's own never counts."""

DECIDED, DECIDED_VALUE = "x-envoy-ip-tags", "vsr"
"""The gateway's filters set it where the router decides, and routes to models require it. Envoy removes it from every
request of a client, on every listener and whatever is attached to it: it is one of the headers that only the proxy
sets (`ConnectionManagerUtility::cleanInternalHeaders`; since Envoy 1.33 no client's address counts as internal unless
`internal_address_config` says so). So a listener without these filters leads to no model."""

DECIDED_KEY = "vsr_decided"
"""Where the router vouches for its decision in the dynamic metadata of its answer, with ``DECIDED_VALUE``: agentgateway
has no filter of its own that could set the header above, and sets it from this."""

AI_MODEL = "x-ai-eg-model"
"""Envoy AI Gateway writes it, from the body as the router has left it."""

CHAIN = "x-vsr-chain"
"""The models of a request with several attempts, in their order: from the router to the router, within one proxy."""

ATTEMPTS = "vsr.attempts"
"""The listener and the filter chain on which a proxy sends itself the attempts of a request."""

OUTCOME = "x-vsr-outcome"
"""How an attempt failed, for the retries of the proxy. Neither a client nor a model sees it."""

ANSWERED_BY = "x-vsr-answered-by"
"""The model that answered, on responses of routes with several attempts."""

ATTEMPT = "x-envoy-attempt-count"
"""Envoy numbers the attempts of a request, from 1."""

MAX_RETRIES = "x-envoy-max-retries"
"""Envoy takes the number of further attempts from it, in preference to the route's. No client can send it."""

GUARDS = "x-vsr-guards"
"""Which guards flagged a request, for its backend, or a response, for its client."""

STRIPPED = stripped_names()
"""Removed from a client's request before any filter sees it. What a client may send (``x-vsr-debug``) is not here."""

ROUTING = routing_names()
"""Those of them by which a client could choose the model, the pod or the queue of its request."""

STRIPPED_PREFIXES = stripped_prefixes()
"""Removed as well where Envoy can match names, for headers of the same families in releases to come."""

FRAMING = frozenset(
    {
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
"""By which a request is framed and addressed."""

PROTECTED = frozenset({*STRIPPED, *FRAMING})
"""What no policy may set or remove: routing, identity and framing rest on it. See ``is_protected`` for prefixes."""

DEBUG = "x-vsr-debug"
"""A client requests debug headers with ``true``, if the policy allows it."""

PRIVATE = (
    "x-forwarded-for",
    "x-envoy-external-address",
    "x-forwarded-client-cert",
    "x-forwarded-proto",
    "x-authz-user-id",
    "x-authz-user-groups",
    "x-authz-team-id",
    "x-authz-tenant-id",
    SELECTED_MODEL,
    GUARDS,
    DEBUG,
    "x-request-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-peer-metadata",
)
"""Headers about the client, the decision and the gateway, which no provider outside the cluster gets by default.

The Gateway API and Envoy AI Gateway allow 16 names.
"""

CREDENTIALS = ("authorization", "api-key", "cookie", "proxy-authorization", "x-api-key")
"""By which a client says to the gateway who it is. They go to no provider outside the cluster."""

SELECTED = "x-vsr-selected-model"
DECISION = "x-vsr-selected-decision"
CATEGORY = "x-vsr-selected-category"
PATH = "x-vsr-response-path"
CACHE_HIT = "x-vsr-cache-hit"
CACHE_SIMILARITY = "x-vsr-cache-similarity"
ASK = "x-vsr-ask"
DEBUG_HEADERS = (ASK, CACHE_HIT, CACHE_SIMILARITY, CATEGORY, DECISION, PATH, SELECTED)
"""Response debug headers with the names of the stock router; sent only if the policy allows them."""

ALLOW_ORIGIN = "access-control-allow-origin"
ALLOW_CREDENTIALS = "access-control-allow-credentials"
ALLOW_HEADERS = "access-control-allow-headers"
ALLOW_METHODS = "access-control-allow-methods"
EXPOSE_HEADERS = "access-control-expose-headers"
MAX_AGE = "access-control-max-age"
VARY = "vary"
CORS = (ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN, EXPOSE_HEADERS, MAX_AGE, VARY)
"""Headers of responses to pages of other origins."""

ANSWERS = ("allow", "content-type", "retry-after", "x-vsr-fast-response")
"""Headers of the answers that the router gives by itself."""

RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
"""Headers of a refusal because of a limit: its amount, what is left, and the seconds until its window ends."""


def is_protected(name: str) -> bool:
    """Return whether a policy may neither set nor remove a header, by its name in lower case.

    >>> is_protected("x-llm-d-anything"), is_protected("x-tier")
    (True, False)
    """
    return name in PROTECTED or name.startswith((*STRIPPED_PREFIXES, "x-vsr-", ":"))
