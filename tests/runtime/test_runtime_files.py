from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_compiler.manifests.yaml import dump
from vsr_runtime.errors import UserError
from vsr_runtime.files import MAX_BYTES, read_yaml


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: [1", "f.yaml:2:1: did not find"),
        (b"a: 1\na: 2", "f.yaml:2:1: found duplicate key"),
        (b"a: \xff", "f.yaml: not UTF-8 at byte 3"),
        (b"a: &x [1]\nb: *x", "f.yaml: aliases (*x) are not supported"),
        (b"[" * 101 + b"]" * 101, "f.yaml: nested deeper than 100"),
        (b"[" * 100_000, "f.yaml: nested deeper than 100"),
        (b"a" * (MAX_BYTES + 1), "f.yaml: larger than"),
        (b"a: !!python/object:os.system {}", "f.yaml:1:4: could not determine a constructor"),
        (b"a: 1\n---\nb: 2", "f.yaml:"),
        (b"a: 2026-99-99", "f.yaml: month must be in 1..12; quote the value"),
    ],
)
def test_what_is_no_plain_document_is_refused(tmp_path, data, message):
    """Broken, huge, deep, recursive or executable YAML is one line that names the file."""
    path = tmp_path / "f.yaml"
    path.write_bytes(data)
    with pytest.raises(UserError) as error:
        read_yaml(path)
    assert message in str(error.value)


def test_missing_file_is_named(tmp_path):
    """A missing path is named in full."""
    with pytest.raises(UserError, match=r"f\.yaml: No such file or directory; check the path"):
        read_yaml(tmp_path / "f.yaml")


@given(data=st.text(":-[]{}&*!|>'\"%@`#,? \n\tab01", max_size=40).map(str.encode) | st.binary(max_size=40))
def test_any_file_is_read_or_refused(tmp_path_factory, data):
    """No file whatever ends in anything but plain data or the explained error."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    for foreign in (False, True):
        with suppress(UserError):
            read_yaml(path, foreign=foreign)


@given(st.lists(st.text(alphabet="=<>~-+.:019exo_ynNTZ !&*|%@`'\"#[]{},?\\\t\n", max_size=8), min_size=1, max_size=5))
@examples(300)
def test_texts_that_the_compiler_writes_are_read_back(values):
    """Also those that YAML 1.1 has a type of its own for, such as `=` and `<<`."""
    document = {"list": values, "mapping": {"value": values[0]}}
    with TemporaryDirectory() as folder:
        path = Path(folder, "f.yaml")
        path.write_text(dump(document), encoding="utf-8")
        assert read_yaml(path) == document


@pytest.mark.parametrize("value", ["=", "<<"])
def test_text_with_a_type_of_its_own_is_text(tmp_path, value):
    """A keyword may be an equals sign."""
    path = tmp_path / "f.yaml"
    path.write_text(dump({"keywords": [value]}))
    assert read_yaml(path) == {"keywords": [value]}


def _foreign(folder, text):
    path = folder / "f.yaml"
    path.write_text(text)
    return read_yaml(path, foreign=True)


def test_files_of_others_may_have_aliases_merge_keys_and_colons(tmp_path):
    """As the stock router's tools read them."""
    assert _foreign(tmp_path, "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"b": 1, "e": 2},
    }
    assert _foreign(tmp_path, "a: &x 1\nb: &x 2\nc: *x") == {"a": 1, "b": 2, "c": 2}
    assert _foreign(tmp_path, "a: [role:admin, urgent]") == {"a": ["role:admin", "urgent"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [*x]", r"\*x contains itself"),
        ("a: &x 1\nb: [" + "*x," * 20_001 + "]", "copy more than 20000 values"),
        ("a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]\n" for i in range(1, 12)), "copy more than"),
        ("a: [role:admin, " + "[" * 101 + "]" * 101 + "]", "nested deeper"),
        ("a: *x", "undefined alias"),
    ],
)
def test_aliases_that_expand_without_bound_are_refused(tmp_path, text, message):
    """A small file cannot become a huge document."""
    with pytest.raises(UserError, match=message):
        _foreign(tmp_path, text)
