"""How long the parts of a sandbox wait for each other, for tests that start one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def timed(policy: Path, *, deadline: int | None = None, gateway: str | None = None) -> Path:
    """Change the times of a policy's sandbox.

    Args:
        policy: The policy's folder, with ``router`` and ``local``.
        deadline: Milliseconds that the router has.
        gateway: How long the gateway waits for it.

    Returns:
        The sandbox's folder.
    """
    changes = (("router/runtime.yaml", "deadline", deadline), ("local/envoy.yaml", "message_timeout", gateway))
    for file, key, value in changes:
        if value is not None:
            path = policy / file
            text, count = re.subn(rf"(?m)^( *{key}): .*$", rf"\g<1>: {value}", path.read_text(encoding="utf-8"))
            assert count == 1, path
            path.write_text(text, encoding="utf-8")
    return policy / "local"


def patient(policy: Path, folder: Path) -> Path:
    """A copy of a compiled policy's sandbox that serves on a busy machine, too: router and gateway take their time."""
    for name in ("router", "local"):
        shutil.copytree(policy / name, folder / name)
    return timed(folder, deadline=20_000, gateway="20s")
