"""``vsr-compile eval --pairs``: a threshold of similarity from pairs of texts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from support.common import SMALL, call, linked
from vsr_compiler import ir
from vsr_compiler.heads.pairs import BUILTIN, STEP, evaluate_pairs, read_pairs
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, EncoderFiles, find_encoder, local_encoder
from vsr_runtime.inference.errors import ModelError
from vsr_schemas.encoders import ENCODERS
from vsr_schemas.reports_pairs import PairsReport

FILES = EncoderFiles("a/b", Path("x"), "0" * 64)


class Angles:
    """An encoder for which the last word of a text is its angle in degrees."""

    def embed(self, texts):
        """Unit vectors."""
        angles = np.radians([float(text.split()[-1]) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def write(path: Path, rows) -> str:
    """A file of pairs."""
    path.write_text("".join(json.dumps({"a": a, "b": b, "same": same}) + "\n" for a, b, same in rows), encoding="utf-8")
    return str(path)


def rows(same, others):
    """Pairs at these angles."""
    return [("x 0", [f"x {angle}"], True) for angle in same] + [("x 0", f"x {angle}", False) for angle in others]


def test_the_threshold_is_the_smallest_that_few_other_pairs_reach(tmp_path):
    """One in fifty may; the report says how many do, and what is on the wrong side."""
    pairs = read_pairs(write(tmp_path / "p", rows([20] * 30 + [70] * 10, [60] * 99 + [10])))
    report = evaluate_pairs(pairs, "signal", Angles(), FILES, "int8")
    assert (report.threshold, report.recall, report.false) == (0.55, 0.75, 0.01)
    assert 0.01 < report.bound < 0.05
    assert {(pair.same, pair.line) for pair in report.wrong} > {(False, 140)}
    assert report.default is None


def test_a_cache_may_reuse_no_wrong_response(tmp_path):
    """Even one pair counts, unless the cache sees by its words that it is another question."""
    alike = [("is it so", "is it thus", True)] * 30 + [("is it so", "is it blue", False)] * 30
    seen = [("is it so", "is it never thus", False)]
    names = {"so": "0", "thus": "5", "blue": "25"}

    class Words(Angles):
        def embed(self, texts):
            return super().embed([names[text.split()[-1]] for text in texts])

    report = evaluate_pairs(read_pairs(write(tmp_path / "p", alike + seen)), "cache", Words(), FILES, "int8")
    assert (report.threshold, report.apart_by_words) == (0.91, 1)
    assert (report.recall, report.false) == (1, 0)


def test_no_threshold_is_an_answer_too(tmp_path):
    """Pairs with the same text that do not belong together."""
    pairs = read_pairs(write(tmp_path / "p", rows([5] * 30, [0] * 30)))
    report = evaluate_pairs(pairs, "signal", Angles(), FILES, "int8")
    assert report.threshold is None
    assert report.recall == 0


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('{"a": "x", "b": "y"}', "VSR613", 1),
        ('\n{"a": "x", "b": [], "same": true}', "VSR613", 2),
        ('{"a": "", "b": "y", "same": true}', "VSR613", 1),
        ('{"a": "x", "b": 1, "same": true}', "VSR613", 1),
        ('{"a": "x", "b": "y", "same": "yes"}', "VSR613", 1),
        ("[" * 100_000, "VSR613", 1),
        ('{"a": "x", "b": "y", "same": true}', "VSR614", None),
        ("", "VSR614", None),
        ("\n" * 30_000, "VSR613", None),
    ],
)
def test_wrong_pairs_are_reported_with_their_line(tmp_path, text, code, line):
    """And nothing is evaluated."""
    (tmp_path / "p").write_text(text, encoding="utf-8")
    result = call("eval", "--pairs", str(tmp_path / "p"))
    assert result.exit_code == 1
    assert code in result.stderr
    assert line is None or f"p:{line}" in result.stderr


@pytest.mark.parametrize("flags", [["--pairs", "p", "policy.yaml"], [], ["policy.yaml", "--encoder", "x"]])
def test_flags_that_do_not_go_together_are_a_usage_error(flags):
    """A policy has its own encoder."""
    assert call("eval", *flags).exit_code == 2


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("name", BUILTIN)
def test_the_default_threshold_is_the_one_measured_on_the_shipped_pairs(name):
    """Whoever changes the encoder, the pairs or the rule measures it again."""
    result = call("eval", "--pairs", name, "--format", "json")
    assert result.exit_code == 0, result.stderr
    report = PairsReport.model_validate_json(result.stdout)
    assert report.default is not None
    assert abs(report.threshold - report.default) <= 1 / STEP[report.purpose] + 1e-9
    assert f"{report.threshold:.2f}" in call("eval", "--pairs", name).stdout


def test_the_shipped_pairs_have_no_text_twice_on_both_sides():
    """A pair says one thing."""
    for name in BUILTIN:
        seen = {}
        for pair in read_pairs(name):
            assert seen.setdefault((pair.request, pair.sentences), pair.same) == pair.same


@pytest.mark.usefixtures("encoder")
def test_other_encoders_are_read_as_the_table_says(tmp_path):
    """By a folder with the repository's name: pooling and prefix differ, so the same weights give other vectors."""
    files = find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    vectors = []
    for name in ("bge-small-en-v1.5", "e5-small-v2", "gte-small"):
        shutil.copytree(files.folder, tmp_path / name)
        local = local_encoder(str(tmp_path / name))
        vectors.append(SentenceEncoder.load(local, "fp32").embed(["Where is my parcel?"])[0])
    own = SentenceEncoder.load(files, "fp32").embed(["Where is my parcel?", "query: Where is my parcel?"])
    assert np.allclose(vectors[2], own[0], atol=1e-5)
    assert np.allclose(vectors[1], own[1], atol=1e-5)
    assert float(vectors[0] @ own[0]) < 0.95
    result = call("eval", "--pairs", "builtin:cache@1", "--encoder", str(tmp_path / "gte-small"), "--format", "json")
    assert json.loads(result.stdout)["encoder"] == "thenlper/gte-small"
    assert json.loads(result.stdout)["default"] is None


def test_an_encoder_that_is_not_in_the_table_is_refused(tmp_path):
    """Its similarities would mean nothing."""
    with pytest.raises(ModelError, match="table of encoders"):
        local_encoder(str(tmp_path))
    result = call("eval", "--pairs", "builtin:cache@1", "--encoder", str(tmp_path))
    assert (result.exit_code, "VSR615" in result.stderr) == (1, True)


def test_thresholds_are_of_measured_weights_only():
    """Another version of an encoder has other cosines."""
    assert ir.Encoder().signal_threshold == 0.45
    assert ir.Encoder(sha256="0" * 64).signal_threshold is None
    assert all((known.signal is None) == (known.weights is None) for known in ENCODERS.values())


def test_signals_without_a_threshold_get_the_measured_one():
    """The stock router has an encoder of its own, so its default stays."""
    text = SMALL + "signals: {refund: {embedding: {to: [I want my money back.]}}}\n"
    (signal,) = linked(text).signals
    assert signal.kind.threshold == 0.45
    stock = text.replace(
        'router: {image: "registry.example/vsr-runtime:0.1.0"}', "router: {engine: semantic-router, deadline: 5s}"
    )
    (signal,) = linked(stock).signals
    assert signal.kind.threshold == 0.6
