"""The golden policy's attack signal, from a real checkpoint on disk to `vsr-compile test`."""

from __future__ import annotations

import os

import pytest

from support.cases import output_of, policy_file
from support.checkpoints import save_checkpoint
from support.common import call

pytest.importorskip("torch", reason="torch is not installed: checkpoints cannot be run")

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.usefixtures("files", "_graph_cache")
@pytest.mark.parametrize(("bias", "passed"), [(20.0, 12), (-20.0, 11)])
def test_a_detector_that_is_there_decides_the_test(tmp_path, monkeypatch, bias, passed):
    """A checkpoint that takes everything for an attack refuses the request, one that takes nothing does not."""
    import torch  # noqa: PLC0415 - of an extra
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - likewise

    folder = save_checkpoint(tmp_path / "example/jailbreak-detector" / REVISION)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.tensor([0.0, bias])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    monkeypatch.setenv("VSR_MODELS", str(tmp_path), prepend=os.pathsep)
    result = call("test", policy_file("signals"), "--out", output_of("signals").parent)
    assert f"{passed} passed, {12 - passed} failed" in result.stderr
    if passed < 12:
        assert "route `default` instead of `refused`" in result.stderr
