"""Keys for the stand-ins of providers: generated at each start, so that no real key is needed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from vsr_schemas.sandbox import Key


def dummy_keys(folder: Path, providers: Iterable[Key | None]) -> dict[str, str]:
    """Write a key for each credential that a stand-in expects, as a cluster mounts it.

    Args:
        folder: where the runtime reads them; created if there is a key.
        providers: the stand-ins; None is one for a model in the cluster.

    Returns:
        The keys by credential.
    """
    keys: dict[str, str] = {}
    for provider in providers:
        if provider is not None and provider.credential is not None and provider.credential not in keys:
            keys[provider.credential] = f"stand-in-{secrets.token_hex(16)}"
            path = folder / provider.credential
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(keys[provider.credential] + "\n", encoding="utf-8")
    return keys
