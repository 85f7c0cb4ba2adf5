"""`vsr-compile package`: an OCI image layout with the output of a policy and its provenance."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from support.common import ROOT
from support.gitops_support import DEV, GITOPS, HERE, compiled, with_environments, written
from vsr_compiler import ir
from vsr_compiler.cli.main import command
from vsr_compiler.deploy.oci_layout import archive, gzipped
from vsr_compiler.manifests.lock import parse

NAME = "quickstart"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a compiled policy."""
    return Path(shutil.copytree(ROOT / "out" / NAME, tmp_path / "out" / NAME))


def package(folder: Path, output: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, ["package", str(folder), "-o", str(output), *arguments])


def tree(output: Path) -> dict[str, bytes]:
    """Return the files of a folder."""
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    """Return the blob of a descriptor after a check of its digest and size."""
    algorithm, _, value = descriptor["digest"].partition(":")
    content = files[f"blobs/{algorithm}/{value}"]
    assert hashlib.new(algorithm, content).hexdigest() == value
    assert len(content) == descriptor["size"]
    return content


def opened(output: Path) -> tuple[dict[str, bytes], dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Return the files of a layout, and by its index the manifests of the artifact and of what refers to it."""
    files = tree(output)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    artifact, *others = json.loads(files["index.json"])["manifests"]
    return files, artifact, json.loads(blob(files, artifact)), [json.loads(blob(files, item)) for item in others]


def test_the_layer_holds_every_file_of_the_lock_and_nothing_else(folder, tmp_path):
    """Files that somebody put beside the output are left out."""
    (folder / "notes.txt").write_text("secret")
    result = package(folder, tmp_path / "artifact", "--tag", "v1")
    assert result.exit_code == 0, result.output
    files, artifact, manifest, _ = opened(tmp_path / "artifact")
    assert artifact["annotations"] == {"org.opencontainers.image.ref.name": "v1"}
    assert artifact["digest"] in result.output
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(files, layer)))) as tar:
        unpacked = {item.name: tar.extractfile(item).read() for item in tar.getmembers()}
        assert {(item.uid, item.gid, item.mtime, item.mode) for item in tar.getmembers()} == {(0, 0, 0, 0o644)}
    lock = parse((folder / "vsr-compile.lock").read_bytes(), "lock")
    assert set(unpacked) == {*lock.files, "vsr-compile.lock"}
    assert all(unpacked[name] == (folder / name).read_bytes() for name in unpacked)
    assert blob(files, manifest["config"]) == b"{}"


def test_every_blob_is_referred_to(folder, tmp_path):
    """The layout has no blob that a copy to a registry would lose."""
    package(folder, tmp_path / "artifact")
    files, artifact, manifest, others = opened(tmp_path / "artifact")
    named = [artifact, manifest["config"], *manifest["layers"]]
    for other in others:
        named += [other["config"], *other["layers"]]
    index = json.loads(files["index.json"])["manifests"]
    blobs = {f"blobs/{item['digest'].replace(':', '/')}" for item in [*named, *index]}
    assert set(files) == blobs | {"oci-layout", "index.json"}


def test_equal_output_gives_equal_bytes(folder, tmp_path):
    """Times, permissions and the order of the disk leave no trace."""
    package(folder, tmp_path / "one")
    again = Path(shutil.copytree(folder, tmp_path / "elsewhere" / NAME))
    for path in again.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    package(again, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_provenance_says_what_was_compiled_from_what(folder, tmp_path):
    """The statement is about the artifact's digest, and a registry finds it as its referrer."""
    arguments = ("--source", "https://git.example.com/routing.git", "--revision", "main@sha1:0123")
    package(folder, tmp_path / "artifact", *arguments)
    files, artifact, manifest, (referrer,) = opened(tmp_path / "artifact")
    assert referrer["subject"]["digest"] == artifact["digest"]
    assert referrer["artifactType"] == "application/vnd.in-toto+json"
    statement = json.loads(blob(files, referrer["layers"][0]))
    lock = parse((folder / "vsr-compile.lock").read_bytes(), "lock")
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": NAME, "digest": {"sha256": artifact["digest"].split(":")[1]}}]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"][0]["digest"] == {"sha256": lock.policy_sha256}
    assert definition["internalParameters"]["releases"] == lock.tables
    assert definition["externalParameters"]["revision"] == "main@sha1:0123"
    assert manifest["annotations"]["org.opencontainers.image.source"] == "https://git.example.com/routing.git"


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_output_that_differs_from_its_lock_is_not_packaged(folder, tmp_path, change):
    """What nobody has compiled must not carry a compiler's provenance."""
    path = folder / "router" / "config.yaml"
    path.write_text("edited: true\n") if change == "edit" else path.unlink()
    result = package(folder, tmp_path / "artifact")
    assert result.exit_code == 1
    assert "VSR502" in result.output
    assert "router/config.yaml" in result.output
    assert not (tmp_path / "artifact").exists()


