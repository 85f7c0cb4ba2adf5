from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_compiler.deploy.output import File, Lock, Tree
from vsr_compiler.deploy.output import journal as journals
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.lock import parse, sha256

DIGEST = "0" * 64
GOOD = {
    "files": {"a/b.yaml": {"object": "v1/ConfigMap/ns/b", "sha256": DIGEST}, "c": {"sha256": DIGEST}},
    "policy": {"name": "quickstart", "sha256": DIGEST},
    "tables": {"istio": "1.29.0"},
    "tool": "0.1.0",
}


def reason(content):
    """Why a lock is refused."""
    with pytest.raises(CompileError) as error:
        parse(content if isinstance(content, bytes) else json.dumps(content).encode(), "out/q/vsr-compile.lock")
    (found,) = error.value.diagnostics
    assert found.code == "VSR501"
    assert found.span.file == "out/q/vsr-compile.lock"
    assert "--force" in found.hint
    return found.message.removeprefix("the lock is broken: ")


def changed(path, value):
    """A good lock with one thing in it replaced."""
    lock = json.loads(json.dumps(GOOD))
    *above, last = path
    place = lock
    for key in above:
        place = place[key]
    place[last] = value
    return lock


class TestLock:
    """Writing and reading locks."""

    def test_bytes(self):
        """The lock is sorted JSON, indented by two, with a final newline; identities only where there is one."""
        tree = Tree([File("c", b"c"), File("a/b.yaml", b"b", "v1/ConfigMap/ns/b")])
        lock = Lock.of(tree, tool="0.1.0", tables={"z": "1", "istio": "2"}, policy="q", policy_sha256=DIGEST)
        assert lock.render().decode() == (
            '{\n  "files": {\n    "a/b.yaml": {\n      "object": "v1/ConfigMap/ns/b",\n'
            f'      "sha256": "{sha256(b"b")}"\n    }},\n    "c": {{\n      "sha256": "{sha256(b"c")}"\n    }}\n  }},\n'
            f'  "policy": {{\n    "name": "q",\n    "sha256": "{DIGEST}"\n  }},\n'
            '  "tables": {\n    "istio": "2",\n    "z": "1"\n  },\n  "tool": "0.1.0"\n}\n'
        )

    def test_round_trip(self):
        """What is written is read back the same."""
        lock = parse(json.dumps(GOOD).encode(), "")
        assert parse(lock.render(), "") == lock
        assert json.loads(lock.render()) == GOOD
        assert lock.files["a/b.yaml"].identity == "v1/ConfigMap/ns/b"
        assert (lock.tool, lock.policy, lock.policy_sha256) == ("0.1.0", "quickstart", DIGEST)

    def test_an_overlay_may_have_releases_of_its_own(self):
        """Its files are checked by those, and all others by the policy's."""
        overlays = {"istio/overlays/old": {"istio": "1"}}
        lock = Lock.of(
            Tree(), tool="1", tables={"istio": "2", "z": "3"}, policy="q", policy_sha256=DIGEST, overlays=overlays
        )
        assert parse(lock.render(), "") == lock
        assert lock.releases("istio/overlays/old/a.yaml") == {"istio": "1", "z": "3"}
        assert lock.releases("istio/overlays/older/a.yaml") == lock.releases("istio/base/a.yaml") == lock.tables

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "it is not JSON"),
            (b"\xff\xfe", "it is not UTF-8 text"),
            (b"\xef\xbb\xbf{}", "it is not JSON"),
            (b"{", "it is not JSON: Expecting property name enclosed in double quotes in line 1"),
            (b"<<<<<<< HEAD\n{}", "it is not JSON"),
            (b"[]", "it is not an object"),
            (b"{}", "it lacks 'files'"),
            (b'{"a": 1, "a": 1}', "it has a duplicate key"),
            (b'{"a": NaN}', "it contains NaN"),
            (b'{"a": ' + b"1" * 5000 + b"}", "it contains a number out of range"),
            (b"[" * 200_000, "it is nested too deeply"),
            (b" " * (64 * 1024 * 1024 + 1), "it is over 67108864 bytes long"),
        ],
    )
    def test_broken_text(self, content, why):
        """What is no JSON object of ours is told in plain words, however it is broken."""
        assert reason(content).startswith(why)

    @pytest.mark.parametrize(
        ("path", "value", "why"),
        [
            (["new"], 1, "it has the unknown key 'new'; a newer vsr-compile may have written it"),
            (["tool"], 1, "'tool' is not a short text"),
            (["tool"], "x" * 1025, "'tool' is not a short text"),
            (["tool"], "a\nb", "'tool' is not a short text"),
            (["tables"], [], "'tables' is not an object"),
            (["tables"], {"istio": 1}, "the release of 'istio' is not a short text"),
            (["policy"], "q", "'policy' is not an object"),
            (["policy"], {"name": "q"}, "'policy' lacks 'sha256'"),
            (["policy", "sha256"], "0", "the policy's sha256 is not a sha256"),
            (["files"], [], "'files' is not an object"),
            (["files", "c"], DIGEST, "the entry of 'c' is not an object"),
            (["files", "c"], {}, "the entry of 'c' lacks 'sha256'"),
            (["files", "c", "sha256"], DIGEST.replace("0", "G"), "the sha256 of 'c' is not a sha256"),
            (["files", "c", "sha256"], DIGEST + "\n", "the sha256 of 'c' is not a sha256"),
            (["files", "c", "object"], None, "the object of 'c' is not a short text"),
            (["files", "../c"], {"sha256": DIGEST}, "the path '../c' is not a plain relative path"),
            (["files", "/c"], {"sha256": DIGEST}, "the path '/c' is not a plain relative path"),
            (
                ["files", "a\0"],
                {"sha256": DIGEST},
                "the path 'a\\x00' contains characters that are not allowed in paths",
            ),
        ],
    )
    def test_broken_content(self, path, value, why):
        """Each wrong thing is named; a lock cannot claim a path outside its folder."""
        assert reason(changed(path, value)) == why

    def test_too_many_files(self):
        """A lock of endless files is refused."""
        assert (
            reason(changed(["files"], dict.fromkeys(map(str, range(200_001)), 1))) == "'files' has over 200000 entries"
        )

    @given(
        st.binary(max_size=200)
        | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)
    )
    def test_never_a_traceback(self, content):
        """Whatever the bytes, the answer is a lock or a diagnostic."""
        with pytest.raises(CompileError, match="the lock is broken"):
            parse(content, "x")


class TestJournal:
    """The note of a write under way."""

    def test_round_trip(self):
        """What is written is read back the same."""
        owned = {"b": frozenset({DIGEST, "1" * 64}), "a/c": frozenset({DIGEST})}
        assert journals.parse(journals.render(owned), "") == owned

    def test_merged(self):
        """Contents known from several sources add up."""
        one, other = frozenset({DIGEST}), frozenset({"1" * 64})
        assert journals.merged({"a": one, "b": one}, {"a": other}) == {"a": one | other, "b": one}

    def test_same_bytes(self):
        """The order of what is known does not show."""
        digests = [str(number) * 64 for number in range(10)]
        assert journals.render({"b": frozenset(digests), "a": frozenset()}) == journals.render(
            {"a": frozenset(), "b": frozenset(reversed(digests))}
        )
