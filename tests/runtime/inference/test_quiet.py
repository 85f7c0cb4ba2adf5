"""No telemetry of a library that we load, no identifier left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.common import ROOT

pytestmark = pytest.mark.subprocess


pytest.importorskip("onnxruntime")

LOAD = """
import numpy
from onnx import TensorProto, helper
from vsr_runtime.inference import onnx_session

value = helper.make_tensor_value_info
node = helper.make_node("Identity", ["x"], ["y"])
graph = helper.make_graph([node], "g", [value("x", TensorProto.FLOAT, [1])], [value("y", TensorProto.FLOAT, [1])])
model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
session = onnx_session.onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
session.run(None, {"x": numpy.zeros(1, numpy.float32)})
"""


def test_a_classifier_leaves_nothing_in_the_users_home(tmp_path: Path) -> None:
    """The builds of onnxruntime have telemetry that is on; loaded by us, they leave no identifier and no cache.

    The library keeps still by itself under CI, so the variables by which it knows one are taken away.
    """
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH"}}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", LOAD], env=kept | home, cwd=ROOT, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
