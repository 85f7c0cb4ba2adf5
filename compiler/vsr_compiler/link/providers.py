"""Links providers: their APIs, and how endpoints are authenticated to."""

from __future__ import annotations

from urllib.parse import parse_qsl

from vsr_compiler import ir
from vsr_compiler.ir.providers import (
    AUTHORIZATION,
    BEARER,
    AwsAuth,
    AzureAuth,
    CloudAuth,
    EndpointKey,
    GcpAuth,
    ProviderApi,
)
from vsr_compiler.link.scope import Scope
from vsr_compiler.releases.providers import AZURE_DEPLOYMENT, AZURE_VERSION, SCHEMAS, ProviderSchema
from vsr_compiler.syntax.document import Path
from vsr_schemas.apis import paths_of
from vsr_schemas.headers import FRAMING, is_protected
from vsr_schemas.policy import v1alpha1 as schema

MAX_PARAMETERS = 16


def server_key(spec: schema.SecretKeySpec | None) -> EndpointKey | None:
    """Return the key of a server in the cluster, which is sent as vLLM and its relatives read it."""
    return None if spec is None else EndpointKey(spec.secret, spec.key)


def provider_key(scope: Scope, spec: schema.ExternalSpec, path: Path) -> EndpointKey | None:
    """Return the key of a provider, in the header of its schema unless the policy says otherwise."""
    key = spec.api_key
    if key is None:
        return None
    if key.query is not None:
        message = f"the key travels in the URL (`?{key.query}=`), which gateways and providers write to access logs"
        hint = "Use a `header`, if the provider reads its key from one."
        scope.report("VSR289", message, (*path, "apiKey", "query"), hint)
        return EndpointKey(key.secret, key.key, "", "", key.query)
    known = SCHEMAS[spec.schema_] if spec.schema_ is not None else None
    header = key.header or (known.header if known else AUTHORIZATION)
    if header in FRAMING or is_protected(header):
        hint = "Use the header that the provider documents, such as `x-api-key`."
        scope.report("VSR288", f"no key can travel in `{header}`", (*path, "apiKey", "header"), hint)
    default = BEARER if header == AUTHORIZATION else ""
    return EndpointKey(key.secret, key.key, header, default if key.prefix is None else key.prefix)


def provider_auth(scope: Scope, spec: schema.ExternalSpec, path: Path) -> CloudAuth | None:
    """Return the credentials of a cloud. VSR288 if the schema takes those of another one."""
    auth = spec.auth
    known = SCHEMAS[spec.schema_] if spec.schema_ is not None else None
    if auth is None:
        if known is not None and known.cloud and known.paths is None:
            hint = f"Add `auth: {{{known.cloud}: {{…}}}}`."
            scope.report("VSR288", f"{known.title} needs credentials of its cloud", (*path, "schema"), hint)
        return None
    cloud = next(name for name in ("aws", "gcp", "azure") if getattr(auth, name) is not None)
    if known is None or known.cloud != cloud:
        fitting = ", ".join(f"`{name}`" for name, item in SCHEMAS.items() if item.cloud == cloud)
        title = f"the schema `{spec.schema_}`" if known else "a provider without `schema`"
        scope.report(
            "VSR288", f"{title} takes no credentials of `{cloud}`", (*path, "auth"), f"Use `schema`: {fitting}."
        )
    if auth.aws is not None:
        return AwsAuth(auth.aws.region, auth.aws.secret, auth.aws.profile)
    if auth.gcp is not None:
        return GcpAuth(auth.gcp.project, auth.gcp.region, auth.gcp.secret)
    if auth.azure is not None:
        return AzureAuth(auth.azure.client_id, auth.azure.tenant_id, auth.azure.secret)
    return None


def provider_api(scope: Scope, spec: schema.ExternalSpec, url_path: str, query: str, path: Path) -> ProviderApi:
    """Return the API of a provider, with what its URL says. VSR288 if the URL does not fit the schema."""
    known = SCHEMAS[spec.schema_] if spec.schema_ is not None else None
    parameters = _query(scope, spec, query, path)
    paths = known.paths if known else None
    if spec.apis is not None:
        named = paths_of(spec.apis)
        if known is not None and known.paths is not None and not named <= known.paths:
            missing = [name for name in spec.apis if not paths_of([name]) & known.paths]
            if missing:
                listed = " and ".join(f"`{name}`" for name in missing)
                scope.report("VSR288", f"{known.title} has no API {listed}", (*path, "apis"), "Remove it.")
        paths = named if paths is None else named & paths
    version = parameters.get(AZURE_VERSION, "")
    deployment = url_path.removeprefix(AZURE_DEPLOYMENT) if url_path.startswith(AZURE_DEPLOYMENT) else ""
    if spec.schema_ == "azure-openai" and not (version and deployment and "/" not in deployment):
        hint = (
            "Write it as in `https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT?api-version=2024-10-21`. "
            "For the API below `/openai/v1`, use `schema: openai`."
        )
        message = "a URL of Azure OpenAI has a deployment and an `api-version`"
        scope.report("VSR288", message, (*path, "url"), hint)
    elif known is not None and known.paths is None and (url_path or query):
        message = f"the gateway sets the paths of {known.title}, so the URL has no path or query"
        scope.report("VSR288", message, (*path, "url"), "Remove everything after the host.")
    return ProviderApi(spec.schema_, paths, None if spec.apis is None else tuple(spec.apis), query, version, deployment)


def _query(scope: Scope, spec: schema.ExternalSpec, query: str, path: Path) -> dict[str, str]:
    """Return the parameters of the URL's query. VSR227 and VSR288 for those that it must not have."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=MAX_PARAMETERS)
    except ValueError:
        scope.report("VSR104", "expected a query such as `?api-version=2024-10-21`", (*path, "url"))
        return {}
    for name, _ in pairs:
        if name.lower().replace("-", "").replace("_", "") in {"key", "apikey", "token", "accesstoken", "secret", "sig"}:
            hint = "Store it in a Secret and name it in `apiKey: {secret: …, key: …, query: …}`."
            scope.secret(f"the value of `{name}` in the URL is a secret", (*path, "url"), hint)
        if spec.api_key is not None and name == spec.api_key.query:
            scope.report("VSR288", f"`{name}` is both in the URL and `apiKey.query`", (*path, "url"), "Remove one.")
    if len({name for name, _ in pairs}) < len(pairs):
        scope.report("VSR288", "a parameter occurs twice in the URL", (*path, "url"), "Remove one.")
    return dict(pairs)


def check_keys(scope: Scope, policy: schema.PolicySpec, models: dict[str, ir.Model]) -> None:
    """VSR269 for a model whose endpoints need different keys: the key is chosen with the model."""
    for name in policy.models:
        model = models[name]
        keys = {endpoint.api_key for endpoint, _ in model.endpoints}
        if len(keys) > 1 and model.provider is None:
            one, other = (endpoint.name for endpoint in _different(model))
            message = f"the endpoints `{one}` and `{other}` of model `{name}` need different keys"
            hint = "Give them the same `apiKey`, or define a model for each and use a route's `split`."
            scope.report("VSR269", message, ("models", name, "endpoints"), hint)


def _different(model: ir.Model) -> tuple[ir.Endpoint, ir.Endpoint]:
    first = model.endpoints[0][0]
    return first, next(endpoint for endpoint, _ in model.endpoints if endpoint.api_key != first.api_key)


def known_schema(provider: ir.Provider) -> ProviderSchema | None:
    """Return what is known about the API of a provider; None if the policy does not name it."""
    return None if provider.api.schema is None else SCHEMAS[provider.api.schema]
