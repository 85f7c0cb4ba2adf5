"""Definitions that come with the package: complete by the lock, small, and used without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import support.schema_support as s
from support.common import call, reference
from vsr_compiler.verify.schema import Catalog, bundled, crd
from vsr_compiler.verify.schema.downloads import read_lock
from vsr_compiler.verify.stream import Budget

ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: prod}
spec: {parentRef: [{name: a}]}
"""


def test_every_release_of_the_lock_is_in_the_bundle_with_its_source() -> None:
    """The notice names address and sha256 of every file."""
    with zipfile.ZipFile(bundled.FILE) as archive:
        notice = archive.read(bundled.NOTICE).decode()
    for release in read_lock():
        for entry in release.entries:
            assert release.url.replace("{path}", entry.path) in notice
            assert entry.sha256 in notice
    assert bundled.FILE.stat().st_size < 1_000_000


def test_bundle_is_what_the_released_files_give(tmp_path: Path) -> None:
    """Byte for byte."""
    path = tmp_path / "crds.zip"
    bundled.write(reference() / "crds", reference() / "crds-newer", target=path)
    with zipfile.ZipFile(path) as fresh, zipfile.ZipFile(bundled.FILE) as stored:
        assert fresh.namelist() == stored.namelist()
        assert all(fresh.read(name) == stored.read(name) for name in fresh.namelist())


def test_manifest_of_a_stranger_is_checked_without_other_definitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fetched."""
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("VSR_CRDS", "")
    (tmp_path / "route.yaml").write_text(ROUTE, encoding="utf-8")
    result = call("verify", tmp_path / "route.yaml", "--no-envoy")
    assert "error VSR441" in result.stderr
    assert "Did you mean `parentRefs`?" in result.stderr


def test_required_release_of_the_bundle_is_used_and_otherwise_the_newest() -> None:
    """Releases that differ are not ambiguous."""
    catalog = Catalog((), with_bundle=True)
    group = "gateway.networking.k8s.io"
    old = catalog.find(group, "HTTPRoute", {"gateway-api": "1.2.0"})
    new = catalog.find(group, "HTTPRoute", {})
    assert old.document is not None
    assert new.document is not None
    assert old.document.release == "1.2.0"
    assert new.document.release > "1.5"
    assert new.experimental is not None


@pytest.mark.parametrize("kind", s.GOOD)
def test_bundled_definition_accepts_what_the_original_accepts(kind: str) -> None:
    """Removing descriptions changes no rule."""
    from vsr_compiler.verify.schema import check_schemas  # noqa: PLC0415 - one use
    from vsr_compiler.verify.stream import read_stream  # noqa: PLC0415 - as above

    manifests = read_stream(s.GOOD[kind].encode(), "m.yaml", Budget(), [])
    assert check_schemas(manifests, Catalog((), with_bundle=True), lambda _file: s.CURRENT) == []


def test_file_of_a_known_release_is_not_parsed_again(tmp_path: Path) -> None:
    """It is known by the sha256 of its bytes; a file with one more byte is parsed."""
    source = reference() / "crds" / "gateway-api-v1.5.1" / "standard" / "gateway.networking.k8s.io_httproutes.yaml"
    (tmp_path / "known.yaml").write_bytes(source.read_bytes())
    (tmp_path / "other.yaml").write_bytes(source.read_bytes() + b"\n")
    values = []
    for name in ("known.yaml", "other.yaml"):
        budget = Budget()
        (document,) = crd.scan(tmp_path / name, budget, [], bundled.parsed)
        assert {"v1", "v1beta1"} == set(document.versions["gateway.networking.k8s.io", "HTTPRoute"])
        values.append(Budget().values - budget.values)
    assert values[0] == 0 < values[1]
