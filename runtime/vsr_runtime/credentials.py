"""Reads the keys of providers outside the cluster. Nothing here, and nobody who is handed one, ever shows a key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.errors import UserError
from vsr_schemas.runtime import CredentialSettings

FOLDER = "credentials"
"""Where keys lie beside config.yaml, unless somebody says otherwise."""
KEYLESS = Path(os.devnull)
"""In the folder's place: the gateway adds the keys, and none is read here."""
MAX_KEY = 8192
"""Bytes. Tokens of a few kilobytes exist; a header of Envoy's takes 60 KiB in all."""
_KEY = re.compile(r"[!-~]+(?: [!-~]+)*")


def read_credentials(folder: Path, given: Mapping[str, CredentialSettings]) -> dict[str, ProviderCredentials]:
    """What each model that is served outside the cluster is sent in the client's place.

    Args:
        folder: where the keys lie; ``KEYLESS`` where the gateway adds them after the router.
        given: the settings, by model.

    Raises:
        UserError: a file cannot be read, or holds no key; says which, and never what it holds.
    """
    if folder == KEYLESS:
        return dict.fromkeys(given, ProviderCredentials())
    return {model: _outside(folder, credential) for model, credential in given.items()}


def _outside(folder: Path, credential: CredentialSettings) -> ProviderCredentials:
    if credential.file is None:
        return ProviderCredentials()
    return ProviderCredentials(credential.header, credential.prefix + _key(folder / credential.file))


def _key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_KEY + 1)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; mount the Secret with the provider's key there") from None
    if len(data) > MAX_KEY:
        raise UserError(f"{path}: larger than {MAX_KEY} bytes, so it is no key; check the Secret")
    # Files that were made with an editor or `echo` end in a line break, which is none of the key.
    text = data.decode("latin-1").strip()
    if not _KEY.fullmatch(text):
        raise UserError(f"{path}: must hold one line of printable ASCII, the provider's key; check the Secret")
    return text
