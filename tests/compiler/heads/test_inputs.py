from __future__ import annotations

import subprocess
import sys

import pytest

from support.common import ROOT
from vsr_compiler.heads import inputs
from vsr_compiler.heads.background import BACKGROUND
from vsr_compiler.heads.inputs import OTHER, CategoryExamples, inputs_hash, labels

MATH = CategoryExamples("math", "Numbers", ("2+2 is", "Solve x + 1 = 2."))
LAW = CategoryExamples("law", "", ("Is the contract valid?",))
ENCODER = ("example/encoder", "e" * 64, "int8")


def test_order_does_not_count():
    """Neither the order of categories nor that of examples changes the hash, nor does an example given twice."""
    turned = CategoryExamples("math", "Numbers", ("Solve x + 1 = 2.", "2+2 is", "2+2 is"))
    assert inputs_hash([LAW, turned], *ENCODER) == inputs_hash([MATH, LAW], *ENCODER)


@pytest.mark.parametrize(
    "math",
    [
        CategoryExamples("maths", "Numbers", MATH.examples),
        CategoryExamples("math", "Numbers.", MATH.examples),
        CategoryExamples("math", "Numbers", MATH.examples[:1]),
        CategoryExamples("math", "Numbers", ("2+2 is ", "Solve x + 1 = 2.")),
        CategoryExamples("math", "", ("2+2 is", "Solve x + 1 = 2.", "Numbers")),
    ],
    ids=["name", "description", "fewer", "space", "description as example"],
)
def test_every_word_counts(math):
    """A changed name, description or example changes the hash."""
    assert inputs_hash([math, LAW], *ENCODER) != inputs_hash([MATH, LAW], *ENCODER)


@pytest.mark.parametrize("place", range(3))
def test_the_encoder_counts(place):
    """Another repository, other weights or another precision change the hash."""
    changed = [*ENCODER]
    changed[place] = "other"
    assert inputs_hash([MATH], *changed) != inputs_hash([MATH], *ENCODER)


def test_the_algorithm_counts(monkeypatch):
    """A new algorithm, or another background, asks for new heads."""
    before = inputs_hash([MATH], *ENCODER)
    monkeypatch.setattr(inputs, "ALGORITHM", inputs.ALGORITHM + 1)
    newer = inputs_hash([MATH], *ENCODER)
    monkeypatch.setattr(inputs, "BACKGROUND", (*BACKGROUND, "One more."))
    assert len({before, newer, inputs_hash([MATH], *ENCODER)}) == 3


def test_hash_takes_any_text():
    """Any character that a policy may hold, even half a surrogate pair, can be hashed."""
    odd = CategoryExamples("odd", "日本", ("\ud800", "\x00", "🙂"))
    assert len(inputs_hash([odd], *ENCODER)) == 64
    assert len(odd.texts) == 5


def test_texts():
    """Name, description and examples are learnt from, each once; empty ones are not."""
    assert set(MATH.texts) == {"math", "Numbers", *MATH.examples}
    assert set(LAW.texts) == {"law", *LAW.examples}
    assert set(CategoryExamples("a", " ", ("a", "b", "b")).texts) == {"a", "b"}


def test_other_is_only_its_examples():
    """The word "other" and its description describe no subject, so they teach nothing."""
    assert set(CategoryExamples(OTHER, "Everything else", ("Hi!",)).texts) == {"Hi!"}


def test_labels():
    """Labels are the sorted names; other is none of them."""
    assert labels([MATH, CategoryExamples(OTHER, "", ("Hi!",)), LAW]) == ("law", "math")


def test_background_is_plain():
    """Background prompts are distinct lines of text."""
    assert len(set(BACKGROUND)) == len(BACKGROUND) > 80
    assert all(text == text.strip() and "\n" not in text for text in BACKGROUND)


@pytest.mark.subprocess
def test_hashing_needs_no_package():
    """The hash is computed without numpy or any model package."""
    program = """
import sys
import vsr_compiler.heads.artifact
print(sorted({"numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
