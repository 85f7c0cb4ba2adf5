"""Choice of definitions: order of places, releases by folder, profile or lock, and ambiguity."""

from __future__ import annotations

from pathlib import Path

from vsr_compiler.deploy.file_releases import releases_of_file
from vsr_compiler.verify.schema import Catalog
from vsr_compiler.verify.schema.crd import release_of_path


def crd(kind: str = "Thing", field: str = "a") -> str:
    """Return a definition with one field."""
    return (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec:\n"
        f"  group: example.com\n  names:\n    kind: {kind}\n    plural: things\n  versions:\n"
        f"  - name: v1\n    schema: {{openAPIV3Schema: {{type: object, properties: {{{field}: {{type: string}}}}}}}}\n"
    )


def write(root: Path, name: str, text: str) -> Path:
    """Write a file below a folder."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_required_release_is_used(tmp_path: Path) -> None:
    """The name of a folder has the release."""
    write(tmp_path, "prj-v1.0.0/x.yaml", crd(field="a"))
    write(tmp_path, "prj-v2.0.0/x.yaml", crd(field="b"))
    found = Catalog(((tmp_path,),)).find("example.com", "Thing", {"prj": "2.0.0"})
    assert found.document is not None
    assert (found.document.source, found.required_release) == ("prj 2.0.0", "")


def test_releases_that_differ_are_ambiguous_and_equal_ones_are_not(tmp_path: Path) -> None:
    """If no release is required, definitions that differ cannot be chosen from."""
    write(tmp_path, "prj-v1.0.0/x.yaml", crd())
    write(tmp_path, "prj-v2.0.0/x.yaml", crd())
    assert Catalog(((tmp_path,),)).find("example.com", "Thing", {}).document is not None
    write(tmp_path, "prj-v2.0.0/x.yaml", crd(field="b"))
    assert len(Catalog(((tmp_path,),)).find("example.com", "Thing", {}).alternatives) == 2
    one = Catalog(((tmp_path / "prj-v1.0.0",),)).find("example.com", "Thing", {})
    assert one.document is not None


def test_other_release_is_used_and_reported_if_the_required_one_is_missing(tmp_path: Path) -> None:
    """The finding names both releases."""
    write(tmp_path, "prj-v1.0.0/x.yaml", crd())
    found = Catalog(((tmp_path,),)).find("example.com", "Thing", {"prj": "3.0.0"})
    assert (found.document is not None, found.required_release) == (True, "prj 3.0.0")


def test_standard_channel_takes_precedence_over_the_experimental_one(tmp_path: Path) -> None:
    """The experimental one is used if its folder is named."""
    write(tmp_path, "prj-v1.0.0/standard/x.yaml", crd(field="a"))
    write(tmp_path, "prj-v1.0.0/experimental/x.yaml", crd(field="b"))
    found = Catalog(((tmp_path,),)).find("example.com", "Thing", {})
    assert found.document is not None
    assert found.document.channel == "standard"


def test_definitions_are_read_from_streams_lists_and_json(tmp_path: Path) -> None:
    """As in charts and in the output of `kubectl get crd -o yaml`."""
    write(tmp_path, "a.yaml", f"# first\n{crd('One')}---\nkind: Other\n---\n{crd('Two')}")
    indented = "".join(f"  {line}\n" for line in crd("Three").splitlines())
    write(tmp_path, "b.yaml", f"apiVersion: v1\nkind: List\nitems:\n-{indented[1:]}")
    write(
        tmp_path,
        "c.json",
        '{"kind": "CustomResourceDefinition", "spec": {"group": "example.com", "names": {"kind": "Four"}}}',
    )
    catalog = Catalog(((tmp_path,),))
    assert all(catalog.find("example.com", kind, {}).document for kind in ("One", "Two", "Three", "Four"))
    assert catalog.find("example.com", "Five", {}).document is None
    assert catalog.unreadable == []


def test_kind_is_taken_from_the_first_place_that_defines_it(tmp_path: Path) -> None:
    """The flag, then VSR_CRDS, then the cache."""
    write(tmp_path, "cache/crds/prj-v1.0.0/x.yaml", crd(field="c"))
    write(tmp_path, "env/x.yaml", crd(field="b"))
    write(tmp_path, "flag/y.yaml", crd("Other"))
    environment = {"VSR_CACHE_DIR": str(tmp_path / "cache"), "VSR_CRDS": f"{tmp_path / 'env'}:"}
    found = Catalog.of([tmp_path / "flag"], environment).find("example.com", "Thing", {})
    assert found.document is not None
    assert found.document.file == tmp_path / "env" / "x.yaml"
    cached = Catalog.of([], {"VSR_CACHE_DIR": str(tmp_path / "cache")}).find("example.com", "Thing", {})
    assert cached.document is not None


def test_release_is_that_of_the_nearest_parent_folder_below_the_root(tmp_path: Path) -> None:
    """Folders above the root do not count."""
    assert release_of_path(tmp_path / "a-v1.0.0" / "b-v2.1" / "x.yaml", tmp_path) == ("b", "2.1", "")
    assert release_of_path(tmp_path / "a-v1.0.0" / "b" / "x.yaml", tmp_path / "a-v1.0.0" / "b") == ("b", "", "")


def test_releases_of_output_are_those_of_its_lock(tmp_path: Path) -> None:
    """Other files, and output with a broken lock, have none."""
    lock = '{"files": {}, "policy": {"name": "x", "sha256": "%s"}, "tables": {"istio": "1.29.0"}, "tool": "1"}'
    write(tmp_path, "out/vsr-compile.lock", lock % ("0" * 64))
    assert releases_of_file(str(tmp_path / "out/istio/base/x.yaml")) == {"istio": "1.29.0"}
    assert releases_of_file(str(tmp_path / "x.yaml")) == {}
    write(tmp_path, "broken/vsr-compile.lock", "{")
    assert releases_of_file(str(tmp_path / "broken/x.yaml")) == {}
    assert releases_of_file("-") == {}
