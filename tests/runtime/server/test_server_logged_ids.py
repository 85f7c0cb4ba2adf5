"""Request ids in logs and traces."""

from __future__ import annotations

import pytest

from vsr_runtime.server.exchange import logged_id


@pytest.mark.parametrize(
    "value", ["", "7f9c24e8-3b1d-4a52-9c6e-2d1f0a8b7c65", "req-1", "find-me", "r1", "cron.daily:17_a"]
)
def test_id_of_short_words_is_logged_as_it_is(value):
    """Such as the UUIDs that Envoy makes."""
    assert logged_id(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYz",
        "jane.doe@example.org",
        "4111111111111111",
        "4111-1111-1111-1111",
        "123-45-6789",
        "my password is hunter2",
        "x" * 4096,
        "\udcff",
        "-".join(["word"] * 20),
    ],
)
def test_id_that_may_hold_text_is_logged_as_a_digest(value):
    """Logs hold no text of requests, and the operator can still compute the digest of an id."""
    shown = logged_id(value)
    assert shown.startswith("sha256:")
    assert len(shown) == 23
    assert shown == logged_id(value)
