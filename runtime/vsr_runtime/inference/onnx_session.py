"""Opens an encoder's graph in onnxruntime, from a cache of graphs built once per encoder and precision.

If the cache is not writable, the graph is built in memory at each start.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vsr_runtime.inference.encoder_files import EncoderFiles, cache_folder
from vsr_runtime.inference.errors import ModelError, classify_extra
from vsr_schemas.encoders import ENCODERS

# The official builds send telemetry for each process and session, and store an identifier in the user's cache.
# Both spellings of the variable that disables it are set, before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"

with classify_extra():
    import onnxruntime

    from vsr_runtime.inference import bert_onnx

if TYPE_CHECKING:
    import onnx

Precision = Literal["fp32", "int8"]

QUANTISER = 1  # raise it with every change of the options below


def open_session(files: EncoderFiles, precision: Precision, threads: int) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """Open the encoder's graph on the CPU.

    Args:
        files: The encoder.
        precision: ``fp32``, or ``int8`` for dynamically quantised matrix products.
        threads: CPU threads that one call may use.

    Raises:
        ModelError: The graph cannot be built from the files.
    """
    architecture = bert_onnx.read_architecture(files.config)
    path = cache_folder() / graph_name(files, architecture, precision)
    try:
        return _session(path.read_bytes(), threads)
    except (OSError, _Broken):
        data = _render(files, architecture, precision)
    _keep(path, data)
    try:
        return _session(data, threads)
    except _Broken as error:
        raise ModelError(f"onnxruntime does not take the graph of {files.weights}: {error}") from error


def graph_name(files: EncoderFiles, architecture: bert_onnx.Architecture, precision: Precision) -> str:
    """A file name that changes with everything that can change the graph."""
    shape = sha256(repr(astuple(architecture)).encode()).hexdigest()[:8]
    name = f"{files.sha256}-{shape}-g{bert_onnx.VERSION}-{precision}"
    if (pooling := _pooling(files)) != "mean":
        name += f"-{pooling}"
    if precision == "int8":
        release = ".".join(onnxruntime.__version__.split(".")[:2])
        name += f"-q{QUANTISER}-ort{release}"
    return f"{name}.onnx"


def _pooling(files: EncoderFiles) -> bert_onnx.Pooling:
    known = ENCODERS.get(files.repo)
    return known.pooling if known else "mean"


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """Onnxruntime rejected a graph."""


def _session(graph: bytes, threads: int) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.use_deterministic_compute = True
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base of their own
        raise _Broken(str(error)) from error


def _render(files: EncoderFiles, architecture: bert_onnx.Architecture, precision: Precision) -> bytes:
    model = bert_onnx.build(files.weights, architecture, _pooling(files))
    return _quantise(model) if precision == "int8" else bytes(model.SerializeToString())


def _quantise(model: onnx.ModelProto) -> bytes:
    """Quantise dynamically to int8, with a scale per output channel and weights of 7 bits.

    Per channel, the cosine to fp32 stays above 0.96, against 0.8 with one scale per matrix, at the same speed. 7 bits,
    because CPUs without VNNI add products of 8 bits in saturating 16-bit registers: a head trained on one CPU would get
    other embeddings on another.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - slow, and needed once per machine

    # Says that shapes are known; without it the quantiser prints advice and sets up logging for the whole program.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    try:
        with tempfile.TemporaryDirectory(prefix="vsr-graph-") as folder:
            target = Path(folder) / "int8.onnx"
            quantize_dynamic(model, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
            return target.read_bytes()
    except OSError as error:
        raise ModelError(f"the encoder cannot be quantised without a writable temporary folder: {error}") from error


def _keep(path: Path, data: bytes) -> None:
    """Write the graph atomically; do nothing if that is not permitted."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        return
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
