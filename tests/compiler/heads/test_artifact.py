from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from support.common import ROOT
from vsr_compiler.heads import artifact
from vsr_compiler.heads.artifact import compile_head, recommended_threshold
from vsr_compiler.heads.inputs import CategoryExamples, inputs_hash
from vsr_runtime.inference.attention_pooling import AttentionPooling
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head import Head

CATEGORIES = (CategoryExamples("math", "", ("2+2 is",)), CategoryExamples("law", "", ("Is it legal?",)))
ENCODER = ("example/encoder", "e" * 64, "int8")
INPUTS = inputs_hash(CATEGORIES, *ENCODER)


def make(shift: float = 0.0, **changes) -> Head:
    """A head as training would give it, its numbers moved a little."""
    random = np.random.default_rng(5)
    values = {
        "labels": ("law", "math"),
        "weight": random.normal(size=(2, 8)).astype(np.float32) * np.float32(1 + shift),
        "bias": np.array([0.5, -0.5], np.float32),
        "temperature": 0.5,
        "inputs": INPUTS,
        "threshold": 0.37,
    }
    return Head(**(values | changes))


@pytest.fixture
def trained(monkeypatch):
    """Replaces training: what it gives can be set, and how often it ran can be counted."""
    state = {"head": make(), "runs": 0}

    def train(*_arguments):
        state["runs"] += 1
        return state["head"], ()

    monkeypatch.setattr(artifact, "_train", train)
    return state


def test_trains_where_nothing_is(trained):
    """Without an earlier file a head is trained."""
    assert compile_head(CATEGORIES, *ENCODER, None)[0] == make().to_bytes()
    assert trained["runs"] == 1


def test_keeps_while_inputs_stand(trained):
    """A file trained from the same inputs stays, whatever its numbers: bits differ between machines."""
    existing = make(0.5).to_bytes()
    assert compile_head(CATEGORIES[::-1], *ENCODER, existing)[0] == existing
    assert trained["runs"] == 0


def test_trains_where_inputs_changed(trained):
    """A file trained from something else is replaced."""
    existing = make(inputs="b" * 64).to_bytes()
    assert compile_head(CATEGORIES, *ENCODER, existing)[0] == make().to_bytes()
    assert trained["runs"] == 1


@pytest.mark.parametrize("existing", [b"", b"not a head", make().to_bytes()[:-4]], ids=["empty", "text", "cut off"])
def test_replaces_what_is_no_head(trained, existing):
    """A damaged file is not kept."""
    assert compile_head(CATEGORIES, *ENCODER, existing)[0] == make().to_bytes()
    assert trained["runs"] == 1


def test_rebuild_within_the_tolerance(trained):
    """Training anew on another machine leaves the committed bytes alone."""
    existing = make(0.02).to_bytes()
    assert compile_head(CATEGORIES, *ENCODER, existing, rebuild=True)[0] == existing
    assert trained["runs"] == 1


@pytest.mark.parametrize(
    "other",
    [make(0.5), make(temperature=1.0), make(bias=np.array([3, 0], np.float32)), make(labels=("law", "maths"))],
    ids=["weight", "temperature", "bias", "labels"],
)
def test_rebuild_beyond_the_tolerance(trained, other):
    """Where the new head answers differently it replaces the old one."""
    assert compile_head(CATEGORIES, *ENCODER, other.to_bytes(), rebuild=True)[0] == make().to_bytes()
    assert trained["runs"] == 1


def attending(shift: float = 0.0) -> Head:
    """A head with the same numbers that attends to tokens, its queries moved a little."""
    queries = np.random.default_rng(6).normal(size=(2, 4)).astype(np.float16).astype(np.float32)
    head = make(layer=AttentionPooling(queries * np.float32(1 + shift)))
    return replace(head, weight=head.weight.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        (attending(0.02), True),
        (attending(0.5), False),
        (attending(), True),
        (make(), False),
        (make(layer="middle"), False),
        (make(layer=AttentionPooling(np.zeros((4, 2), np.float32))), False),
    ],
    ids=["queries within", "queries beyond", "equal", "last layer", "middle layer", "other queries"],
)
def test_rebuild_compares_what_a_head_reads(trained, other, kept):
    """The same weights for another layer or other queries are another head."""
    trained["head"] = attending()
    found = compile_head(CATEGORIES, *ENCODER, other.to_bytes(), rebuild=True)[0]
    assert found == (other if kept else attending()).to_bytes()


def test_threshold_is_read_from_the_file():
    """The threshold is in the file, so that every machine writes the same settings."""
    assert recommended_threshold(make().to_bytes()) == 0.37
    with pytest.raises(ModelError):
        recommended_threshold(b"no head")


def test_real_training(categories, files, encoder):
    """With the real encoder a head is trained, carries the hash, and trained anew is equal within the tolerance."""
    assert encoder.dimension == 384
    first = compile_head(categories, files.repo, files.sha256, "int8", None)[0]
    assert Head.from_bytes(first).inputs == inputs_hash(categories, files.repo, files.sha256, "int8")
    assert compile_head(categories, files.repo, files.sha256, "int8", None)[0] == first
    assert compile_head(categories, files.repo, files.sha256, "int8", first, rebuild=True)[0] == first


def test_missing_encoder_says_what_to_do(monkeypatch, tmp_path):
    """Where the encoder is not on this machine, the message tells how to get it."""
    for name in ("VSR_MODELS", "HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="is not on this machine; put its files into"):
        compile_head(CATEGORIES, *ENCODER, None)[0]


PROGRAM = """
import sys
for name in ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"):
    sys.modules[name] = None
from vsr_compiler.heads.artifact import compile_head
from vsr_compiler.heads.inputs import CategoryExamples
from vsr_runtime.inference.errors import ModelError
categories = (CategoryExamples("math", "", ("2+2 is",)), CategoryExamples("law", "", ("Is it legal?",)))
existing = sys.stdin.buffer.read() or None
try:
    data = compile_head(categories, "example/encoder", "e" * 64, "int8", existing)[0]
    print("kept" if data == existing else "other")
except ModelError as error:
    print(error)
"""


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("existing", "wanted"),
    [(make().to_bytes(), "kept\n"), (b"", "is not installed; run pip install 'vsr-compile[classify]'\n")],
    ids=["kept", "must train"],
)
def test_without_the_extra(existing, wanted):
    """Without the extra a head is kept all the same; one that must be trained says what to install."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, input=existing, capture_output=True, check=True)
    assert done.stdout.decode().endswith(wanted)
