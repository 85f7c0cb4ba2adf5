from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from vsr_runtime.inference.bert_onnx import Architecture, build, read_architecture
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.errors import ModelError

TEXTS = (
    "2+2 is ",
    "What is the derivative of f(x) = x^3?",
    "Linux is said to be an open source kernel because ",
    "Größe, naïve café, 日本語 and emoji 🙂 in one line",
    "",
    "Explain how a cell turns sugar into energy, and why it needs oxygen for that. " * 40,
)


def test_equals_transformers(files, exact_encoder):
    """The fp32 graph gives transformers' mean-pooled, normalised embeddings to 1e-5, also of long and odd texts."""
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: the graph cannot be held against transformers'"
    )
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizer = transformers.AutoTokenizer.from_pretrained(files.folder, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(files.folder, local_files_only=True).eval()
    wanted, half_way = [], []
    with torch.no_grad():
        for text in TEXTS:
            whole, half = tokenizer(text)["input_ids"], exact_encoder.max_tokens // 2
            ids = whole if len(whole) <= 2 * half else [*whole[:half], *whole[-half:]]
            assert ids == exact_encoder.token_ids(text)
            layers = model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
            for rows, layer in ((wanted, layers[-1]), (half_way, layers[len(layers) // 2])):
                rows.append(torch.nn.functional.normalize(layer.mean(dim=1), dim=1)[0].numpy())
    assert np.abs(exact_encoder.embed(TEXTS, "middle") - np.stack(half_way)).max() < 1e-5
    assert np.abs(exact_encoder.embed(TEXTS) - np.stack(wanted)).max() < 1e-5


def test_graph_is_valid(files):
    """The graph passes onnx's own checker and takes one sequence of any length."""
    model = build(files.weights, read_architecture(files.config))
    onnx.checker.check_model(model, full_check=True)
    shape = [dim.dim_value or dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, "tokens"]


def test_prefixed_half_precision_weights(files, tmp_path, exact_encoder):
    """Weights saved under ``bert.`` and in half precision give the same embeddings within that precision."""
    halves = {
        f"bert.{name}": value.astype(np.float16) for name, value in load_file(files.weights).items() if value.ndim
    }
    save_file({k: v for k, v in halves.items() if "position_ids" not in k}, tmp_path / "model.safetensors")
    model = build(tmp_path / "model.safetensors", read_architecture(files.config))
    other = SentenceEncoder(exact_encoder._tokenizer, _session(model), exact_encoder.max_tokens)
    assert np.abs(other.embed(TEXTS[:2]) - exact_encoder.embed(TEXTS[:2])).max() < 5e-3


def _session(model):
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "max_position_embeddings": 16,
    "layer_norm_eps": 1e-12,
}


def config(folder, **changes):
    """A config file with some values changed; None takes a key away."""
    path = folder / "config.json"
    path.write_text(json.dumps({key: value for key, value in (CONFIG | changes).items() if value is not None}))
    return path


def test_reads_architecture(tmp_path):
    """The numbers of the config come through."""
    assert read_architecture(config(tmp_path)) == Architecture(8, 2, 1, 16, 1e-12)


@pytest.mark.parametrize(
    "changes",
    [{"model_type": "roberta"}, {"hidden_act": "relu"}, {"position_embedding_type": "relative_key"}],
    ids=str,
)
def test_other_families_refused(tmp_path, changes):
    """A model that the graph would get wrong is refused, with what it is."""
    with pytest.raises(ModelError, match=f"of the kind .*{next(iter(changes.values()))}"):
        read_architecture(config(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model_type": "bert"}'])
def test_broken_config(tmp_path, text):
    """A config that cannot be read is an error that names the file."""
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"config\.json is not the config"):
        read_architecture(path)


def test_broken_weights(tmp_path):
    """Weights that are no safetensors, or lack a tensor, are an error that names the file."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(ModelError, match=r"model\.safetensors does not hold"):
        build(path, read_architecture(config(tmp_path)))
    save_file({"embeddings.word_embeddings.weight": np.zeros((4, 8), np.float32)}, path)
    with pytest.raises(ModelError, match="position_embeddings"):
        build(path, read_architecture(config(tmp_path)))
