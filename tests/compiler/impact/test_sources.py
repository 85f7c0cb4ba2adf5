from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from support.common import call
from support.object_store import object_store
from vsr_compiler.impact import reader
from vsr_compiler.impact.sources import TrafficError, identity, sources
from vsr_schemas.reports_impact import ImpactReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: demo}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models: {small: {endpoints: small}, large: {endpoints: large}}
signals: {code: {keywords: [python, rust]}}
routes: [{name: code, when: {signal: code}, model: large}]
default: small
"""
LINE = b'{"id": "%d", "prompt": "some rust"}\n'
KEYS = "s3://user:hidden@logs/"


def test_traffic_in_an_object_store_gives_the_report_of_local_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is all files below it, by name; keys in a URI stay out of the report."""
    monkeypatch.setattr(reader, "CHUNK_LINES", 2)
    (tmp_path / "old.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(POLICY.replace("[python, rust]", "[python]"), encoding="utf-8")
    lines = [LINE % number for number in range(9)]
    zipped = gzip.compress(b"".join(lines[:3]) + b"{broken\n")
    files = {"day/b.jsonl": b"".join(lines[3:8]), "day/a.jsonl.gz": zipped, "night.jsonl": lines[8]}
    names = []
    for name, data in sorted(files.items()):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        names += ["--traffic", str(path)]
    words = ["impact", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--jobs", "1", "--format", "json"]
    local = call(*words, *names).stdout
    with object_store(files) as query:
        stored = call(*words, "--traffic", f"{KEYS}day/{query}", "--traffic", f"{KEYS}night.jsonl{query}")
        assert stored.exit_code == 0, stored.stderr
        assert "hidden" not in stored.stdout + stored.stderr
        assert stored.stdout.replace("s3://logs/", f"{tmp_path}/") == local
    found = ImpactReport.model_validate_json(stored.stdout)
    assert (found.requests, found.changed.count, found.skipped[0].first) == (9, 9, "s3://logs/day/a.jsonl.gz:4")


@pytest.mark.parametrize("uri", ["s3://logs/none", "s3://logs/none/", "teleport://logs/day", "s3://"])
def test_a_uri_that_leads_nowhere_is_named_without_its_keys(uri: str) -> None:
    """Whether there is no such file, no such folder, or no such kind of store."""
    with object_store({"a": b""}) as query, pytest.raises(TrafficError) as error:
        sources([uri.replace("//", "//user:hidden@") + query])
    assert "hidden" not in str(error.value)
    assert "://" in str(error.value)


def test_a_changed_object_is_another_one() -> None:
    """A state file is of one content."""
    with object_store({"a": b"1"}) as query:
        (one,) = sources([f"s3://logs/a{query}"])
    with object_store({"a": b"22"}) as query:
        (other,) = sources([f"s3://logs/a{query}"])
    assert identity(one) != identity(other)


def test_reading_begins_at_any_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any file: what comes after is the same."""
    monkeypatch.setattr(reader, "CHUNK_LINES", 2)
    for name, count in (("a", 5), ("b", 1), ("c", 4)):
        (tmp_path / name).write_text("".join(f"{json.dumps(name + str(n))}\n" for n in range(count)), encoding="utf-8")
    files = sources(str(tmp_path / name) for name in "abc")
    whole = list(reader.chunks(files))
    assert [(one.file, one.number) for one in whole] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]
    for number, one in enumerate(whole):
        assert list(reader.chunks(files, (one.file, one.number))) == whole[number:]
    assert list(reader.chunks(files, (2, 2))) == []
    assert whole[-1].end == reader.total_bytes(files)
