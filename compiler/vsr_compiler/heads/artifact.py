"""Compiles the head of a classifier to a file: reused while its inputs are unchanged, trained otherwise.

Importing this module and reusing a head need no package of the ``classify`` extra.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsr_compiler.heads.inputs import CategoryExamples, inputs_hash
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata

if TYPE_CHECKING:
    from vsr_compiler.heads.leave_one_out import WeakExample
    from vsr_runtime.inference.head import Head
    from vsr_runtime.inference.onnx_session import Precision

TOLERANCE = 0.1
"""Relative distance up to which a retrained head counts as equal to the existing one.

Other hardware moves the coefficients by about a hundredth, and the temperature by one step of its search, a fourteenth.
"""


def compile_head(
    categories: Sequence[CategoryExamples],
    repo: str,
    sha256: str,
    precision: Precision,
    existing: bytes | None,
    *,
    rebuild: bool = False,
) -> tuple[bytes, tuple[WeakExample, ...]]:
    """Return the head's file, and its weak examples if it was trained.

    Args:
        categories: The categories of the policy.
        repo: The encoder's repository.
        sha256: The sha256 of the encoder's weights.
        precision: The precision of the encoder when serving.
        existing: The file of an earlier compile, reused if its inputs are the same.
        rebuild: Train anyway. The existing file is kept if the new head equals it within ``TOLERANCE``.

    Raises:
        ModelError: Training is needed, and the encoder or a package of the ``classify`` extra is missing.
        ValueError: There is no category to learn.
    """
    inputs = inputs_hash(categories, repo, sha256, precision)
    current = existing if existing is not None and made_from(existing) == inputs else None
    if current is not None and not rebuild:
        return current, ()
    fresh, strays = _train(categories, repo, sha256, precision, inputs)
    return (current if current is not None and alike(current, fresh) else fresh.to_bytes()), strays


def recommended_threshold(head: bytes) -> float:
    """Return the threshold recommended by the head's examples. The file contains it, so it is equal on every machine.

    Raises:
        ModelError: The file is not a head.
    """
    try:
        return float(head_metadata(head)["threshold"])
    except (KeyError, ValueError) as error:
        raise ModelError("the classifier head carries no threshold; compile the policy again with --rebuild") from error


def made_from(existing: bytes) -> str | None:
    """Return the inputs hash of a file; None if it is not a usable head, which is then replaced."""
    try:
        return head_metadata(existing).get("inputs")
    except ModelError:
        return None


def _train(
    categories: Sequence[CategoryExamples], repo: str, sha256: str, precision: Precision, inputs: str
) -> tuple[Head, tuple[WeakExample, ...]]:
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 I001 - needs the extra; says so where it lacks

    from vsr_compiler.heads.leave_one_out import train_and_check  # noqa: PLC0415 - as above
    from vsr_runtime.inference.encoder_files import find_encoder  # noqa: PLC0415 - as above

    return train_and_check(categories, SentenceEncoder.load(find_encoder(repo, sha256), precision), inputs)


def alike(existing: bytes, fresh: Head) -> bool:
    """Return whether a file is a head that equals a fresh one within ``TOLERANCE``."""
    import numpy as np  # noqa: PLC0415 - a compile that keeps a head needs no numpy

    from vsr_runtime.inference.attention_pooling import AttentionPooling  # noqa: PLC0415 - as above
    from vsr_runtime.inference.head import Head  # noqa: PLC0415 - as above

    try:
        old = Head.from_bytes(existing)
    except ModelError:
        return False
    if old.labels != fresh.labels or old.weight.shape != fresh.weight.shape:
        return False
    if _owners(old) != _owners(fresh) or _layer(old) != _layer(fresh):
        return False
    compared = [tuple(np.column_stack([head.weight, head.bias]) / head.temperature for head in (old, fresh))]
    if isinstance(old.layer, AttentionPooling) and isinstance(fresh.layer, AttentionPooling):
        compared.append((old.layer.queries, fresh.layer.queries))
    return all(np.linalg.norm(after - before) <= TOLERANCE * np.linalg.norm(before) for before, after in compared)


def _layer(head: Head) -> tuple[int, ...] | str:
    return head.layer if isinstance(head.layer, str) else head.layer.queries.shape


def _owners(head: Head) -> list[int] | None:
    return None if head.prototypes is None else head.prototypes.owners.tolist()
