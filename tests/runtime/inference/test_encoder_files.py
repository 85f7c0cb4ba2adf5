from __future__ import annotations

import hashlib
import importlib.machinery
import sys

import pytest

from vsr_runtime.inference import encoder_files
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, KnownEncoder, file_sha256, find_encoder
from vsr_runtime.inference.errors import ModelError

REPO = "example/tiny-encoder"
WEIGHTS = b"weights"
SHA = hashlib.sha256(WEIGHTS).hexdigest()


def put(folder, weights: bytes = WEIGHTS, tokenizer: bytes = b"{}", without: str = ""):
    """A folder with an encoder's files."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"model.safetensors": weights, "tokenizer.json": tokenizer, "config.json": b"{}"}
    for name, data in content.items():
        if name != without:
            (folder / name).write_bytes(data)
    return folder


def snapshot(cache, revision: str, **content):
    """A snapshot in a Hugging Face cache."""
    return put(cache / "models--example--tiny-encoder" / "snapshots" / revision, **content)


@pytest.mark.parametrize("place", ["example/tiny-encoder", "tiny-encoder"])
def test_own_folder(empty_machine, monkeypatch, place):
    """A folder of VSR_MODELS may hold the encoder under its full or its short name."""
    folder = put(empty_machine / "models" / place)
    monkeypatch.setenv("VSR_MODELS", f"/nowhere:{empty_machine / 'models'}")
    found = find_encoder(REPO, SHA)
    assert (found.folder, found.sha256) == (folder, SHA)
    assert found.weights.read_bytes() == WEIGHTS


def test_own_folder_comes_first(empty_machine, monkeypatch):
    """VSR_MODELS is asked before the Hugging Face cache."""
    mine = put(empty_machine / "models" / REPO)
    snapshot(empty_machine / "hub", "a")
    monkeypatch.setenv("VSR_MODELS", str(empty_machine / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(empty_machine / "hub"))
    assert find_encoder(REPO, SHA).folder == mine


@pytest.mark.parametrize(
    ("variable", "value", "hub"),
    [("HF_HUB_CACHE", "a", "a"), ("HF_HOME", "b", "b/hub"), ("XDG_CACHE_HOME", "c", "c/huggingface/hub")],
)
def test_hub_cache(empty_machine, monkeypatch, variable, value, hub):
    """The Hugging Face cache is found wherever its own variables put it."""
    folder = snapshot(empty_machine / hub, "0123")
    monkeypatch.setenv(variable, str(empty_machine / value))
    assert find_encoder(REPO, SHA).folder == folder


def test_main_snapshot_first(empty_machine, monkeypatch):
    """Of several snapshots the one that main points at is taken."""
    hub = empty_machine / "hub"
    snapshot(hub, "aaaa")
    wanted = snapshot(hub, "bbbb")
    (hub / "models--example--tiny-encoder" / "refs").mkdir()
    (hub / "models--example--tiny-encoder" / "refs" / "main").write_text("bbbb\n")
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    assert find_encoder(REPO, SHA).folder == wanted


def test_passes_over_other_weights(empty_machine, monkeypatch):
    """A snapshot of another revision does not hide the right one."""
    hub = empty_machine / "hub"
    snapshot(hub, "aaaa", weights=b"older")
    wanted = snapshot(hub, "bbbb")
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    assert find_encoder(REPO, SHA).folder == wanted


def test_other_weights_refused(empty_machine, monkeypatch):
    """Weights with another sha256 are refused, with the file and both hashes named."""
    folder = put(empty_machine / REPO, weights=b"tampered")
    monkeypatch.setenv("VSR_MODELS", str(empty_machine))
    with pytest.raises(ModelError) as caught:
        find_encoder(REPO, SHA)
    message = str(caught.value)
    assert str(folder / "model.safetensors") in message
    assert SHA in message
    assert hashlib.sha256(b"tampered").hexdigest() in message


def test_other_tokenizer_refused(empty_machine, monkeypatch):
    """For a known encoder the tokenizer's bytes are vouched for as well."""
    monkeypatch.setitem(KNOWN, REPO, KnownEncoder(weights=SHA, tokenizer=hashlib.sha256(b"right").hexdigest()))
    monkeypatch.setenv("VSR_MODELS", str(empty_machine))
    folder = put(empty_machine / REPO, tokenizer=b"wrong")
    with pytest.raises(ModelError, match=r"tokenizer\.json has sha256"):
        find_encoder(REPO, SHA)
    put(folder, tokenizer=b"right")
    assert find_encoder(REPO, SHA).folder == folder


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json", "config.json"])
def test_missing_file_named(empty_machine, monkeypatch, missing):
    """A folder that lacks a file is refused, and the file named."""
    put(empty_machine / REPO, without=missing)
    monkeypatch.setenv("VSR_MODELS", str(empty_machine))
    with pytest.raises(ModelError, match=f"{missing} does not exist"):
        find_encoder(REPO, SHA)


@pytest.mark.usefixtures("empty_machine")
def test_not_there_says_what_to_do():
    """Without the encoder the message names the ways to get it; nothing is downloaded."""
    with pytest.raises(ModelError) as caught:
        find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    message = str(caught.value)
    assert "VSR_MODELS" in message
    assert "run `vsr-compile fetch-encoder`" in message


@pytest.mark.parametrize("name", ["", "..", "../etc", "a/../b", "/etc", "a/b/c", "a\nb"])
def test_only_repository_names(name):
    """A name that could lead outside the model folders is refused."""
    with pytest.raises(ModelError, match="write it as org/name"):
        find_encoder(name, SHA)


def test_carrier_package_is_not_imported(empty_machine, monkeypatch):
    """The package that carries the files is found without importing it."""
    monkeypatch.setitem(
        KNOWN, REPO, KnownEncoder(weights=SHA, tokenizer=hashlib.sha256(b"{}").hexdigest(), package="gt")
    )
    folder = put(empty_machine / "gt" / "model")
    (empty_machine / "gt" / "__init__.py").write_text("raise RuntimeError('imported')")
    spec = importlib.machinery.ModuleSpec("gt", None, is_package=True)
    spec.submodule_search_locations = [str(empty_machine / "gt")]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec if name == "gt" else None)
    assert find_encoder(REPO, SHA).folder == folder
    assert "gt" not in sys.modules


def test_hash_follows_a_change(tmp_path):
    """The remembered hash of a file is not used once the file has changed."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    first = file_sha256(file)
    assert file_sha256(file) == first
    file.write_bytes(b"three")
    assert file_sha256(file) == hashlib.sha256(b"three").hexdigest()


def test_hash_read_once(tmp_path):
    """A file that stands still is read once a process."""
    encoder_files._digest.cache_clear()
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    for _ in range(3):
        file_sha256(file)
    assert encoder_files._digest.cache_info().misses == 1
