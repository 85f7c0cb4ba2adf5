from __future__ import annotations

from vsr_runtime.sandbox.keys import dummy_keys
from vsr_schemas.sandbox import External

KEYED = External(path="/v1", credential="far/api-key")


def test_each_credential_gets_a_key_of_its_own(tmp_path):
    """Written as a cluster mounts it; two providers that share a credential share its key."""
    near = External(path="/v1", credential="near/api-key")
    keys = dummy_keys(tmp_path / "keys", [KEYED, None, near, KEYED, External(path="/")])
    assert set(keys) == {"far/api-key", "near/api-key"}
    assert len(set(keys.values())) == 2
    for name, key in keys.items():
        assert (tmp_path / "keys" / name).read_text().strip() == key


def test_a_key_is_another_at_each_start(tmp_path):
    """So none can be taken for one that means something."""
    assert dummy_keys(tmp_path / "a", [KEYED]) != dummy_keys(tmp_path / "b", [KEYED])


def test_without_providers_nothing_is_written(tmp_path):
    """Most stands have none."""
    assert dummy_keys(tmp_path / "keys", [None, External(path="/v1")]) == {}
    assert not (tmp_path / "keys").exists()
