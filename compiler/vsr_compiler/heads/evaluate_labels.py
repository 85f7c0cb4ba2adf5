"""Evaluates a head of a task of its own, as served, on labelled prompts or on its examples."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.label_heads import compile_label_heads, encoder_settings
from vsr_compiler.heads.label_set import embed_label_set
from vsr_compiler.heads.labelled_prompts import LabelledPrompt, read_labelled_prompts
from vsr_compiler.heads.logistic import NONE
from vsr_compiler.heads.metrics import EvalSubject, eval_report
from vsr_compiler.heads.train import train_by_topic
from vsr_compiler.ir.labels import OTHER
from vsr_compiler.syntax.text import read
from vsr_runtime.inference.classifier import load_encoder
from vsr_runtime.inference.compiled_detector import CompiledDetector
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import find_encoder
from vsr_runtime.inference.errors import ModelError
from vsr_schemas.reports_eval import EvalReport

Existing = Callable[[str], bytes | None]


def head_named(policy: ir.Policy, name: str) -> ir.Classifier:
    """Return the classifier of a name, which must be a head with examples of its own.

    Raises:
        CompileError: VSR272 if there is none.
    """
    heads = {one.name: one for one in policy.classifiers if one.examples}
    if name in heads:
        return heads[name]
    listed = f"Heads with examples of their own: {', '.join(sorted(heads)) or 'none'}."
    raise CompileError([Diagnostic("VSR272", f"no classifier `{name}` has `examples`", policy.span, listed)])


def evaluate_label_data(policy: ir.Policy, name: str, path: Path, existing: Existing) -> EvalReport:
    """Evaluate a head on the prompts of a file, whose lines have a ``label``.

    Raises:
        CompileError: VSR001, VSR004 or VSR005 if the file cannot be read, VSR270 to VSR272 for its content or if there
            is no such head, VSR506 if the head cannot be trained or loaded.
    """
    classifier = head_named(policy, name)
    cases, diagnostics = read_labelled_prompts(read(path, str(path)), str(path), classifier.labels, "label")
    if diagnostics:
        raise CompileError(diagnostics)
    files, known = compile_label_heads(_alone(policy, classifier), _in_router(existing), rebuild=False)
    settings = known[classifier.name]
    try:
        with tempfile.TemporaryDirectory() as folder:
            for file, data in files.items():
                (Path(folder) / file).write_bytes(data)
            detector = CompiledDetector.load(classifier.name, settings, Path(folder), load_encoder)
        rows = [detector.probabilities(case.prompt) for case in cases]
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
    matrix = np.array([[row[label] for label in settings.labels] for row in rows])
    return eval_report(cases, settings.labels, matrix, _subject(policy, classifier, settings.threshold), held_out=False)


def evaluate_label_examples(policy: ir.Policy, name: str, existing: Existing) -> EvalReport:
    """Evaluate each example of a head by one that was trained without its topic.

    Raises:
        CompileError: VSR272 if there is no such head, VSR506 if it cannot be trained.
    """
    classifier = head_named(policy, name)
    _, known = compile_label_heads(_alone(policy, classifier), _in_router(existing), rebuild=False)
    encoder = encoder_settings(classifier)
    try:
        loaded = SentenceEncoder.load(find_encoder(encoder.repo, encoder.sha256), encoder.precision)
        samples = embed_label_set(classifier.examples, loaded)
    except ModelError as error:
        raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
    _, rows, seen = train_by_topic(samples, "")
    lines = {(group.label, one.text): one.span.line for group in classifier.examples for one in group.examples}
    names = [OTHER if target == NONE else samples.labels[target] for target in samples.targets]
    pairs = list(zip(names, samples.texts, strict=True))
    judged = [index for index, pair in enumerate(pairs) if pair in lines and seen[index]]
    if not judged:
        message = "no example can be held out"
        raise CompileError([Diagnostic("VSR272", message, classifier.span, "Add examples to each label.")])
    cases = [LabelledPrompt(pairs[index][1], pairs[index][0], lines[pairs[index]]) for index in judged]
    subject = _subject(policy, classifier, known[classifier.name].threshold)
    return eval_report(cases, samples.labels, rows[judged], subject, held_out=True)


def _alone(policy: ir.Policy, classifier: ir.Classifier) -> ir.Policy:
    """Return the policy as if it used this classifier alone."""
    return replace(policy, classifier=classifier, guards=(), signals=())


def _in_router(existing: Existing) -> Existing:
    return lambda name: existing(f"router/{name}")


def _subject(policy: ir.Policy, classifier: ir.Classifier, threshold: float) -> EvalSubject:
    encoder = encoder_settings(classifier)
    return EvalSubject(policy.name, encoder.repo, encoder.precision, threshold, classifier.name)
