"""The sentences of signals as vectors: one file, kept while its inputs stand, and a request is read once for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.common import SMALL, linked
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.heads.compile import compile_heads
from vsr_compiler.heads.sentences import compile_sentences
from vsr_runtime.inference.compiled_classifier import CompiledClassifier
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.sentences import Sentences, load_sentences

ASKED = """signals:
  billing: {embedding: {to: ["Where is my invoice?", "Refund me."]}}
  again: {embedding: {to: ["Refund me."], aggregate: mean}}
  hard: {complexity: {hard: ["Prove it."], easy: ["Say hello."]}}
routes:
  - {name: billing, when: {any: [{signal: billing}, {signal: again}, {signal: hard}]}, model: big}
"""
TEXT = SMALL.replace("routes:\n", ASKED)
UNUSED = None  # an encoder that must not be asked
SENTENCES = ["Prove it.", "Refund me.", "Say hello.", "Where is my invoice?"]


@pytest.mark.usefixtures("encoder")
def test_each_sentence_is_embedded_once_by_the_encoder_of_the_categories() -> None:
    """One file, in an order that the policy's order has no part in."""
    heads = compile_heads(linked(TEXT), lambda _: None, rebuild=False)
    known = heads.classifiers["sentences"]
    assert sorted(heads.files) == ["domain.safetensors", "sentences.safetensors"]
    assert (known.task, known.labels) == ("likeness", SENTENCES)
    assert known.encoder == heads.classifiers["domain"].encoder


@pytest.mark.usefixtures("encoder")
def test_the_file_is_kept_until_a_sentence_changes(monkeypatch) -> None:
    """Other hardware gives other bits, so what is there stands; the order and a doubled sentence change nothing."""
    first = compile_sentences(linked(TEXT), lambda _: None, rebuild=False)
    turned = TEXT.replace('["Where is my invoice?", "Refund me."]', '["Refund me.", "Where is my invoice?"]')
    changed = compile_sentences(linked(TEXT.replace("Prove it.", "Prove that.")), first.files.get, rebuild=False)
    assert changed.files["sentences.safetensors"] != first.files["sentences.safetensors"]
    rebuilt = compile_sentences(linked(TEXT), first.files.get, rebuild=True)
    assert rebuilt.files == first.files
    monkeypatch.setattr(SentenceEncoder, "load", None)  # nobody needs it any more
    for text in (TEXT, turned):
        assert compile_sentences(linked(text), first.files.get, rebuild=False) == first


@pytest.mark.usefixtures("encoder")
def test_a_damaged_file_is_rewritten() -> None:
    """Whatever lies there in its place."""
    first = compile_sentences(linked(TEXT), lambda _: None, rebuild=False)
    for junk in (b"", b"junk" * 100, first.files["sentences.safetensors"][:-1]):
        assert compile_sentences(linked(TEXT), lambda _, data=junk: data, rebuild=False) == first


@pytest.mark.usefixtures("encoder")
def test_a_classifier_of_that_name_keeps_it() -> None:
    """The sentences take another."""
    text = TEXT + "classifiers: {sentences: {task: category}}\n"
    heads = compile_heads(linked(text), lambda _: None, rebuild=False)
    assert sorted(heads.files) == ["sentences-2.safetensors", "sentences.safetensors"]
    assert heads.classifiers["sentences"].task == "category"
    assert heads.classifiers["sentences-2"].task == "likeness"


def test_without_sentences_there_is_no_file() -> None:
    """And no encoder is asked for."""
    assert compile_sentences(linked(), lambda _: None, rebuild=True).files == {}


def test_an_encoder_that_is_not_there_is_a_finding(monkeypatch) -> None:
    """VSR506 at the first signal that needs it."""

    def missing(*_arguments: object) -> None:
        raise ModelError("the encoder is not on this machine")

    monkeypatch.setattr(SentenceEncoder, "load", missing)
    with pytest.raises(CompileError) as caught:
        compile_sentences(linked(TEXT), lambda _: None, rebuild=False)
    (item,) = caught.value.diagnostics
    assert (item.code, item.span.line) == ("VSR506", 16)


@pytest.fixture
def router(tmp_path: Path, _graph_cache) -> tuple[Path, object]:
    """A router folder with a head and sentences, and what compiled it."""
    heads = compile_heads(linked(TEXT), lambda _: None, rebuild=False)
    for name, data in heads.files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path, heads.classifiers


def test_category_and_likeness_cost_one_pass(router, monkeypatch) -> None:
    """The encoder reads a request once; cosines are those of the sentences' own embeddings."""
    folder, classifiers = router
    both = CompiledClassifier.load(classifiers["domain"], classifiers["sentences"], folder)
    passes = []
    plain = SentenceEncoder.embed_layers
    monkeypatch.setattr(
        SentenceEncoder, "embed_layers", lambda self, ids, *rest: passes.append(len(ids)) or plain(self, ids, *rest)
    )
    found = both.classify("Refund me.")
    assert passes == [1]
    assert list(found.likeness) == SENTENCES
    assert found.likeness["Refund me."] == pytest.approx(1, abs=1e-5)
    assert found.likeness["Prove it."] < 0.7
    assert found == both.classify("Refund me.")
    alone = CompiledClassifier.load(None, classifiers["sentences"], folder).classify("Refund me.")
    assert (alone.label, dict(alone.likeness)) == (None, dict(found.likeness))
    assert CompiledClassifier.load(classifiers["domain"], None, folder).classify("Refund me.").likeness == {}


def test_files_that_do_not_fit_are_refused(router) -> None:
    """Other sentences, another encoder, no file: each is told, with what to do."""
    folder, classifiers = router
    known = classifiers["sentences"]
    other = known.model_copy(update={"head": known.head.model_copy(update={"inputs": "0" * 64})})
    with pytest.raises(ModelError, match="made from other sentences"):
        load_sentences(other, folder, UNUSED)
    with pytest.raises(ModelError, match="does not fit together"):
        load_sentences(known.model_copy(update={"labels": ["one"]}), folder, UNUSED)
    precise = known.model_copy(update={"encoder": known.encoder.model_copy(update={"precision": "fp32"})})
    with pytest.raises(ModelError, match="one and the same encoder"):
        CompiledClassifier.load(classifiers["domain"], precise, folder)
    (folder / "sentences.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_sentences(known, folder, UNUSED)


def test_embeddings_of_another_size_are_refused() -> None:
    """They come from another encoder."""
    sentences = Sentences(("a",), np.ones((1, 4), np.float32), "0" * 64)
    with pytest.raises(ModelError, match="the encoder gives 3"):
        sentences.likeness(np.ones((1, 3), np.float32))
