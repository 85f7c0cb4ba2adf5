"""Loads the classifier that the settings name."""

from __future__ import annotations

from runtime.errors import UserError
from runtime.serve.classify import Classifier
from runtime.settings import Settings


def load_classifier(settings: Settings) -> Classifier | None:
    """The category classifier, or None where no route asks for a category.

    Raises:
        UserError: the model cannot be found, trusted or read.
    """
    if settings.classifier is None:
        return None
    from runtime.inference.classifier import CategoryClassifier  # noqa: PLC0415 - needs the classify extra
    from runtime.inference.errors import ModelError  # noqa: PLC0415 - likewise

    try:
        return CategoryClassifier.load(settings.classifier, settings.folder)
    except ModelError as error:
        raise UserError(str(error)) from None
