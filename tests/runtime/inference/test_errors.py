from __future__ import annotations

import subprocess
import sys

import pytest

from support.common import ROOT
from vsr_runtime.inference.errors import ModelError, classify_extra


def test_missing_package_names_the_extra():
    """Where a package of the extra is missing, the message is the command that installs it."""
    with pytest.raises(ModelError, match=r"onnxruntime is not installed; run pip install 'vsr-compile\[classify\]'"):
        fail("onnxruntime.capi")


def test_other_imports_are_not_hidden():
    """A module that is missing for another reason stays what it is: a bug."""
    with pytest.raises(ModuleNotFoundError):
        fail("vsr_runtime.inference.nothing")


def fail(name: str) -> None:
    """Import a module that is not there."""
    with classify_extra():
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.subprocess
@pytest.mark.parametrize("package", ["numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"])
def test_loading_without_the_extra(package):
    """Without one of the packages, loading a classifier is a ModelError that names it; importing the module is not."""
    program = f"""
import sys
sys.modules[{package!r}] = None
from vsr_runtime.inference.classifier import load_encoder
from vsr_runtime.inference.errors import ModelError
try:
    load_encoder(None)
except ModelError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == f"the package {package} is not installed; run pip install 'vsr-compile[classify]'\n", (
        done.stderr
    )


@pytest.mark.subprocess
def test_light_modules_stay_light():
    """Finding an encoder and reading a head's metadata load none of the extra's packages."""
    program = """
import sys
import vsr_runtime.inference.encoder_files, vsr_runtime.inference.head_file, vsr_runtime.inference.classifier
print(sorted({"numpy", "onnx", "onnxruntime", "safetensors", "tokenizers", "torch"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
