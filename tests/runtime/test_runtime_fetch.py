from __future__ import annotations

import json
import sys
import types

import pytest

from vsr_runtime.errors import UserError
from vsr_runtime.fetch import FILES, fetch

REVISION = "a" * 40
GOOD = {"config.json": "{}", "tokenizer.json": "{}", "model.safetensors": ""}


@pytest.fixture
def hub(monkeypatch):
    """Stands in for the hub's client: writes `files`, or raises what it is given, and remembers what was asked."""
    found = types.SimpleNamespace(files=dict(GOOD), error=None, asked=[])

    def snapshot_download(repo, *, revision, local_dir, allow_patterns):
        found.asked.append((repo, revision, allow_patterns))
        if found.error:
            raise found.error
        for name, text in found.files.items():
            (local_dir / name).write_text(text)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=snapshot_download))
    return found


def test_a_checkpoint_comes_to_its_revision_and_is_not_fetched_twice(hub, tmp_path):
    """It lies where `serve` looks for it, whole, with nothing beside it."""
    fetch(tmp_path, f"org/name@{REVISION}")
    fetch(tmp_path, f"org/name@{REVISION}")
    assert sorted(path.name for path in (tmp_path / "org/name" / REVISION).iterdir()) == sorted(GOOD)
    assert [path.name for path in (tmp_path / "org/name").iterdir()] == [REVISION]
    assert hub.asked == [("org/name", REVISION, list(FILES))]


def test_only_what_is_read_is_asked_for():
    """No pickled weights, no code."""
    assert not [pattern for pattern in FILES if pattern.endswith((".bin", ".py", ".pt", "*"))]


@pytest.mark.parametrize(
    "pinned", ["org/name", "org/name@main", f"name@{REVISION}", f"../x@{REVISION}", f"a/b/c@{REVISION}"]
)
def test_only_pinned_checkpoints_are_fetched(hub, tmp_path, pinned):
    """A branch could move."""
    with pytest.raises(UserError, match="is not a pinned checkpoint"):
        fetch(tmp_path, pinned)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"config.json": "{}", "tokenizer.json": "{}"}, "has no safetensors"),
        ({"config.json": "{}", "model.safetensors": ""}, r"has no tokenizer\.json"),
        ({**GOOD, "config.json": json.dumps({"auto_map": {}})}, "its own code"),
    ],
)
def test_what_the_runtime_would_refuse_is_not_kept(hub, tmp_path, files, says):
    """A pod does not start on it, and the next try starts over."""
    hub.files = files
    with pytest.raises(UserError, match=says):
        fetch(tmp_path, f"org/name@{REVISION}")
    assert list((tmp_path / "org/name").iterdir()) == []


def test_a_failed_download_is_one_line(hub, tmp_path):
    """Whatever the client raises."""
    hub.error = ValueError("401 for this token")
    with pytest.raises(UserError, match="cannot be fetched: ValueError: 401"):
        fetch(tmp_path, f"org/name@{REVISION}")
