"""Trains the heads that ship with the runtime, and writes them into its package.

Usage: ``python -m vsr_compiler.heads.shipped``. A head is trained again only if its examples, the encoder or the
training have changed; the same inputs give the same bytes on one machine. Tests compare the inputs with the files'.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vsr_compiler import examples
from vsr_compiler.diagnostics import Span
from vsr_compiler.heads.artifact import compile_head
from vsr_compiler.heads.inputs import OTHER, CategoryExamples, inputs_hash
from vsr_compiler.heads.label_inputs import label_inputs
from vsr_compiler.heads.train_labels import train_labels
from vsr_compiler.ir.labels import FALSE_ALARMS, Example, LabelExamples
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder
from vsr_runtime.inference.head import Head
from vsr_runtime.inference.head_file import head_metadata
from vsr_runtime.inference.prototypes import NONE, Prototypes
from vsr_runtime.shipped_heads import FOLDER, INDEX

if TYPE_CHECKING:
    from vsr_runtime.inference.onnx_session import Precision

SETS = ("mmlu-pro@1", "fact-check@1")
"""The example sets of which a head ships."""
DETECTORS = ("injection@3",)
"""The example sets of attacks of which a head ships: a policy that takes one as it is need not train it."""
BINARY = {"fact-check@1": ("needs_fact_check", "no_fact_check_needed")}
"""Sets with a label and its opposite. Their heads have the first one, so that the rest is the second."""
PRECISION: Precision = "int8"
WEIGHTS = KNOWN[DEFAULT_ENCODER].weights


def categories(name: str) -> tuple[CategoryExamples, ...]:
    """Return the labels of a set with their texts."""
    found = examples.read(name)
    return tuple(CategoryExamples(label, "", found.texts(label)) for label in found.labels)


def inputs(name: str) -> str:
    """Return the sha256 of what the head of a set is trained from today."""
    return inputs_hash(categories(name), DEFAULT_ENCODER, WEIGHTS, PRECISION)


def file_of(name: str) -> str:
    """Return the name of the file of a set's head."""
    return f"{name.replace('@', '-')}.safetensors"


def attacks(name: str) -> tuple[LabelExamples, ...]:
    """Return the examples of a detector as a policy has them that takes a set's attacks and harmless texts."""
    place, found = Span(name), examples.read(name)
    return tuple(
        LabelExamples(
            label,
            tuple(
                Example(text, f"{name} {topic}", place) for topic, texts in found.labels[own].items() for text in texts
            ),
            place,
        )
        for label, own in (("attack", "attack"), (OTHER, "benign"))
    )


def detector_inputs(name: str) -> str:
    """Return the sha256 of what the detector of a set is trained from today."""
    return label_inputs(attacks(name), DEFAULT_ENCODER, WEIGHTS, PRECISION, FALSE_ALARMS)


def write() -> None:
    """Write the heads whose inputs changed, and the index."""
    index = {}
    wanted = {name: (inputs(name), _trained) for name in SETS}
    wanted |= {name: (detector_inputs(name), _trained_detector) for name in DETECTORS}
    for name, (made_from, trained) in wanted.items():
        path = FOLDER / file_of(name)
        data = path.read_bytes() if path.exists() else b""
        if not data or head_metadata(data)["inputs"] != made_from:
            data = trained(name)
            path.write_bytes(data)
        metadata = head_metadata(data)
        index[name] = {"file": path.name, "inputs": metadata["inputs"], "labels": json.loads(metadata["labels"])}
    INDEX.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _trained(name: str) -> bytes:
    """Train a head. The label `other` gets the rest of the probability."""
    data, _ = compile_head(categories(name), DEFAULT_ENCODER, WEIGHTS, PRECISION, None)
    head = Head.from_bytes(data)
    if name in BINARY:
        return contrast(head, *BINARY[name]).to_bytes()
    if OTHER in examples.read(name).labels:
        head = replace(head, labels=(*head.labels, OTHER), rest=OTHER)
    return head.to_bytes()


def _trained_detector(name: str) -> bytes:
    encoder = SentenceEncoder.load(find_encoder(DEFAULT_ENCODER, WEIGHTS), PRECISION)
    return train_labels(attacks(name), encoder, detector_inputs(name), FALSE_ALARMS).to_bytes()


def contrast(head: Head, label: str, opposite: str) -> Head:
    """Return a head that chooses between two labels of a head, as if a text were always one of them.

    Its logit is the difference of both, so texts like neither are no third answer.
    """
    first, second = (head.labels.index(name) for name in (label, opposite))
    prototypes = head.prototypes
    if prototypes is not None:
        kept = (prototypes.owners == first) | (prototypes.owners == second)
        owners = np.where(prototypes.owners == first, 0, NONE)[kept]
        prototypes = Prototypes(
            prototypes.directions[kept], prototypes.scales[kept], prototypes.counts[kept], owners.astype(np.int64)
        )
    return replace(
        head,
        labels=(label,),
        weight=head.weight[[first]] - head.weight[[second]],
        bias=head.bias[[first]] - head.bias[[second]],
        prototypes=prototypes,
    )


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{', '.join(sorted(path.name for path in FOLDER.glob('*.safetensors')))}\n")
