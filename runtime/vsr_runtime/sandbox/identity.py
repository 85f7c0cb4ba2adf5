"""Clients of a sandbox: tokens that its Envoy accepts, generated keys, or the headers of its front end.

Tokens are signed with a secret that is generated at each start (HS256), so that no issuer is needed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any

from vsr_runtime.errors import UserError
from vsr_schemas.identity import ROLE, USER
from vsr_schemas.sandbox import ClientSettings, SandboxIdentity

VALID_SECONDS = 12 * 3600
_KEY_ID = "sandbox"
TEST_CLIENT = ClientSettings(attributes={USER: "test"})
"""Who sends a request that says nothing else."""


class Clients:
    """What clients of a sandbox send.

    Args:
        settings: how clients are authenticated; None if nobody is.
        folder: where the clients' keys are written.

    Attributes:
        key_set: the keys that Envoy checks tokens with; None without tokens.
    """

    def __init__(self, settings: SandboxIdentity | None, folder: Path) -> None:
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self._keys: dict[str, str] = {}
        self.key_set: str | None = None
        if settings is None:
            return
        if settings.jwt is not None:
            keys = [{"kty": "oct", "alg": "HS256", "kid": _KEY_ID, "k": _base64(self._secret)}]
            self.key_set = json.dumps({"keys": keys})
        for key in settings.keys or ():
            self._keys[key.file] = f"client-{secrets.token_hex(16)}"
            path = folder / "clients" / key.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._keys[key.file] + "\n", encoding="utf-8")

    def headers(self, client: ClientSettings | None = None) -> dict[str, str]:
        """Return the headers that authenticate a client; none if nobody is authenticated.

        Raises:
            UserError: no key is that of such a client.
        """
        settings = self._settings
        if settings is None:
            return {}
        if settings.jwt is not None:
            return {"authorization": f"Bearer {self.token(client or TEST_CLIENT)}"}
        if settings.keys is not None:
            return {"authorization": f"Bearer {self._key_of(client)}"}
        return self._front_end(client or TEST_CLIENT)

    def token(self, client: ClientSettings, **claims: Any) -> str:  # noqa: ANN401 - any claim
        """Return a token of a client. ``claims`` are added, or replaced; None removes one."""
        jwt = self._settings.jwt if self._settings is not None else None
        if jwt is None:
            raise UserError("sandbox.yaml: identity.jwt is missing, so there are no tokens")
        body: dict[str, Any] = {"iss": jwt.issuer, "aud": jwt.audience, "exp": int(time.time()) + VALID_SECONDS}
        values: dict[str, Any] = {**TEST_CLIENT.attributes, **client.attributes}
        if client.roles:
            values[ROLE] = client.roles
        for attribute, value in values.items():
            path = jwt.claims.get(attribute, "").split(".")
            if path[0]:
                _put(body, path, value)
        body |= claims
        head = {"alg": "HS256", "kid": _KEY_ID, "typ": "JWT"}
        text = f"{_part(head)}.{_part({name: value for name, value in body.items() if value is not None})}"
        return f"{text}.{_base64(hmac.new(self._secret, text.encode(), hashlib.sha256).digest())}"

    def _key_of(self, client: ClientSettings | None) -> str:
        """Return the key of the first client with these attributes and roles."""
        for key in (self._settings and self._settings.keys) or ():
            wanted = client or ClientSettings()
            if wanted.attributes.items() <= key.attributes.items() and set(wanted.roles) <= set(key.roles):
                return self._keys[key.file]
        raise UserError("sandbox.yaml: identity.keys: no client has these attributes")

    def _front_end(self, client: ClientSettings) -> dict[str, str]:
        """Return the headers of a front end, and its address as the sandbox's Envoy takes it."""
        front = self._settings.frontEnd if self._settings is not None else None
        if front is None:
            return {}
        values = {**TEST_CLIENT.attributes, **client.attributes}
        if client.roles:
            values[ROLE] = ",".join(client.roles)
        headers = {front.headers[name]: value for name, value in values.items() if name in front.headers}
        return {"x-forwarded-for": front.address, **headers}


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:  # noqa: ANN401 - any claim
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value


def _part(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
