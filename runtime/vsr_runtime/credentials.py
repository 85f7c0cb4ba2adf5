"""Reads the API keys of external providers. No key is ever logged or shown."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from vsr_runtime.decision.identity.rules import digest_of
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_regular
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.runtime import CredentialSettings
from vsr_schemas.runtime_identity import IdentitySettings
from vsr_schemas.runtime_servers import ServerSettings

FOLDER = "credentials"
"""Default folder of the keys, next to config.yaml."""
KEYLESS = Path(os.devnull)
"""Value for the folder if the gateway adds the keys and none is read here."""
MAX_KEY = 8192
"""Maximum bytes of a key. Tokens of several kilobytes exist; Envoy allows 60 KiB of headers in all."""
DETECTORS = "detectors"
"""Folder of the keys and authorities of servers that classify text, next to that of the providers' keys."""
CLIENTS = "clients"
"""Folder of the clients' keys, next to that of the providers' keys."""
MIN_CLIENT_KEY = 16
"""Minimum characters of a client's key."""
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


def clients_folder(config: Path, credentials: Path | None, beside: Path | None = None) -> Path:
    """Return the folder of the clients' keys.

    Args:
        config: config.yaml.
        credentials: the folder of the providers' keys; None or ``KEYLESS`` for the one next to config.yaml.
        beside: the folder that has it, if it is neither.
    """
    if beside is not None:
        return beside / CLIENTS
    return (config if credentials is None or credentials == KEYLESS else credentials).parent / CLIENTS


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """How a server that classifies text is reached besides its address. Never logged.

    Attributes:
        headers: the headers with its key.
        tls: checks its certificate; None for the system's authorities.
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: ssl.SSLContext | None = None


def detectors_folder(config: Path, credentials: Path | None, beside: Path | None = None) -> Path:
    """Return the folder of the keys of servers that classify text; see ``clients_folder``."""
    return clients_folder(config, credentials, beside).parent / DETECTORS


def read_server_access(folder: Path, servers: Mapping[str, ServerSettings]) -> dict[str, ServerAccess]:
    """Return how each server is reached, by the name of its classifier.

    Raises:
        UserError: a file cannot be read, or holds no key or no certificate. The message never has its content.
    """
    return {name: _server_access(folder, server) for name, server in servers.items()}


def _server_access(folder: Path, server: ServerSettings) -> ServerAccess:
    headers: tuple[tuple[str, str], ...] = ()
    if server.keyFile is not None:
        key = _key(folder / server.keyFile, "detector's")
        prefix = "Bearer " if server.prefix is None else server.prefix
        headers = ((server.header or "authorization", prefix + key),)
    if server.caFile is None:
        return ServerAccess(headers)
    path = folder / server.caFile
    try:
        return ServerAccess(headers, ssl.create_default_context(cafile=str(path)))
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UserError(f"{path}: {reason}; mount the ConfigMap with the authority's certificates there") from None


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
