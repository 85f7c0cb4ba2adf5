from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from vsr_runtime.inference.attention_pooling import AttentionPooling
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head import Head
from vsr_runtime.inference.head_file import (
    ALGORITHM,
    ATTENTION_ALGORITHM,
    MIDDLE_ALGORITHM,
    file_metadata,
    head_metadata,
    pack,
)
from vsr_runtime.inference.prototypes import NONE, SHARPNESS, Prototypes
from vsr_runtime.inference.tensors import tensor


def make(**changes) -> Head:
    """A head of two labels over three dimensions."""
    values = {
        "labels": ("law", "math"),
        "weight": np.array([[1, 0, 0], [0, 2, 0]], np.float32),
        "bias": np.array([0, -1], np.float32),
        "temperature": 0.5,
        "inputs": "a" * 64,
        "threshold": 0.4,
    }
    return Head(**(values | changes))


def near(owners=(0, 1, NONE), **changes) -> Prototypes:
    """A prototype for each label, and one for none of them."""
    rows = np.array([[1, 0, 0], [0, 0.6, 0.8], [0, 0, 1]])[: len(owners)]
    made = Prototypes.of(rows, np.full(len(owners), 50.0), np.array(owners))
    return replace(made, **changes)


def test_prototypes_round_trip(tmp_path):
    """Prototypes read back are those that were written, and any safetensors reader finds them."""
    head = make(prototypes=near())
    read = Head.from_bytes(head.to_bytes())
    assert read.to_bytes() == head.to_bytes() != make().to_bytes()
    texts = np.array([[0.6, 0, 0.8]], np.float32)
    assert np.array_equal(read.probabilities(texts), head.probabilities(texts))
    path = tmp_path / "head.safetensors"
    path.write_bytes(head.to_bytes())
    with safe_open(path, framework="np") as file:
        assert file.get_tensor("prototypes").dtype == np.int8


def test_nearness_is_the_logarithm_of_the_mean_over_topics():
    """Each topic counts by its examples and the cosine; none of these is subtracted."""
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    topics = Prototypes.of(rows, np.array([10.0, 30.0, 20.0]), np.array([0, 0, NONE]))
    text = np.array([[0.6, 0.8, 0.0]], np.float32)
    mean = (10 * np.exp(SHARPNESS * 0.6) + 30 * np.exp(SHARPNESS * 0.8)) / 40
    assert topics.nearness(text, 1) == pytest.approx(np.log(mean), rel=1e-3)


def test_a_head_without_prototypes_of_none():
    """Where nothing is known of the rest, a text must share a subject with a label to be its."""
    topics = Prototypes.of(np.eye(3)[:2], np.array([100.0, 100.0]), np.array([0, 1]))
    far, close = topics.nearness(np.array([[0.1, 0.1, 0.99], [0.9, 0.1, 0.4]], np.float32), 2)
    assert (far < 0).all()
    assert close[0] > 0


def test_a_text_near_a_topic_is_its_labels_although_the_plane_says_otherwise():
    """The prototypes outweigh the linear part where a topic is near."""
    text = np.array([[0, 0.6, 0.8]], np.float32)
    flat = make(weight=np.array([[0, 0, 1], [0, 0, 0]], np.float32), bias=np.zeros(2, np.float32))
    assert flat.probabilities(text)[0].argmax() == 0
    assert replace(flat, prototypes=near()).probabilities(text)[0].argmax() == 1


@pytest.mark.parametrize(
    "broken",
    [
        near(owners=(0, 0, NONE)),
        near(owners=(0, 1, 2)),
        near(owners=(0, 1, -2)),
        near(scales=np.array([1, np.nan, 1], np.float32)),
        near(counts=np.array([1, 0, 1], np.float32)),
        near(counts=np.ones(2, np.float32)),
        near(directions=np.zeros((3, 4), np.int8)),
    ],
    ids=["a label without", "an owner too many", "no such owner", "no number", "no examples", "too short", "too wide"],
)
def test_prototypes_that_do_not_fit(broken):
    """Prototypes that belong to another head, or hold what is no number, never make a head."""
    with pytest.raises(ModelError, match="does not fit together"):
        make(prototypes=broken)


def test_round_trip():
    """A head read back is the head that was written, to the bit."""
    head = make(labels=("droit 法", "math"))
    read = Head.from_bytes(head.to_bytes())
    assert (read.labels, read.temperature, read.inputs, read.threshold) == (head.labels, 0.5, "a" * 64, 0.4)
    assert np.array_equal(read.weight, head.weight)
    assert np.array_equal(read.bias, head.bias)
    assert read.to_bytes() == head.to_bytes()


