"""Reads what a config says about providers: their addresses, keys and paths, as the stock router does.

Which host gets a request is the gateway's choice, by the header of the selected model. The router sets the key, and the
path if the provider has another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.errors import config_error
from vsr_schemas.apis import CHAT
from vsr_schemas.headers import CREDENTIALS, SELECTED_MODEL
from vsr_schemas.routerconfig import v0_4_0 as contract

DEFAULT_TYPE = "vllm"
MAX_KEY = 8192
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_PATH = re.compile(r"/[A-Za-z0-9._~%!$&'()*+,;=:@/-]{0,1023}")
_QUERY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RESERVED = frozenset(
    {"host", "content-length", "content-type", "connection", "transfer-encoding", "te", "upgrade", SELECTED_MODEL}
)


@dataclass(frozen=True, slots=True)
class ProviderType:
    """How requests of a type of provider carry the key, and what follows the path of its address."""

    header: str
    prefix: str
    suffix: str


PROVIDERS: Mapping[str, ProviderType] = {
    "openai": ProviderType("authorization", "Bearer", "/chat/completions"),
    "azure-openai": ProviderType("api-key", "", "/chat/completions"),
    "bedrock": ProviderType("authorization", "Bearer", "/chat/completions"),
    "gemini": ProviderType("authorization", "Bearer", "/chat/completions"),
    "vertex-ai": ProviderType("authorization", "Bearer", "/chat/completions"),
    "minimax": ProviderType("authorization", "Bearer", "/v1/chat/completions"),
}
"""Source: the stock router's code at commit 3d48f8c, ``config/helper.go``."""
AZURE = "azure-openai"


def provider_credentials(
    config: contract.RouterConfig, variables: Mapping[str, str], *, keyless: bool = False
) -> dict[str, ProviderCredentials]:
    """Return what requests to the models of providers carry, by model.

    Args:
        config: the router config.
        variables: the process's variables, of which a config names those with keys.
        keyless: whether the gateway adds the keys.

    Raises:
        UserError: a provider is unknown or contradicts itself, or a variable is missing. The message has no key.
    """
    found = {}
    for i, model in enumerate(config.providers.models):
        refs = [ref for ref in model.backend_refs if _is_described(ref)]
        if not refs:
            continue
        place = f"providers.models[{i}].backend_refs"
        sent = {_credentials(place, ref, variables, keyless=keyless) for ref in refs}
        if len(sent) > 1 or len(refs) < len(model.backend_refs):
            raise config_error(place, "the endpoints of a model have the same provider, key and path here")
        found[model.name] = sent.pop()
    return found


def provider_type(model: contract.ProviderModel) -> str:
    """Return the type of the endpoint of a model that has the highest weight; of equals the first one."""
    heaviest = max(model.backend_refs, key=lambda ref: ref.weight, default=None)
    return (heaviest and heaviest.provider) or DEFAULT_TYPE


def _is_described(ref: contract.BackendRef) -> bool:
    return bool(
        ref.base_url
        or ref.api_key_env
        or ref.auth_header
        or ref.auth_prefix
        or ref.extra_headers
        or ref.api_version
        or ref.chat_path
    )


def _credentials(
    place: str, ref: contract.BackendRef, variables: Mapping[str, str], *, keyless: bool
) -> ProviderCredentials:
    known = PROVIDERS.get(ref.provider or "")
    if known is None:
        raise config_error(
            place, f"provider {ref.provider or 'none'!r:.60} is not executed here; use one of {', '.join(PROVIDERS)}"
        )
    header, prefix = (ref.auth_header or known.header).lower(), ref.auth_prefix or known.prefix
    if not _HEADER.fullmatch(header) or header in _RESERVED or (prefix and not _VALUE.fullmatch(prefix)):
        raise config_error(place, "auth_header or auth_prefix cannot be sent in a header")
    path, query = _path(place, ref, known)
    return ProviderCredentials(
        header,
        None if keyless or not ref.api_key_env else _key(place, ref.api_key_env, prefix, variables),
        query=query,
        removed=tuple(dict.fromkeys((*CREDENTIALS, header))),
        chat_path="" if path == CHAT else path,
        fixed=_extra(place, ref.extra_headers or {}, header),
    )


def _path(place: str, ref: contract.BackendRef, known: ProviderType) -> tuple[str, str]:
    """Return the path of requests to the provider, and their query."""
    base = urlsplit(ref.base_url or "")
    if ref.base_url and (base.scheme not in {"http", "https"} or not base.hostname or base.username is not None):
        raise config_error(place, "base_url is not an address such as https://api.example.com/v1")
    if base.query or base.fragment:
        raise config_error(place, "base_url has a query, which is not executed here; remove it")
    path = ref.chat_path or base.path.rstrip("/") + known.suffix
    if not _PATH.fullmatch(path):
        raise config_error(place, "chat_path is not a path such as /v1/chat/completions")
    if ref.provider != AZURE or not ref.api_version:
        return path, ""
    if not _QUERY.fullmatch(ref.api_version):
        raise config_error(place, "api_version is not one such as 2024-10-21")
    return path, f"api-version={ref.api_version}"


def _key(place: str, name: str, prefix: str, variables: Mapping[str, str]) -> str:
    key = variables.get(name, "").strip()
    if not key:
        raise config_error(place, f"the variable {name!r:.80} of api_key_env is not set; set it from a Secret")
    if len(key) > MAX_KEY or not _VALUE.fullmatch(key):
        raise config_error(
            place, f"the variable {name!r:.80} must hold one line of printable ASCII, the provider's key"
        )
    return f"{prefix} {key}" if prefix else key


def _extra(place: str, headers: Mapping[str, str], auth: str) -> tuple[tuple[str, str], ...]:
    """Return the headers that every request to the provider carries."""
    for name, value in headers.items():
        folded = name.lower()
        if not _HEADER.fullmatch(folded) or not _VALUE.fullmatch(value) or folded in _RESERVED:
            raise config_error(place, f"the header {name!r:.80} of extra_headers cannot be set")
        if folded == auth or folded in CREDENTIALS:
            raise config_error(
                place,
                f"the header {name!r:.80} of extra_headers is a key; name a variable with it as api_key_env",
            )
    return tuple((name.lower(), value) for name, value in headers.items())
