"""Loads the classifier that the settings name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from vsr_runtime.errors import UserError
from vsr_runtime.server.classify import TextClassifier
from vsr_runtime.server.supervisor.link import BROKER
from vsr_runtime.settings import Settings
from vsr_schemas.runtime import EncoderSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.classifier import Embedder
    from vsr_runtime.server.engine import LoadedEngine


def load_classifier(
    settings: Settings, opened: Callable[[EncoderSettings], Embedder] | None = None
) -> TextClassifier | LoadedEngine | None:
    """Load the compiled classifier, or the engine with all classifiers if there are others; None if there is none.

    An engine computes in this process if all classifiers run on the CPU, else in its own. Child processes of a
    supervisor always share one.

    Args:
        settings: the policy.
        opened: returns the encoder of a compiled classifier, which others may use too; None to load it.

    Raises:
        UserError: the model cannot be found, trusted or read.
    """
    settings = settings.local
    if settings.engine:
        return _load_engine(settings)
    if settings.classifier is None and settings.similarity_classifier is None:
        return None
    if BROKER in os.environ:
        return _load_engine(replace(settings, engine=settings.classifiers))
    from vsr_runtime.inference.compiled_classifier import CompiledClassifier  # noqa: PLC0415 - needs the classify extra
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - likewise

    try:
        return CompiledClassifier.load(settings.classifier, settings.similarity_classifier, settings.folder, opened)
    except ModelError as error:
        raise UserError(str(error)) from None


def _load_engine(settings: Settings) -> LoadedEngine:
    from vsr_runtime.inference.engine.load import load_models, read_tasks  # noqa: PLC0415 - needs the classify extra
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - likewise
    from vsr_runtime.server.engine import SOCKET, LoadedEngine  # noqa: PLC0415 - likewise

    devices = {one.checkpoint.device for one in settings.engine.values() if one.checkpoint}
    inline = devices <= {"cpu"} and not (os.environ.get(SOCKET) or BROKER in os.environ)
    try:
        tasks = read_tasks(settings.engine)
        models = load_models(settings.engine, settings.folder) if inline else None
    except ModelError as error:
        raise UserError(str(error)) from None
    return LoadedEngine(settings, settings.folder / "config.yaml", tasks, models)