def test_a_link_out_of_the_output_is_not_followed(folder, tmp_path):
    """A link in the place of a file would put any file of the machine into the artifact."""
    path = folder / "router" / "config.yaml"
    content = path.read_bytes()
    path.unlink()
    (tmp_path / "outside").write_bytes(content)
    path.symlink_to(tmp_path / "outside")
    result = package(folder, tmp_path / "artifact")
    assert result.exit_code == 1
    assert "VSR50" in result.output
    assert not (tmp_path / "artifact").exists()


def test_a_layout_is_replaced_and_other_folders_are_kept(folder, tmp_path):
    """A second run leaves nothing of the first; somebody's folder is never removed."""
    package(folder, tmp_path / "artifact", "--tag", "v1")
    assert package(folder, tmp_path / "artifact", "--tag", "v2").exit_code == 0
    assert opened(tmp_path / "artifact")[1]["annotations"] == {"org.opencontainers.image.ref.name": "v2"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifact", "out"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "work.txt").write_text("a day's work")
    result = package(folder, mine)
    assert result.exit_code == 1
    assert "VSR501" in result.output
    assert tree(mine) == {"work.txt": b"a day's work"}


@pytest.mark.parametrize("tag", ["", ".hidden", "a b", "a/b", "x" * 129])
def test_a_tag_that_no_registry_accepts_is_refused(folder, tmp_path, tag):
    """The name would be refused at the push, after the artifact was made."""
    result = package(folder, tmp_path / "artifact", "--tag", tag)
    assert result.exit_code == 2
    assert not (tmp_path / "artifact").exists()


def test_a_folder_without_a_lock_is_refused(tmp_path):
    """Only output of the compiler is packaged."""
    result = package(tmp_path, tmp_path / "artifact")
    assert result.exit_code == 1
    assert "VSR500" in result.output


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_gzip_without_compression_is_gzip(size):
    """Blocks that are stored need no compressor, and every reader of gzip takes them."""
    data = bytes(number % 251 for number in range(size))
    assert gzip.decompress(gzipped(data)) == data


def test_names_as_long_as_kubernetes_allows_are_kept():
    """A namespace of 63 and a name of 253 characters make a path that the oldest form of tar cannot hold."""
    path = f"istio/base/{'n' * 63}/httproute-{'r' * 253}.yaml"
    with tarfile.open(fileobj=io.BytesIO(archive({path: b"{}"}))) as tar:
        assert tar.getnames() == [path]


ARGO_CD_LAYERS = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
"""Source: Argo CD 3.5.1, `docs/user-guide/oci.md`: one layer, by default of one of these types. Flux extracts the first
layer whatever its type, and needs gzip (source-controller 1.9.1, `docs/spec/v1/ocirepositories.md`)."""


def test_argo_cd_and_flux_find_their_paths_in_the_artifact(tmp_path):
    """The objects of a policy whose repository is the artifact itself."""
    gitops = replace(GITOPS, repo="oci://registry.example.com/small", revision="v1", flux=ir.Flux("flux", 60_000, HERE))
    environments = (DEV, replace(DEV, name="eu", cluster=ir.Cluster("eu", "https://eu.example.com", "eu", HERE)))
    folder = written(compiled(with_environments(*environments, gitops=gitops)), tmp_path / "out")
    assert package(folder, tmp_path / "artifact", "--tag", "v1").exit_code == 0
    files, _, manifest, _ = opened(tmp_path / "artifact")
    (layer,) = manifest["layers"]
    assert layer["mediaType"] in ARGO_CD_LAYERS
    with tarfile.open(fileobj=io.BytesIO(blob(files, layer)), mode="r:gz") as tar:
        names = set(tar.getnames())
        bodies = [YAML(typ="safe").load(tar.extractfile(name)) for name in names if name.startswith(("argocd", "flux"))]
    specs = [body["spec"] for body in bodies if "spec" in body]
    paths = {spec["source"]["path"] for spec in specs if "source" in spec} | {
        spec["path"] for spec in specs if "path" in spec
    }
    assert len(paths) == 4
    assert {f"{path.removeprefix('./')}/kustomization.yaml" for path in paths} <= names
    (source,) = {json.dumps([spec["url"], spec["ref"]]) for spec in specs if "url" in spec}
    assert json.loads(source) == ["oci://registry.example.com/small", {"tag": "v1"}]
