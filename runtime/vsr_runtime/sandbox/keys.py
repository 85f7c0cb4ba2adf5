"""Keys for the stand-ins of providers: generated at each start, so that no real key is needed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from vsr_runtime.sandbox.certificates import Authority
from vsr_schemas.runtime import RuntimeSettings
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


def dummy_detector_files(folder: Path, runtime: RuntimeSettings) -> None:
    """Write a key and an authority for each server that classifies text, as a cluster mounts them.

    Without fakes the sandbox has no such servers: what needs one is decided as if it were down.

    Args:
        folder: where the runtime reads them; created if there is a file.
        runtime: the runtime's settings.
    """
    for server in (one.server for one in runtime.classifiers.values() if one.server is not None):
        for name in (server.keyFile, server.caFile):
            if name is not None:
                path = folder / name
                if path.exists():  # of another policy of the same sandbox
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                text = Authority("detectors").pem if name == server.caFile else secrets.token_hex(16) + "\n"
                path.write_text(text, encoding="utf-8")
