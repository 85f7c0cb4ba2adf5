"""Loads the router's files as the runtime does when it starts, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings
from vsr_runtime.decision.program.effects import ProviderCredentials
from vsr_runtime.errors import UserError
from vsr_runtime.settings import Settings, check_settings
from vsr_schemas import runtime as settings

_OPTIONAL = frozenset({"phonenumbers", "py3langid", "stdnum"})
"""Packages of the extra `runtime` that some signals and guards need when they are loaded."""


def check_loading(policy: ir.Policy, classifiers: Mapping[str, settings.ClassifierSettings]) -> Iterator[Diagnostic]:
    """VSR508 if the runtime would not start with the policy.

    Args:
        policy: The linked policy.
        classifiers: The settings of its classifiers.
    """
    try:
        _load(policy, classifiers)
    except UserError as error:
        hint = "Change the value that the message names. `check` should have reported its place: please report this."
        yield Diagnostic("VSR508", f"the router would not start: {error}", policy.span, hint)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OPTIONAL:
            raise


def loaded(policy: ir.Policy, classifiers: Mapping[str, settings.ClassifierSettings]) -> Settings | None:
    """Return what the runtime makes of a policy; None if it would not start, or a package for that is missing."""
    try:
        return _load(policy, classifiers)
    except (UserError, ModuleNotFoundError):
        return None


def _load(policy: ir.Policy, classifiers: Mapping[str, settings.ClassifierSettings]) -> Settings:
    runtime = runtime_settings(policy, classifiers)
    keys = dict.fromkeys(runtime.credentials or {}, ProviderCredentials())
    return check_settings(router_config(policy), runtime, Path(), keys)
