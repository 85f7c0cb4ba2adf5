"""Conversion to today's version: what moves, what stays, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.common import SMALL, call
from vsr_compiler.diagnostics import CompileError, Span
from vsr_compiler.syntax.fmt.tree import Branch, Entry, Leaf
from vsr_compiler.syntax.migrate import migrated, plan
from vsr_compiler.syntax.migrate.versions import REGISTRY, Version
from vsr_compiler.syntax.versions import judge
from vsr_schemas.policy.v1alpha1 import API_VERSION
from vsr_schemas.policy.v1alpha1.moved import MOVED
from vsr_schemas.policy.versions import VERSIONS

HEAD = "apiVersion: vsr.dev/v1alpha1\nkind:   RoutingPolicy   # kept as it is\n"
TAIL = "\n# about the models\nmodels:\n    a: {endpoints:   [b]}\n"
OLD = """\
gateway:  # why
  name: gw

  # the public name
  hostname: api.example.com  # dns
  namespace: x
  tls:
    secret: cert  # renewed
  # end
"""
NEW = """\
gateway: # why
  name: gw
  listeners:
    - name: https
      port: 443

      # the public name
      hostnames: [api.example.com] # dns
      tls:
        secret: cert # renewed
  namespace: x
  # end
"""
FORMS = {
    "one host": ("{host: a.example.com}", "{name: http, port: 80, hostnames: [a.example.com]}"),
    "hosts": ("{hosts: [a.b, c.d], port: 8080}", "{name: http, hostnames: [a.b, c.d], port: 8080}"),
    "port": ("{port: 8080}", "{name: http, port: 8080}"),
    "tls": ("{tls: {secret: a}, port: 8443}", "{name: https, tls: {secret: a}, port: 8443}"),
}
REFUSED = {
    "https without a certificate": "{https: true}",
    "tls without a certificate": "{tls: true}",
    "tls that is empty": "{tls: {}}",
    "tls that is off": "{tls: false, host: a.b}",
    "443 without TLS": "{port: 443}",
    "80 with TLS": "{port: 80, tls: {secret: a}}",
    "no port": "{port: http}",
    "a host with its scheme": "{host: 'https://a.b'}",
    "two hosts in one text": "{host: 'a.b, c.d'}",
    "no host": "{hostname: {a: b}}",
    "an empty host": "{hostname: }",
    "no hosts": "{hostnames: []}",
    "two words for hosts": "{host: a.b, hostnames: [c.d]}",
    "listeners beside it": "{host: a.b, listeners: [{name: http, port: 80}]}",
    "an alias": "{name: &a b, host: *a}",
}


def _later(root: Branch) -> Branch:
    """A conversion of a version that only tests have: the section `models` is called `served`."""
    return replace(root, entries=[_renamed(entry) for entry in root.entries])


def _renamed(entry: Entry) -> Entry:
    if entry.key is None or entry.key.text != "models":
        return entry
    return replace(entry, key=replace(entry.key, text="served", raw="served"))


SECOND = (*(replace(version, upward=(_later,)) for version in REGISTRY), Version("vsr.dev/v1alpha2"))
THIRD = (*SECOND, Version("vsr.dev/v1beta1"))


def _gateway(old: str) -> str:
    return f"{HEAD}gateway: {old}\n"


def test_moved_words_become_a_listener_and_everything_else_keeps_its_bytes() -> None:
    """Comments go with their entries; the second time nothing changes."""
    result = migrated(HEAD + OLD + TAIL, "p.yaml")
    assert result == HEAD + NEW + TAIL
    assert migrated(result, "p.yaml") == result


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_words_has_a_listener(form: str) -> None:
    """Flow style, too, and lines that end as on Windows."""
    old, listener = FORMS[form]
    parts = listener.strip("{}").split(", ")
    for text in (_gateway(old), _gateway(old).replace("\n", "\r\n")):
        result = migrated(text, "p.yaml")
        assert ("\r\n" in result) == ("\r\n" in text)
        assert result.count("\n") == result.count("\r\n") or "\r\n" not in text
        assert all(part.split(":")[0] in result for part in parts)
        plain = " ".join(result.split())
        assert plain.startswith(" ".join(HEAD.split()))
        assert plain.removeprefix(" ".join(HEAD.split())).split("listeners: - ")[1] == " ".join(
            part for part in _blocks(listener)
        )


def _blocks(listener: str) -> list[str]:
    """The words of a flow mapping as block style has them; nested ones stay."""
    words, depth, word = [], 0, ""
    for letter in listener[1:-1]:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth:
            words.append(word.strip())
            word = ""
        else:
            word += letter
    return [*words, word.strip()]


@pytest.mark.parametrize("form", REFUSED)
def test_what_would_be_a_guess_is_refused_with_its_place(form: str) -> None:
    """Nothing is published without TLS, and no word is dropped."""
    with pytest.raises(CompileError) as caught:
        migrated(_gateway(REFUSED[form]), "p.yaml")
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.span.line) == ("VSR572", 3)
    assert finding.hint


@pytest.mark.parametrize("path", MOVED, ids=".".join)
def test_every_moved_word_is_converted_or_refused(path: tuple[str, ...]) -> None:
    """`check` promises the command for each of them."""
    value = {"port": "8080", "tls": "{secret: a}"}.get(path[1], "a.example.com")
    text = f"{HEAD}{path[0]}:\n  {path[1]}: {value}\n"
    if path[1] == "https":
        with pytest.raises(CompileError, match="certificate"):
            migrated(text, "p.yaml")
    else:
        assert "listeners:" in migrated(text, "p.yaml")


def test_a_current_file_is_the_same_text() -> None:
    """However it is written."""
    for text in (
        SMALL,
        SMALL.replace("\n", "\r\n"),
        HEAD + TAIL + "  # odd\n...\n",
        "{kind: RoutingPolicy, " + HEAD[:28] + "}",
    ):
        assert migrated(text, "p.yaml") is text


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: vsr.dev/v1alpha1, kind: RoutingPolicy, gateway: {host: a.b}}",
        "? apiVersion\n: vsr.dev/v1alpha1\n? kind\n: RoutingPolicy\n? gateway\n: {host: a.b}\n",
        "---\n  apiVersion: vsr.dev/v1alpha1\n  kind: RoutingPolicy\n  gateway:\n    host: a.b\n...\n",
        "kind: RoutingPolicy\napiVersion: vsr.dev/v1alpha1\ngateway: {'host': \"a.b\"} # c",
    ],
)
def test_unusual_layouts_are_converted(text: str) -> None:
    """Where one section cannot be replaced alone, the file is formatted."""
    result = migrated(text, "p.yaml")
    assert "listeners:" in result
    assert "hostnames: [" in result
    assert migrated(result, "p.yaml") == result


def test_a_file_without_a_line_break_at_its_end_keeps_its_order() -> None:
    """Also if the last value becomes a text on several lines."""
    text = "kind: RoutingPolicy\napiVersion: vsr.dev/v1alpha1\ngateway:\n  host: a.b\n  x: |\n    a\n..."
    result = migrated(text, "p.yaml")
    assert result.startswith("kind: RoutingPolicy\napiVersion: vsr.dev/v1alpha1\ngateway:\n")
    assert result.endswith("      hostnames: [a.b]\n  x: |\n    a\n")


def test_versions_are_a_chain() -> None:
    """Moved words first, then one version after the other; text that is not concerned stays."""
    result = migrated(HEAD + OLD + TAIL, "p.yaml", THIRD)
    assert result == (
        HEAD.replace("v1alpha1", "v1beta1")
        + NEW
        + TAIL.replace("models:", "served:").replace("    a: {endpoints:   [b]}", "  a: {endpoints: [b]}")
    )
    assert migrated(result, "p.yaml", THIRD) is result
    middle = migrated(HEAD + OLD + TAIL, "p.yaml", SECOND)
    assert migrated(middle, "p.yaml", THIRD) == result


def test_a_version_with_an_anchor_is_refused_because_its_aliases_would_change() -> None:
    """Without a later version nothing changes."""
    text = "apiVersion: &v vsr.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: *v}\n"
    assert migrated(text, "p.yaml") is text
    with pytest.raises(CompileError, match="anchor"):
        migrated(text, "p.yaml", SECOND)


def test_a_conversion_that_loses_something_is_refused() -> None:
    """A value, a comment, or a whole section."""

    def loses(root: Branch) -> Branch:
        return replace(root, entries=[entry for entry in root.entries if entry.key and entry.key.text != "models"])

    def empties(root: Branch) -> Branch:
        return replace(
            root, entries=[replace(entry, value=Leaf("", "", "", "", 0, 0), after="") for entry in root.entries]
        )

    for conversion in (loses, empties):
        registry = (Version(API_VERSION, words=(conversion,)),)
        with pytest.raises(CompileError) as caught:
            migrated(HEAD + TAIL, "p.yaml", registry)
        assert [item.code for item in caught.value.diagnostics] == ["VSR572"]


def test_fragments_go_with_the_policy_that_imports_them(tmp_path: Path) -> None:
    """Each file once; a second run changes nothing."""
    policy, models, more = (tmp_path / name for name in ("p.yaml", "models.yaml", "more.yaml"))
    policy.write_text(HEAD + "imports: [{file: ./models.yaml, owner: a}]\n", encoding="utf-8")
    head = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicyFragment\n"
    models.write_text(head + "imports: [{file: ./more.yaml, owner: a}]\nmodels: {} # none\n", encoding="utf-8")
    more.write_text(head + "signals: {}\n", encoding="utf-8")
    changes, problems = plan([policy, models], SECOND)
    assert not problems
    assert [change.path.name for change in changes] == ["p.yaml", "models.yaml", "more.yaml"]
    for change in changes:
        assert "vsr.dev/v1alpha2\n" in change.after
        change.path.write_text(change.after, encoding="utf-8")
    assert models.read_text(encoding="utf-8").endswith("served: {} # none\n")
    assert plan([policy, models], SECOND) == ([], [])
    more.unlink()
    assert [item.code for item in plan([policy], SECOND)[1]] == ["VSR106"]


@pytest.mark.parametrize("name", ["vsr.dev/v1alpha2", "vsr.dev/v1beta1", "vsr.dev/v1", "vsr.dev/v2alpha1"])
def test_a_newer_version_says_what_to_install(tmp_path: Path, name: str) -> None:
    """In `migrate` and in `check`, for policies and fragments."""
    (tmp_path / "p.yaml").write_text(SMALL.replace(API_VERSION, name), encoding="utf-8")
    for command in ("migrate", "check"):
        result = call(command, tmp_path / "p.yaml")
        assert result.exit_code == 1
        assert f"error VSR571: `{name}` is newer" in result.stderr
        assert "pip install --upgrade vsr-compile" in result.stderr


def test_an_older_version_names_the_command() -> None:
    """Of three versions, the first two are older; a name that is no version is neither."""
    names = ("vsr.dev/v1alpha1", "vsr.dev/v1beta1", "vsr.dev/v1")
    codes = {name: found and found.code for name in (*names, "v1", "") for found in [judge(name, Span("f"), names)]}
    assert list(codes.values()) == ["VSR570", "VSR570", None, None, None]
    older = judge(names[0], Span("f"), names)
    assert older is not None
    assert "`vsr-compile migrate FILE --write`" in older.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kind: ConfigMap\napiVersion: v1\n", "VSR572"),
        ("kind: RoutingPolicy\napiVersion: v1\n", "VSR572"),
        ("kind: RoutingPolicy\napiVersion: [a]\n", "VSR572"),
        ("kind: RoutingPolicy\n", "VSR102"),
        ("- a\n", "VSR572"),
        ("a: [\n", "VSR002"),
        ("a: " + "[" * 50, "VSR005"),
        ("kind: Other\napiVersion: vsr.dev/v9\n", "VSR571"),
        (HEAD + "models: {a: &a b}\ngateway: {host: x.y, name: &a c, tls: {secret: *a}}\n", "VSR572"),
        (HEAD + "gateway: {host: x.y, name: &a c, tls: {secret: *a}}\n", "VSR572"),
        (HEAD + "gateway: &g {host: a.b, x: *g}\n", "VSR002"),
        (HEAD + "metadata: &m {host: a.b}\ngateway: *m\n", "VSR572"),
    ],
)
def test_what_is_no_policy_of_a_known_version_is_an_error(text: str, code: str) -> None:
    """Never silence, and never a traceback."""
    with pytest.raises(CompileError) as caught:
        migrated(text, "p.yaml")
    assert [item.code for item in caught.value.diagnostics] == [code]


def test_the_registry_and_the_schemas_name_the_same_versions() -> None:
    """The last one is that of the models."""
    assert tuple(version.name for version in REGISTRY) == VERSIONS
    assert VERSIONS[-1] == API_VERSION