def test_equal_values_equal_bytes():
    """The bytes depend on the values alone, not on memory layout."""
    turned = np.asfortranarray(make().weight)
    assert make(weight=turned).to_bytes() == make().to_bytes()
    assert make(temperature=0.25).to_bytes() != make().to_bytes()


def test_is_plain_safetensors(tmp_path):
    """Any safetensors reader opens the file and finds labels, inputs and algorithm in its metadata."""
    path = tmp_path / "head.safetensors"
    path.write_bytes(make().to_bytes())
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        assert np.array_equal(file.get_tensor("weight"), make().weight)
    assert json.loads(metadata["labels"]) == ["law", "math"]
    assert metadata["inputs"] == "a" * 64
    assert metadata["algorithm"] == ALGORITHM


def test_probabilities():
    """Softmax of the scaled logits beside a rest of logit zero."""
    rows = make().probabilities(np.array([[1, 1, 0], [0, 0, 1]], np.float32))
    first = np.exp([2.0, 2.0, 0.0]) / np.exp([2.0, 2.0, 0.0]).sum()
    second = np.exp([0.0, -2.0, 0.0]) / np.exp([0.0, -2.0, 0.0]).sum()
    assert np.allclose(rows, [first[:2], second[:2]])
    assert rows.dtype == np.float32
    assert (rows.sum(axis=1) < 1).all()


def test_huge_logits_do_not_overflow():
    """However sure a head is, probabilities stay numbers."""
    head = make(weight=np.array([[1e6, 0, 0], [-1e6, 0, 0]], np.float32), temperature=1e-3)
    rows = head.probabilities(np.array([[1, 0, 0], [-1, 0, 0]], np.float32))
    assert np.allclose(rows, [[1, 0], [0, 1]])


def test_one_label():
    """A head of one label can say no."""
    head = make(labels=("math",), weight=np.array([[4, 0, 0]], np.float32), bias=np.array([-1], np.float32))
    rows = head.probabilities(np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    assert rows[0, 0] > 0.9
    assert rows[1, 0] < 0.2


def test_other_dimension_refused():
    """Embeddings of another encoder are refused, with both sizes."""
    with pytest.raises(ModelError, match="takes embeddings of 3 numbers, the encoder gives 4"):
        make().probabilities(np.zeros((1, 4), np.float32))


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ()},
        {"labels": ("math", "math")},
        {"labels": ("math",)},
        {"weight": np.zeros(3, np.float32)},
        {"weight": np.full((2, 3), np.nan, np.float32)},
        {"bias": np.array([np.inf, 0], np.float32)},
        {"bias": np.zeros(3, np.float32)},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"threshold": 1.5},
    ],
    ids=lambda changes: str(next(iter(changes))),
)
def test_unsound_heads_refused(changes):
    """Shapes that do not match and numbers that are none never make a head."""
    with pytest.raises(ModelError, match="does not fit together"):
        make(**changes)


def test_frozen():
    """A head cannot be changed."""
    with pytest.raises(AttributeError):
        make().temperature = 2.0


@pytest.mark.parametrize("cut", [0, 4, 8, 40, -1])
def test_cut_off_file(cut):
    """A file of which a part is missing is an error, wherever it was cut."""
    with pytest.raises(ModelError, match=r"cut off|damaged"):
        Head.from_bytes(make().to_bytes()[:cut])


@pytest.mark.parametrize(
    "data",
    [
        b"no head at all, but long enough",
        (8).to_bytes(8, "little") + b"[1, 2, 3",
        (8).to_bytes(8, "little") + b'{"a": 1}',
        (1 << 60).to_bytes(8, "little") + b"{}",
        save({"weight": np.zeros((1, 2), np.float32)}),
        save({"weight": np.zeros((1, 2), np.float32)}, metadata={"algorithm": ALGORITHM}),
        pack(
            {"algorithm": ALGORITHM, "labels": "[", "temperature": "1", "threshold": "0"},
            {"bias": ("F32", (1,), b"\0" * 4)},
        ),
    ],
    ids=["text", "array", "no metadata", "huge header", "foreign", "no labels", "no weight"],
)
def test_not_a_head(data):
    """What is not a head is a clear error, never another exception."""
    with pytest.raises(ModelError, match="compile the policy again"):
        Head.from_bytes(data)


def test_bytes_after_the_end():
    """A file with something appended is refused."""
    with pytest.raises(ModelError, match="cut off"):
        Head.from_bytes(make().to_bytes() + b"\0")


