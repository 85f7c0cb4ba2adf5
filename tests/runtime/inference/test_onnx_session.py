from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from vsr_runtime.inference import bert_onnx, encoder_files, onnx_session
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import EncoderFiles
from vsr_runtime.inference.errors import ModelError

PROMPT = ["What is the derivative of f(x) = x^3?"]


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache of onnx_session."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("VSR_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def builds(monkeypatch):
    """Counts how often a graph is built."""
    made = []
    original = bert_onnx.build

    def counted(weights, architecture, pooling):
        made.append(weights)
        return original(weights, architecture, pooling)

    monkeypatch.setattr(bert_onnx, "build", counted)
    return made


def test_built_once(files, cache, builds):
    """The second start takes the graph from the cache and gives the same bits."""
    first = SentenceEncoder.load(files, "fp32").embed(PROMPT)
    second = SentenceEncoder.load(files, "fp32").embed(PROMPT)
    assert len(builds) == 1
    assert np.array_equal(first, second)
    (graph,) = cache.iterdir()
    assert graph.name.startswith(files.sha256)
    assert stat.S_IMODE(cache.stat().st_mode) & 0o077 == 0


def test_damaged_graph_is_built_again(files, cache, builds):
    """A graph cut off in the cache is replaced, not served and not an error."""
    wanted = SentenceEncoder.load(files, "fp32").embed(PROMPT)
    (graph,) = cache.iterdir()
    whole = graph.read_bytes()
    graph.write_bytes(whole[: len(whole) // 2])
    assert np.array_equal(SentenceEncoder.load(files, "fp32").embed(PROMPT), wanted)
    assert len(builds) == 2
    assert graph.read_bytes() == whole


def test_without_a_cache(files, monkeypatch, tmp_path):
    """Where the cache cannot be written the graph is built in memory."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert SentenceEncoder.load(files, "fp32").embed(PROMPT).shape == (1, 384)


def test_failed_write_leaves_nothing(cache, monkeypatch):
    """A graph that cannot be written whole leaves no file behind."""

    def full(_self, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    onnx_session._keep(cache / "graph.onnx", b"data")
    assert list(cache.iterdir()) == []


def test_names_tell_graphs_apart(files):
    """Precision, architecture, weights and the quantiser's release each change the file's name."""
    shape = bert_onnx.read_architecture(files.config)
    other = bert_onnx.Architecture(shape.hidden, shape.heads * 2, shape.layers, shape.positions, shape.epsilon)
    elsewhere = EncoderFiles(files.repo, files.folder, "0" * 64)
    names = {
        onnx_session.graph_name(files, shape, "fp32"),
        onnx_session.graph_name(files, shape, "int8"),
        onnx_session.graph_name(files, other, "fp32"),
        onnx_session.graph_name(elsewhere, shape, "fp32"),
    }
    assert len(names) == 4


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"VSR_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/vsr-compile"),
        ({"HOME": "/c"}, "/c/.cache/vsr-compile"),
    ],
)
def test_cache_folder(monkeypatch, variables, wanted):
    """Our own variable counts first, then the XDG folder, then the home folder."""
    for name in ("VSR_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert encoder_files.cache_folder() == Path(wanted)


def test_quantising_is_quiet(files, cache, capfd, caplog):
    """Quantising prints nothing and logs nothing, and the result is a quarter of the size."""
    SentenceEncoder.load(files, "int8")
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
    assert not caplog.records
    (graph,) = cache.iterdir()
    assert graph.stat().st_size < 0.3 * files.weights.stat().st_size


def test_quantising_needs_a_temporary_folder(files, cache, monkeypatch):
    """Without a writable temporary folder the message says so."""
    assert not cache.exists()
    shape = bert_onnx.read_architecture(files.config)
    model = bert_onnx.build(files.weights, shape)
    monkeypatch.setattr("tempfile.tempdir", os.fspath(cache / "missing"))
    with pytest.raises(ModelError, match="writable temporary folder"):
        onnx_session._quantise(model)


def test_weights_of_another_shape(files, tmp_path, monkeypatch):
    """A config that does not belong to the weights is an error of ours, not onnxruntime's."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in (files.weights, files.tokenizer):
        shutil.copy(path, folder)
    (folder / "config.json").write_text(files.config.read_text().replace('"hidden_size": 384', '"hidden_size": 96'))
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ModelError):
        SentenceEncoder.load(EncoderFiles(files.repo, folder, files.sha256), "fp32").embed(PROMPT)
