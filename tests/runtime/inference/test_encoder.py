from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tokenizers import Tokenizer

from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import EncoderFiles, max_tokens
from vsr_runtime.inference.errors import ModelError

PROMPTS = (
    "What is the derivative of f(x) = x^3?",
    "How do I reset my password?",
    "Explain why the Roman Empire fell, in three sentences.",
    "Which enzyme unwinds the double helix before replication?",
)


def test_shape_and_length(encoder):
    """Each text gives one float32 row of length one."""
    rows = encoder.embed(PROMPTS)
    assert rows.shape == (4, 384) == (4, encoder.dimension)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_no_text(encoder):
    """No text gives no row, and an empty text gives one."""
    assert encoder.embed([]).shape == (0, 384)
    assert np.isfinite(encoder.embed(["", "   "])).all()


def test_independent_of_neighbours(encoder):
    """A text's embedding is the same bits whatever is embedded beside it."""
    together = encoder.embed(PROMPTS)
    apart = np.vstack([encoder.embed([prompt]) for prompt in reversed(PROMPTS)])[::-1]
    assert np.array_equal(together, apart)


def test_threads_give_the_same_bits(encoder):
    """Many threads on one encoder get what one thread gets."""
    wanted = encoder.embed(PROMPTS)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: encoder.embed(PROMPTS), range(8)))
    assert all(np.array_equal(result, wanted) for result in results)


def test_meaning(encoder):
    """Prompts of one subject are nearer to each other than to another subject's."""
    derivative, integral, recipe = encoder.embed(
        ["Differentiate x^2 with respect to x.", "Integrate 3x + 1.", "How do I bake banana bread?"]
    )
    assert derivative @ integral > derivative @ recipe + 0.2


def test_int8_stays_close(encoder, exact_encoder):
    """Quantised embeddings keep a cosine of at least 0.98 to those in full precision."""
    cosines = (encoder.embed(PROMPTS) * exact_encoder.embed(PROMPTS)).sum(axis=1)
    assert cosines.min() > 0.98


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "word " * 5000,
        "a" * 100_000,
        " " * 50_000 + "late words " * 400,
        "supercalifragilistic" * 3000 + " end",
        "12345 67.89, (x+y)^2 " * 700,
        "日本語の文章" * 3000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_long_texts_are_cut_exactly(files, encoder, text):
    """Reading only the ends of a long text gives the ids that tokenising all of it would give."""
    whole = Tokenizer.from_file(str(files.tokenizer))
    whole.no_padding()
    whole.no_truncation()
    first, *every, last = whole.encode(text).ids
    half = (encoder.max_tokens - 2) // 2
    ids = encoder.token_ids(text)
    assert ids == [first, *(every if len(every) <= 2 * half else [*every[:half], *every[-half:]]), last]
    assert len(ids) <= encoder.max_tokens == 256


def test_both_ends_of_a_long_text_count(encoder):
    """What follows thousands of words changes the embedding as much as what precedes them."""
    filler = "This is a line of notes about nothing in particular. " * 300
    ask = "What is the derivative of f(x) = x^3?"
    alone, before, behind, none = encoder.embed([ask, ask + filler, filler + ask, filler])
    assert min(alone @ before, alone @ behind) > alone @ none + 0.02


def test_half_a_surrogate_pair(encoder):
    """A lone surrogate, which JSON can carry, is read as an unknown sign, not an error."""
    assert np.array_equal(encoder.embed(["a \ud800 b"]), encoder.embed(["a ? b"]))


def folder(tmp_path, config: object, sentence: object = None) -> EncoderFiles:
    """A folder with the two files that say how long a sequence may be."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    if sentence is not None:
        (tmp_path / "sentence_bert_config.json").write_text(json.dumps(sentence))
    return EncoderFiles("example/tiny", tmp_path, "0" * 64)


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [(None, 512), ({"max_seq_length": 128}, 128), ({"max_seq_length": 9999}, 512)],
)
def test_longest_sequence(tmp_path, sentence, wanted):
    """Sentence-transformers' limit counts where it is given, and never beyond the model's positions."""
    assert max_tokens(folder(tmp_path, {"max_position_embeddings": 512}, sentence)) == wanted


@pytest.mark.parametrize("config", [{}, [], {"max_position_embeddings": "many"}], ids=str)
def test_broken_limits(tmp_path, config):
    """A config without a usable limit is an error that names the folder."""
    with pytest.raises(ModelError, match="cannot be read"):
        max_tokens(folder(tmp_path, config))


def test_broken_tokenizer(files, tmp_path):
    """A tokenizer that cannot be read is an error that names the file."""
    for path in (files.weights, files.config, files.sentence_config):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer"):
        SentenceEncoder.load(EncoderFiles(files.repo, tmp_path, files.sha256), "fp32")
