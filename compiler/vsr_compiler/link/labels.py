"""Links the examples of heads for tasks of their own, and the signals that test a label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import examples, ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.ir.labels import FALSE_ALARMS, OTHER, Example, LabelExamples
from vsr_compiler.link.example_texts import shipped_topics
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

FALSE_ALARMS_OF_SEVERAL = 0.05
"""Share of texts without a label that may get one, by default, of a head with several labels."""


def link_examples(scope: Scope, name: str, spec: schema.ClassifierSpec) -> tuple[LabelExamples, ...]:
    """Return the examples of a classifier by label, sorted; report what no head can learn from."""
    if spec.examples is None:
        return ()
    path = ("classifiers", name, "examples")
    groups = tuple(
        LabelExamples(
            label,
            tuple(_examples(scope, label, entries, (*path, label))),
            scope.span(*path, label, key=True),
        )
        for label, entries in sorted(spec.examples.items())
    )
    _check_labels(scope, name, spec, path)
    _check_duplicates(scope, groups)
    return groups


def false_alarms(spec: schema.ClassifierSpec) -> float | None:
    """Return the false-alarm rate that chooses the threshold of a head with examples; None if it is stated."""
    if spec.examples is None or spec.threshold is not None:
        return None
    several = len(set(spec.examples) - {OTHER}) > 1
    return spec.false_alarms or (FALSE_ALARMS_OF_SEVERAL if several else FALSE_ALARMS)


def link_label_signal(
    scope: Scope, spec: schema.LabelSignalSpec, path: Path, classifiers: dict[str, ir.Classifier]
) -> ir.LabelSignal | None:
    """Return a signal that tests a label; None if its classifier or a label is not defined, which is reported."""
    where = (*path, "label")
    classifier = scope.resolve(classifiers, spec.classifier, "classifier", (*where, "classifier"))
    if classifier is None:
        return None
    if classifier.task != "labels":
        message = f"classifier `{spec.classifier}` has `task: {classifier.task}`, not `task: labels`"
        scope.report("VSR216", message, (*where, "classifier"), "Use a classifier with `task: labels`.")
        return None
    names = [spec.is_] if isinstance(spec.is_, str) else spec.is_
    known = (*classifier.labels, OTHER)
    sound = True
    for index, label in enumerate(names):
        if label not in known:
            at = (*where, "is") if isinstance(spec.is_, str) else (*where, "is", index)
            hint = suggest(label, known) or f"Its labels: {', '.join(known)}."
            scope.report("VSR248", f"classifier `{classifier.name}` has no label `{label}`", at, hint)
            sound = False
    return ir.LabelSignal(classifier, tuple(sorted(set(names)))) if sound else None


def _examples(scope: Scope, label: str, entries: list[str], path: Path) -> Iterator[Example]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        span = scope.span(*path, index)
        topics: Mapping[str, tuple[str, ...]] = {"": (entry,)}
        source = ""
        if entry.startswith(examples.PREFIX):
            topics = shipped_topics(scope, entry, label, (*path, index))
            source = entry.removeprefix(examples.PREFIX).partition("/")[0]
        for topic, texts in topics.items():
            for text in texts:
                if text not in seen:
                    seen.add(text)
                    yield Example(text, f"{source} {topic}" if topic else "", span)


def _check_labels(scope: Scope, name: str, spec: schema.ClassifierSpec, path: Path) -> None:
    given = set(spec.examples or ())
    labels = given - {OTHER}
    if not labels:
        message = f"classifier `{name}` has no label besides `{OTHER}`"
        scope.report("VSR246", message, path, f"Add a label; `{OTHER}` is for texts without one.", key=True)
    elif spec.task == "jailbreak" and len(labels) > 1:
        names = ", ".join(f"`{label}`" for label in sorted(labels))
        message = f"a head with `task: jailbreak` has one label, not {names}"
        scope.report(
            "VSR246", message, path, f"Put attacks under one label and harmless texts under `{OTHER}`.", key=True
        )
    elif spec.task == "jailbreak" and OTHER not in given:
        message = f"classifier `{name}` has no harmless examples"
        hint = f"Add them under `{OTHER}`, such as `builtin:injection@1/benign`: false alarms are measured on them."
        scope.report("VSR246", message, path, hint, key=True)


def _check_duplicates(scope: Scope, groups: tuple[LabelExamples, ...]) -> None:
    """Report VSR247 for a text that is an example of two labels, once for each pair of places."""
    first: dict[str, LabelExamples] = {}
    for group in groups:
        for example in group.examples:
            other = first.setdefault(example.text, group)
            if other is not group:
                text = " ".join(example.text.split())[:60]
                scope.report_at(
                    "VSR247",
                    f"`{text}` is an example of `{other.label}` and of `{group.label}`",
                    example.span,
                    "Remove it from one of them.",
                )
