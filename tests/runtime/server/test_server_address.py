from __future__ import annotations

import pytest

from vsr_runtime.server.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        ("[::1]:8080", Address("::1", 8080)),
    ],
)
def test_addresses_are_read_and_written_alike(text, address):
    """An address reads back as it was written, IPv6 in brackets."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host:", "host:x", "host:65536", "host:-1", "::1:80", "[a]:1"])
def test_an_invalid_address_is_rejected(text):
    """A port alone, an unbracketed IPv6 host or a port out of range is an error that shows what to write."""
    with pytest.raises(ValueError, match="is not an address; write"):
        parse_address(text)
