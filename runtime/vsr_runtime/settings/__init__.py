"""The policy that a runtime executes: ``config.yaml`` and ``runtime.yaml`` from the same folder."""

from vsr_runtime.settings.checks import check_settings, decision_timeout
from vsr_runtime.settings.loading import DEFAULT_MAX_BODY, build_settings, load
from vsr_runtime.settings.model import Settings, SettingsSource, machine_config

__all__ = [
    "DEFAULT_MAX_BODY",
    "Settings",
    "SettingsSource",
    "build_settings",
    "check_settings",
    "decision_timeout",
    "load",
    "machine_config",
]
