"""Reads the settings of a policy from its files, or builds them from their content."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.credentials import (
    CACHE,
    FOLDER,
    KEYLESS,
    clients_folder,
    detectors_folder,
    read_client_keys,
    read_credentials,
)
from vsr_runtime.decision.guards.normalise import prepare
from vsr_runtime.decision.program.build_domains import meaningless, with_domains
from vsr_runtime.decision.program.build_facts import with_facts
from vsr_runtime.decision.program.build_providers import provider_credentials
from vsr_runtime.decision.program.build_sentences import with_sentences
from vsr_runtime.decision.signals.heuristic import PiiSignal
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model
from vsr_runtime.settings.checks import check_settings, classifier_of
from vsr_runtime.settings.model import Settings, SettingsSource
from vsr_schemas.runtime import FRAME_BYTES, LimitSettings, RuntimeSettings

if TYPE_CHECKING:
    from vsr_runtime.admission.reading import AdmittedConfig

DEFAULT_DEADLINE = 1000
"""Milliseconds; the compiler's default."""
DEFAULT_MAX_BODY = 8 << 20


def load(config: Path, credentials: Path | None = None, workers: int = 1, beside: Path | None = None) -> Settings:
    """Read and check both files, and the keys of the providers that they name.

    Args:
        config: config.yaml.
        credentials: the folder of the keys; None for ``credentials`` next to config.yaml.
        workers: the number of processes that share what this replica allows of limits.
        beside: the folder with the folders of the keys of clients and of servers; None for that of ``credentials``.

    Without ``runtime.yaml`` the defaults apply: a deadline of 1 s, and bodies up to 8 MiB. Domains of others' configs
    are those of the shipped head, unless runtime.yaml has a classifier of categories. Sentences of signals without
    vectors are read by the encoder.

    Raises:
        UserError: a file cannot be read or violates its contract, or the files are inconsistent.
    """
    from vsr_runtime.admission.positions import with_position  # noqa: PLC0415 - the compiler needs none of it
    from vsr_runtime.admission.reading import read_router  # noqa: PLC0415 - likewise

    admitted = read_router(config)
    try:
        return _loaded(admitted, config, credentials, workers, beside)
    except UserError as error:
        raise with_position(config, error) from None


def _loaded(
    admitted: AdmittedConfig, config: Path, credentials: Path | None, workers: int, beside: Path | None
) -> Settings:
    router = admitted.config
    path = config.parent / "runtime.yaml"
    runtime = read_model(path, RuntimeSettings) if path.exists() else _defaults()
    runtime = with_sentences(runtime if admitted.ours else with_facts(with_domains(runtime, router), router), router)
    folder = credentials or config.parent / FOLDER
    keys = provider_credentials(router, os.environ, keyless=folder == KEYLESS)
    keys |= read_credentials(folder, runtime.credentials or {})
    digests = read_client_keys(clients_folder(config, credentials, beside), runtime.identity)
    settings = check_settings(router, runtime, config.parent, keys, digests, workers)
    labels = meaningless(classifier_of(runtime.classifiers, "category"), router)
    never = (f"{place}: no text has the label {label!r}" for label, place in labels.items())
    detectors = detectors_folder(config, credentials, beside)
    store = clients_folder(config, credentials).parent / CACHE
    ignored = (*admitted.ignored, *never)
    return _prepared(replace(settings, ignored=ignored, detectors=detectors, cache_folder=store))


def build_settings(source: SettingsSource) -> Settings:
    """Build the same settings in another process."""
    return _prepared(check_settings(source.router, source.runtime, source.folder, source.credentials, source.clients))


def _prepared(settings: Settings) -> Settings:
    """Return settings with all tables that requests need. The compiler, which serves none, does without."""
    program = settings.program
    personal = any(isinstance(signal, PiiSignal) for signal in program.signals.values())
    if program.guards or personal or any(signal.detector for signal in program.model_signals.values()):
        prepare()
    return settings


def _defaults() -> RuntimeSettings:
    return RuntimeSettings(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeSettings",
        policy="unnamed",
        deadline=DEFAULT_DEADLINE,
        limits=LimitSettings(maxBody=DEFAULT_MAX_BODY, maxMessage=DEFAULT_MAX_BODY + FRAME_BYTES),
    )
