from __future__ import annotations

import dataclasses

import pytest

from vsr_compiler.deploy.output import File, Tree
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.tree import folders, unsafe


def problems(*paths):
    """Code and message of what is wrong with a tree of these paths."""
    with pytest.raises(CompileError) as error:
        Tree(File(path, b"") for path in paths)
    return [(diagnostic.code, diagnostic.message) for diagnostic in error.value.diagnostics]


class TestTree:
    """The mapping from path to file."""

    def test_mapping_in_order(self):
        """A tree gives its files by path, in order of paths, whatever order they came in."""
        tree = Tree([File("b/c", b"1"), File("a", b"2", "v1/ConfigMap/ns/a"), File("b/a", b"3")])
        assert list(tree) == ["a", "b/a", "b/c"]
        assert len(tree) == 3
        assert tree["b/c"].content == b"1"
        assert tree["a"].identity == "v1/ConfigMap/ns/a"
        assert tree["b/a"].identity == ""
        assert "x" not in tree
        assert repr(tree) == "Tree(['a', 'b/a', 'b/c'])"

    def test_equal_by_content(self):
        """Two trees of the same files are equal, whatever order they came in."""
        one, other = File("a", b"1"), File("b", b"2")
        assert Tree([one, other]) == Tree([other, one])
        assert Tree([one]) != Tree([dataclasses.replace(one, content=b"3")])

    def test_immutable(self):
        """Neither a tree nor a file can be changed."""
        tree = Tree([File("a", b"1")])
        with pytest.raises(TypeError):
            tree["b"] = File("b", b"")
        with pytest.raises(dataclasses.FrozenInstanceError):
            tree["a"].content = b"2"

    def test_empty(self):
        """A tree may hold nothing."""
        assert dict(Tree()) == {}

    @pytest.mark.parametrize(
        "path",
        [
            *["", ".", "..", "/", "/etc/passwd", "../a", "a/../b", "a/..", "./a", "a/./b", "a//b", "a/", "//a"],
            *[
                "a\\b",
                "a\0b",
                "a\nb",
                "a\x1bb",
                "\u2028",
                "\ud800",
                "a" * 201,
                "d/" + "é" * 101 + "/x",
                "d/" * 600 + "x",
            ],
        ],
    )
    def test_unsafe_paths(self, path):
        """Paths that could leave the folder, or that some file system cannot hold, are refused."""
        assert unsafe(path)
        assert [code for code, _ in problems("good", path)] == ["VSR503"]

    @pytest.mark.parametrize(
        "path", ["a", "a/b/c.yaml", "..a", "a..", ".gitattributes", "a" * 200, "é b", "a/...", "-a"]
    )
    def test_safe_paths(self, path):
        """Odd but harmless names pass."""
        assert unsafe(path) == ""
        assert list(Tree([File(path, b"")])) == [path]

    def test_names_that_differ_in_case_only(self):
        """Two files, or two folders, that macOS and Windows would hold as one are refused with both names."""
        assert problems("x/a", "x/A") == [("VSR500", "the paths 'x/A' and 'x/a' differ only in case")]
        assert problems("X/a", "x/b") == [("VSR500", "the paths 'X' and 'x' differ only in case")]
        assert [code for code, _ in problems("\u00e9", "e\u0301")] == ["VSR500"]

    def test_file_that_is_also_a_folder(self):
        """A file cannot stand where another file needs a folder."""
        assert problems("a", "a/b", "ab") == [("VSR500", "the file 'a' has the path of a folder")]

    def test_place_of_the_lock(self):
        """The lock's place is taken."""
        assert problems("vsr-compile.lock") == [("VSR500", "the file 'vsr-compile.lock' has the path of the lock")]
        assert list(Tree([File("a/vsr-compile.lock", b"")])) == ["a/vsr-compile.lock"]

    def test_file_made_twice(self):
        """Two makers of one path are a mistake, even where they agree."""
        assert problems("a", "a") == [("VSR500", "two files have the path 'a'")]

    def test_all_at_once(self):
        """Every finding is told, in one go."""
        assert len(problems("/a", "b", "B", "c", "c/d")) == 3


def test_folders_above():
    """The folders above a path, outermost first."""
    assert folders("a/b/c") == ["a", "a/b"]
    assert folders("a") == []
