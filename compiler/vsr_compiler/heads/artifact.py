"""The compiled head as a file of the output: kept while its inputs stand, trained where they do not.

Importing this module needs none of the ``classify`` extra's packages, nor does keeping a head.
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
"""How far a head trained anew may lie from the one that is there, relative to its length, and count as the same.

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
    """The head's file, and its weak examples where it was trained.

    Args:
        categories: The policy's.
        repo: The encoder's repository.
        sha256: Of the encoder's weights.
        precision: In which the encoder will serve.
        existing: The file of an earlier compile. Kept as it is while it was trained from the same inputs.
        rebuild: Train anyway; the earlier file still stands where the new head equals it within ``TOLERANCE``.

    Raises:
        ModelError: Training is needed, and the encoder or a package of the ``classify`` extra is not there.
        ValueError: There is no category to learn.
    """
    inputs = inputs_hash(categories, repo, sha256, precision)
    current = existing if existing is not None and _made_from(existing) == inputs else None
    if current is not None and not rebuild:
        return current, ()
    fresh, strays = _train(categories, repo, sha256, precision, inputs)
    return (current if current is not None and _alike(current, fresh) else fresh.to_bytes()), strays


def recommended_threshold(head: bytes) -> float:
    """The threshold that the head's own examples speak for; the same on every machine, since the file carries it.

    Raises:
        ModelError: The file is no head.
    """
    try:
        return float(head_metadata(head)["threshold"])
    except (KeyError, ValueError) as error:
        raise ModelError("the classifier head carries no threshold; compile the policy again with --rebuild") from error


def _made_from(existing: bytes) -> str | None:
    """The inputs hash of a file, or None where it is not a head that can be used: then it is written anew."""
    try:
        return head_metadata(existing).get("inputs")
    except ModelError:
        return None


def _train(
    categories: Sequence[CategoryExamples], repo: str, sha256: str, precision: Precision, inputs: str
) -> tuple[Head, tuple[WeakExample, ...]]:
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 I001 - needs the extra; says so where it lacks

    from vsr_compiler.heads.leave_one_out import train_and_check  # noqa: PLC0415 - as above
    from vsr_runtime.inference.encoder_files import find_encoder  # noqa: PLC0415 - beside its only use

    return train_and_check(categories, SentenceEncoder.load(find_encoder(repo, sha256), precision), inputs)


def _alike(existing: bytes, fresh: Head) -> bool:
    import numpy as np  # noqa: PLC0415 - a compile that keeps a head needs no numpy

    from vsr_runtime.inference.head import Head  # noqa: PLC0415 - as above

    try:
        old = Head.from_bytes(existing)
    except ModelError:
        return False
    if old.labels != fresh.labels or old.weight.shape != fresh.weight.shape:
        return False
    before, after = (np.column_stack([head.weight, head.bias]) / head.temperature for head in (old, fresh))
    return bool(np.linalg.norm(after - before) <= TOLERANCE * np.linalg.norm(before))
