"""Reads the API keys of external providers. No key is ever logged or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from vsr_runtime.decision.identity.rules import digest_of
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_regular
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.runtime import CredentialSettings
from vsr_schemas.runtime_identity import IdentitySettings

FOLDER = "credentials"
"""Default folder of the keys, next to config.yaml."""
KEYLESS = Path(os.devnull)
"""Value for the folder if the gateway adds the keys and none is read here."""
MAX_KEY = 8192
"""Maximum bytes of a key. Tokens of several kilobytes exist; Envoy allows 60 KiB of headers in all."""
CLIENTS = "clients"
"""Folder of the clients' keys, next to that of the providers' keys."""
MIN_CLIENT_KEY = 16
"""Minimum characters of a client's key."""
CACHE = "cache-store"
"""Folder of the login and the CA of the store of answers, next to that of the clients' keys."""
CACHE_USER, CACHE_PASSWORD, CACHE_CA = "username", "password", "ca.crt"
"""Its files; without the first, the store's default user."""
_KEY = re.compile(r"[!-~]+(?: [!-~]+)*")


def read_credentials(folder: Path, settings: Mapping[str, CredentialSettings]) -> dict[str, ProviderCredentials]:
    """Return the credentials to send to external providers, by model.

    Args:
        folder: the folder of the keys; ``KEYLESS`` if the gateway adds them after the router.
        settings: the credential settings, by model.

    Raises:
        UserError: a file cannot be read, or holds no key. The message names the file and never its content.
    """
    return {model: _read(folder, credential) for model, credential in settings.items()}


def clients_folder(config: Path, credentials: Path | None) -> Path:
    """Return the folder of the clients' keys.

    Args:
        config: config.yaml.
        credentials: the folder of the providers' keys; None or ``KEYLESS`` for the one next to config.yaml.
    """
    return (config if credentials is None or credentials == KEYLESS else credentials).parent / CLIENTS


def read_client_keys(folder: Path, settings: IdentitySettings | None) -> dict[str, bytes]:
    """Return the digest of each client's key, by its file.

    Raises:
        UserError: a file cannot be read, or its key is too short. The message never has its content.
    """
    digests = {}
    for key in (settings and settings.keys) or ():
        text = _key(folder / key.file, "client's")
        if len(text) < MIN_CLIENT_KEY:
            raise UserError(f"{folder / key.file}: shorter than {MIN_CLIENT_KEY} characters, so it can be guessed")
        digests[key.file] = digest_of(text)
    return digests


def read_cache_login(folder: Path) -> tuple[str] | tuple[str, str]:
    """Return the password of the store of answers, after the name of the user if there is one.

    Raises:
        UserError: a file cannot be read. The message never has its content.
    """
    password = _key(folder / CACHE_PASSWORD, "store's")
    name = folder / CACHE_USER
    return (_key(name, "store's"), password) if name.exists() else (password,)


def _read(folder: Path, credential: CredentialSettings) -> ProviderCredentials:
    """Return what the router sends. A gateway that adds the keys also sets the path with its query."""
    sent = ProviderCredentials(
        defaults=tuple((credential.defaults or {}).items()), removed=(*CREDENTIALS, *(credential.remove or ()))
    )
    if folder == KEYLESS:
        return sent
    query = credential.query or ""
    if credential.file is None:
        return replace(sent, query=query)
    key = _key(folder / credential.file)
    if credential.parameter is None:
        return replace(sent, header=credential.header, value=credential.prefix + key, query=query)
    parameter = f"{credential.parameter}={quote(key, safe='')}"
    return replace(sent, query=f"{query}&{parameter}" if query else parameter)


def _key(path: Path, whose: str = "provider's") -> str:
    try:
        data = read_regular(path, MAX_KEY)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; mount the Secret with the {whose} key there") from None
    if len(data) > MAX_KEY:
        raise UserError(f"{path}: larger than {MAX_KEY} bytes, so it is not a key; check the Secret")
    # Files that were written with an editor or `echo` end with a line break, which is not part of the key.
    text = data.decode("latin-1").strip()
    if not _KEY.fullmatch(text):
        raise UserError(f"{path}: must hold one line of printable ASCII, the {whose} key; check the Secret")
    return text
