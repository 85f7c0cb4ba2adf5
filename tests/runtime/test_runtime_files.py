from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    with suppress(UserError):
        read_yaml(path)
