"""Builds the ONNX graph of a BERT-family sentence encoder from its safetensors weights, without torch.

The graph takes one sequence, ``ids`` of shape ``[1, tokens]`` (int64), never padded, and gives ``embedding`` of shape
``[1, hidden]`` (float32): the mean of the last layer's tokens, or its first one, scaled to length one. It equals
transformers' model with sentence-transformers' pooling and normalisation. A second output, ``middle``, is the mean of
the tokens of the layer in the middle: the last layer says what a text is about, the middle one also how it is put, such
as an order to the reader. A third one, ``tokens`` of shape ``[1, tokens, hidden]``, is that layer itself, for heads
that choose among its tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vsr_runtime.inference.errors import ModelError, classify_extra

with classify_extra():
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

Pooling = Literal["mean", "cls"]
VERSION = 3  # of the graph; raise it with every change that could move a bit of the output

_OPSET, _IR = 20, 9
_Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers of a BERT-family ``config.json`` that the graph depends on."""

    hidden: int
    heads: int
    layers: int
    positions: int
    epsilon: float


def read_architecture(path: Path) -> Architecture:
    """Read ``config.json``.

    Raises:
        ModelError: It cannot be read, or is of a family or variant that the graph does not support.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        found = Architecture(
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            layers=config["num_hidden_layers"],
            positions=config["max_position_embeddings"],
            epsilon=config["layer_norm_eps"],
        )
        variant = (config["model_type"], config["hidden_act"], config.get("position_embedding_type", "absolute"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not the config of a BERT model ({error!r}); fetch the model again") from error
    if variant != ("bert", "gelu", "absolute"):
        raise ModelError(f"{path} describes a model of the kind {variant}; use a BERT encoder with gelu")
    return found


def build(weights: Path, architecture: Architecture, pooling: Pooling = "mean") -> onnx.ModelProto:
    """Build the fp32 graph.

    Raises:
        ModelError: The weights cannot be read or do not match the architecture.
    """
    try:
        tensors = {name.removeprefix("bert."): tensor for name, tensor in load_file(weights).items()}
        return _Graph(tensors, architecture, pooling).model()
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"{weights} does not hold a BERT encoder ({error!r}); fetch the model again") from error


class _Graph:
    """A graph under construction: each method adds nodes and returns the name of their output."""

    def __init__(self, tensors: Mapping[str, _Array], architecture: Architecture, pooling: Pooling) -> None:
        self._tensors = tensors
        self._pooling = pooling
        self._arch = architecture
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        layers = [self._embeddings()]
        for layer in range(self._arch.layers):
            layers.append(self._layer(layers[-1], f"encoder.layer.{layer}."))
        if self._pooling == "cls":
            pooled = self._op("Gather", layers[-1], self._constant(0), axis=1)
        else:
            pooled = self._mean(layers[-1])
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])
        middle = layers[self._arch.layers // 2]
        out = [self._output(pooled, "embedding"), self._output(self._mean(middle), "middle"), self._tokens(middle)]
        graph = helper.make_graph(self._nodes, "sentence-encoder", [ids], out, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)

    def _mean(self, layer: str) -> str:
        return self._op("ReduceMean", layer, self._constant([1]), keepdims=0)

    def _output(self, pooled: str, name: str) -> onnx.ValueInfoProto:
        self._nodes.append(helper.make_node("LpNormalization", [pooled], [name], p=2, axis=-1))
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, self._arch.hidden])

    def _tokens(self, layer: str) -> onnx.ValueInfoProto:
        self._nodes.append(helper.make_node("Identity", [layer], ["tokens"]))
        return helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "tokens", self._arch.hidden])

    def _embeddings(self) -> str:
        words = self._op("Gather", self._weight("embeddings.word_embeddings.weight"), "ids")
        length = self._op("Shape", "ids", start=1)
        table = self._weight("embeddings.position_embeddings.weight")
        positions = self._op("Slice", table, self._constant([0]), length, self._constant([0]))
        kind = self._float(self._tensors["embeddings.token_type_embeddings.weight"][0])
        total = self._op("Add", self._op("Add", words, positions), kind)
        return self._norm(total, "embeddings.LayerNorm")

    def _layer(self, x: str, prefix: str) -> str:
        context = self._attention(x, prefix + "attention.self.")
        attended = self._dense(context, prefix + "attention.output.dense")
        x = self._norm(self._op("Add", attended, x), prefix + "attention.output.LayerNorm")
        inner = self._op("Gelu", self._dense(x, prefix + "intermediate.dense"))
        outer = self._dense(inner, prefix + "output.dense")
        return self._norm(self._op("Add", outer, x), prefix + "output.LayerNorm")

    def _attention(self, x: str, prefix: str) -> str:
        size = self._arch.hidden // self._arch.heads
        split = self._constant([0, 0, self._arch.heads, size])
        query, key, value = (
            self._op("Transpose", self._op("Reshape", self._dense(x, prefix + name), split), perm=perm)
            for name, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scores = self._op("Mul", self._op("MatMul", query, key), self._float(size**-0.5))
        mixed = self._op("MatMul", self._op("Softmax", scores, axis=-1), value)
        joined = self._constant([0, 0, self._arch.hidden])
        return self._op("Reshape", self._op("Transpose", mixed, perm=[0, 2, 1, 3]), joined)

    def _dense(self, x: str, prefix: str) -> str:
        product = self._op("MatMul", x, self._float(self._tensors[prefix + ".weight"].T))
        return self._op("Add", product, self._weight(prefix + ".bias"))

    def _norm(self, x: str, prefix: str) -> str:
        scale, shift = self._weight(prefix + ".weight"), self._weight(prefix + ".bias")
        return self._op("LayerNormalization", x, scale, shift, epsilon=self._arch.epsilon, axis=-1)

    def _weight(self, name: str) -> str:
        return self._float(self._tensors[name])

    def _float(self, value: _Array | float) -> str:
        return self._store(np.ascontiguousarray(value, dtype=np.float32).reshape(np.shape(value)))

    def _constant(self, value: int | list[int]) -> str:
        return self._store(np.array(value, dtype=np.int64))

    def _store(self, value: _Array) -> str:
        self._constants.append(numpy_helper.from_array(value, f"c{len(self._constants)}"))
        return str(self._constants[-1].name)

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 - numbers, lists and more
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
