"""Runs health checks of `argocd-cm` in the Lua that Argo CD has: 5.1, without libraries that reach outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lupa import lua51

_CLOSED = ("os", "io", "package", "debug", "require", "dofile", "loadfile")


def run_check(check: str, obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return status and message that a check gives for an object."""
    runtime = lua51.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
    for name in _CLOSED:
        runtime.globals()[name] = None
    runtime.globals()["obj"] = runtime.table_from(dict(obj), recursive=True)
    result = runtime.execute(check)
    return result["status"], result["message"]


def settings_health(settings: Mapping[str, Any], group: str, obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the compiled settings say of an object."""
    return run_check(settings["data"][f"resource.customizations.health.{group}_{obj['kind']}"], obj)
