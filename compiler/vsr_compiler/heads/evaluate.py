"""Evaluates a policy's head, as served, on labelled prompts or on the policy's own examples."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.compile import CompiledHeads, compile_heads
from vsr_compiler.heads.inputs import OTHER, CategoryExamples
from vsr_compiler.heads.labelled_prompts import LabelledPrompt, read_labelled_prompts
from vsr_compiler.heads.logistic import NONE
from vsr_compiler.heads.metrics import EvalSubject, eval_report
from vsr_compiler.heads.train import train_with_held_out
from vsr_compiler.heads.training_set import embed_training_set
from vsr_compiler.syntax.text import read
from vsr_runtime.inference.classifier import CategoryClassifier
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import find_encoder
from vsr_runtime.inference.errors import ModelError
from vsr_schemas import runtime as settings
from vsr_schemas.reports_eval import EvalReport

Existing = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A compiled head: its settings, its encoder, the hash of its inputs, and the files."""

    known: settings.ClassifierSettings
    encoder: settings.EncoderSettings
    inputs: str
    heads: CompiledHeads


def evaluate_data(policy: ir.Policy, path: Path, existing: Existing) -> EvalReport:
    """Evaluate the head on the prompts of a file.

    Raises:
        CompileError: VSR001, VSR004 or VSR005 if the file cannot be read, VSR270 to VSR272 for its content,
            VSR506 if the head cannot be trained or loaded.
    """
    cases, diagnostics = read_labelled_prompts(
        read(path, str(path)), str(path), [category.name for category in policy.categories]
    )
    if diagnostics:
        raise CompileError(diagnostics)
    compiled = _compiled(policy, existing)
    known = compiled.known
    with _errors(policy), tempfile.TemporaryDirectory() as name:
        for file, data in compiled.heads.files.items():
            (Path(name) / file).write_bytes(data)
        classifier = CategoryClassifier.load(known, Path(name))
    rows = [classifier.classify(case.prompt).probabilities for case in cases]
    matrix = np.array([[row[label] for label in known.labels] for row in rows])
    return eval_report(cases, known.labels, matrix, _subject(policy, compiled), held_out=False)


def evaluate_examples(policy: ir.Policy, existing: Existing) -> EvalReport:
    """Evaluate each example of the policy, including ``other``, by a head trained without it and a tenth of the rest.

    Raises:
        CompileError: VSR272 if there are no categories, VSR506 if the head cannot be trained.
    """
    compiled = _compiled(policy, existing)
    categories = [
        CategoryExamples(category.name, category.description, category.examples) for category in policy.categories
    ]
    with _errors(policy):
        files = find_encoder(compiled.encoder.repo, compiled.encoder.sha256)
        samples = embed_training_set(categories, SentenceEncoder.load(files, compiled.encoder.precision))
    _, rows = train_with_held_out(samples, compiled.inputs)
    names = [OTHER if target == NONE else samples.labels[target] for target in samples.targets]
    sizes = Counter(names)
    examples = {(category.name, text) for category in categories for text in category.examples}
    judged = [
        index
        for index, (name, text) in enumerate(zip(names, samples.texts, strict=True))
        if (name, text) in examples and (name == OTHER or sizes[name] > 1)
    ]
    if not judged:
        message = "every category has a single example, so none can be held out"
        raise CompileError([Diagnostic("VSR272", message, policy.span, "Add examples to each category.")])
    lines = {
        (category.name, text): span.line
        for category in policy.categories
        for text, span in zip(category.examples, category.example_spans, strict=True)
    }
    cases = [
        LabelledPrompt(samples.texts[index], names[index], lines[names[index], samples.texts[index]])
        for index in judged
    ]
    return eval_report(cases, samples.labels, rows[judged], _subject(policy, compiled), held_out=True)


def _compiled(policy: ir.Policy, existing: Existing) -> _Compiled:
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        message = "semantic-router classifies with models of its own, which are not available here"
        hint = "Evaluate a running router. Results of vsr-runtime would not apply to it."
        raise CompileError([Diagnostic("VSR272", message, policy.router.span, hint)])
    heads = compile_heads(policy, lambda name: existing(f"router/{name}"), rebuild=False)
    for known in heads.classifiers.values():
        if known.task == "category" and known.encoder is not None and known.head is not None:
            return _Compiled(known, known.encoder, known.head.inputs, heads)
    message = "the policy has no categories with a compiled head"
    raise CompileError([Diagnostic("VSR272", message, policy.span, "Define `categories` with examples.")])


@contextmanager
def _errors(policy: ir.Policy) -> Iterator[None]:
    """Raise VSR506 if the encoder or the head cannot be used."""
    try:
        yield
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), policy.router.span)]) from None


def _subject(policy: ir.Policy, compiled: _Compiled) -> EvalSubject:
    return EvalSubject(policy.name, compiled.encoder.repo, compiled.encoder.precision, compiled.known.threshold)
