"""How our runtime authenticates to the endpoint of a model: key, query, and headers that the provider requires."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.releases.providers import SCHEMAS
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.runtime import CredentialSettings


def settings_of(policy: ir.Policy, endpoint: ir.Endpoint) -> CredentialSettings:
    """Return the settings of an endpoint's credentials."""
    key = endpoint.api_key
    own = CredentialSettings() if key is None or key.query else CredentialSettings(header=key.header, prefix=key.prefix)
    api = endpoint.provider.api if endpoint.provider else None
    headers = SCHEMAS[api.schema].headers if api and api.schema else {}
    # The query of an Azure API on Envoy AI Gateway is that gateway's, which then sets the whole path.
    return own.model_copy(
        update={
            "file": endpoint.credential,
            "parameter": key.query if key is not None and key.query else None,
            "query": (api.query or None) if api else None,
            "defaults": dict(headers) or None,
            "remove": other_key_headers(policy) or None,
        }
    )


def key_headers(policy: ir.Policy) -> list[str]:
    """Return the headers that carry keys of the models' endpoints, sorted."""
    endpoints = [model.keyed for model in policy.models if model.keyed]
    return sorted({endpoint.api_key.header for endpoint in endpoints if endpoint.api_key and endpoint.api_key.header})


def other_key_headers(policy: ir.Policy) -> list[str]:
    """Return those that are not among the usual ones: no client may send them to any endpoint with a key."""
    return [name for name in key_headers(policy) if name not in CREDENTIALS]


def default_headers(policy: ir.Policy) -> list[str]:
    """Return the headers that the router adds for some provider unless the client sends them, sorted."""
    providers = [model.provider.provider for model in policy.models if model.provider]
    schemas = [provider.api.schema for provider in providers if provider and provider.api.schema]
    return sorted({name for schema in schemas for name in SCHEMAS[schema].headers})


def sets_query(policy: ir.Policy) -> bool:
    """Return whether the router sets the query of some model's path."""
    endpoints = [model.keyed for model in policy.models if model.keyed]
    return any(
        (endpoint.provider and endpoint.provider.api.query) or (endpoint.api_key and endpoint.api_key.query)
        for endpoint in endpoints
    )