def test_other_algorithm():
    """A head whose numbers mean something else is refused, with its kind."""
    data = make().to_bytes().replace(ALGORITHM.encode(), b"softmax-none-9")
    with pytest.raises(ModelError, match=r"softmax-none-9.*same release"):
        Head.from_bytes(data)


def test_metadata_needs_no_numbers():
    """The metadata alone says what the head was trained from."""
    assert head_metadata(make().to_bytes())["inputs"] == "a" * 64


def test_a_head_of_the_middle_layer_is_another_kind_of_file():
    """A release that only knows the last layer refuses it instead of answering wrongly."""
    data = replace(make(), layer="middle").to_bytes()
    assert Head.from_bytes(data).layer == "middle"
    assert head_metadata(data)["algorithm"] != ALGORITHM
    assert Head.from_bytes(make().to_bytes()).layer == "last"


def pooled(**changes) -> Head:
    """A head of two labels that attends to tokens of two numbers by two queries."""
    weight = np.array([[1, 0, 0, 0.5], [0, 2, -1, 0]], np.float32)
    return make(weight=weight, layer=AttentionPooling(np.array([[1, 0], [-0.25, 3]], np.float32)), **changes)


def test_a_head_that_attends_to_tokens_round_trip(tmp_path):
    """Read back, it is the same to the bit, in half the space; it pools as the one that was written."""
    data = pooled().to_bytes()
    read = Head.from_bytes(data)
    assert read.to_bytes() == data
    assert isinstance(read.layer, AttentionPooling)
    assert read.layer.key == pooled().layer.key
    assert read.layer.queries.dtype == read.weight.dtype == np.float32
    assert np.array_equal(read.weight, pooled().weight)
    path = tmp_path / "head.safetensors"
    path.write_bytes(data)
    with safe_open(path, framework="np") as file:
        assert {file.get_tensor(name).dtype for name in ("queries", "weight")} == {np.dtype(np.float16)}
        assert file.get_tensor("bias").dtype == np.float32


def test_an_older_release_refuses_a_head_that_attends_to_tokens():
    """The file is of a kind that it does not know, so it never takes the mean for what the queries find."""
    kinds = [
        head_metadata(head.to_bytes())["algorithm"] for head in (make(), replace(make(), layer="middle"), pooled())
    ]
    assert kinds == [ALGORITHM, MIDDLE_ALGORITHM, ATTENTION_ALGORITHM]
    assert len(set(kinds)) == 3
    with pytest.raises(ModelError, match=f"{ATTENTION_ALGORITHM}.*same release"):
        file_metadata(pooled().to_bytes(), ALGORITHM, "classifier head", MIDDLE_ALGORITHM)


@pytest.mark.parametrize(
    "queries", [np.zeros((1, 2)), np.zeros((3, 2)), np.zeros((2, 3))], ids=lambda one: str(one.shape)
)
def test_a_weight_that_does_not_fit_the_queries_is_an_error(queries):
    """Each label has a number for each number of what each query finds."""
    with pytest.raises(ModelError, match="does not fit together"):
        replace(pooled(), layer=AttentionPooling(queries.astype(np.float32)))


def attention_file(**changes) -> bytes:
    """The file of a head that attends to tokens, with other tensors; None leaves one out."""
    arrays = {"bias": pooled().bias, "queries": pooled().layer.queries, "weight": pooled().weight} | changes
    tensors = {name: tensor(np.asarray(array, np.float32)) for name, array in arrays.items() if array is not None}
    return pack(head_metadata(pooled().to_bytes()), tensors)


def test_a_file_with_other_tensors_is_read_in_full_precision():
    """The cases below differ from it in one thing each."""
    assert Head.from_bytes(attention_file()).to_bytes() == pooled().to_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"queries": None},
        {"queries": np.zeros(4)},
        {"queries": np.zeros((1, 2))},
        {"queries": np.zeros((0, 2))},
        {"queries": np.full((2, 2), np.inf)},
        {"weight": np.zeros((2, 2))},
        {"weight": np.full((2, 4), np.nan)},
    ],
    ids=["no queries", "a row", "too few", "none", "infinite", "a weight of tokens", "no numbers"],
)
def test_a_damaged_head_that_attends_to_tokens(changes):
    """Never another exception, and never a head that answers."""
    with pytest.raises(ModelError, match="compile the policy again"):
        Head.from_bytes(attention_file(**changes))


@pytest.mark.parametrize("cut", [40, 200, -40, -1])
def test_a_cut_off_head_that_attends_to_tokens(cut):
    """Wherever it was cut."""
    with pytest.raises(ModelError, match=r"cut off|damaged"):
        Head.from_bytes(pooled().to_bytes()[:cut])
