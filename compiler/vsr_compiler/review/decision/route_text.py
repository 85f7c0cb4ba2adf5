"""Renders the decision of a request as a tree for a terminal, and as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review.graph import label
from vsr_schemas.reports_route import MatchReport, RouteReport, RuleReport

_WIDTH = 13
"""Columns of the names."""
_SHOWN = 300
"""Code points of an ask that are shown."""
_LINE = 110
_CATEGORIES = 3
"""Categories whose scores are shown."""


def text(report: RouteReport) -> str:
    """Return a report for a terminal, a line for each fact."""
    return "\n".join(f"{name:{_WIDTH}}{clip(value, _SHOWN)}".rstrip() for name, value in _lines(report))


def _lines(report: RouteReport) -> Iterator[tuple[str, str]]:
    if report.ask is not None:
        yield "ask", " ".join(report.ask.text.split())
        yield "", f"({report.ask.place})"
    talk = report.conversation
    if talk is not None and talk.stick is not None:
        plural = "s" if talk.asks != 1 else ""
        yield "conversation", f"{talk.turn} turn; {talk.asks} ask{plural} compared; stays by `{talk.stick}`"
    if report.category is not None or report.probability is not None:
        yield "category", f"{report.category or 'none'} ({report.probability or 0:.2f})"
    yield from _named("signal", (f"{name}: {_yes(holds)}" for name, holds in report.signals.items()))
    rest = [one for one in report.scores if one.name.startswith("category:")][_CATEGORIES:]
    shown = [one for one in report.scores if one not in rest]
    yield from _named(
        "score",
        (f"{one.name} {one.score:.3f}, threshold {one.threshold:g} ({one.margin:+.3f})" for one in shown),
    )
    yield from _named("guard", map(_match, report.matches))
    yield from _named("tried", map(_rule, report.rules))
    yield "route", report.route or _without_route(report)
    if report.runner_up is not None:
        yield "otherwise", report.runner_up
    if report.model is None:
        yield "answer", f"{report.status} {report.code}"
        return
    yield "model", report.model
    if report.fallback:
        yield "fallback", ", ".join(report.fallback)
    yield from _named("limit", report.limits)
    if report.effects is not None:
        yield from _named("header", (f"{name}: {value}" for name, value in sorted(report.effects.set.items())))
        yield from _named("body", report.effects.body)
    if report.estimate is not None:
        most = report.estimate.answer_at_most
        bound = "" if most is None else f", answer at most {most:g}"
        yield "cost", f"about {report.estimate.prompt_tokens} tokens of prompt: {report.estimate.prompt:g}{bound}"
    yield from _named("carried by", (f"{one.kind} {one.name}  {one.words}".rstrip() for one in report.carriers))


def _without_route(report: RouteReport) -> str:
    if report.model is None:
        return "none"
    return "default" if report.conversation is not None else "none: the client names the model"


def _named(name: str, values: Iterator[str] | list[str] | map[str]) -> Iterator[tuple[str, str]]:
    for number, value in enumerate(values):
        yield ("" if number else name), value


def _rule(rule: RuleReport) -> str:
    terms = ", ".join(f"{term.name} {_yes(term.holds)}" for term in rule.terms)
    return clip(f"{rule.route}: {_yes(rule.holds)}" + (f"  ({terms})" if terms else ""), _LINE)


def _match(match: MatchReport) -> str:
    found = f" {match.type} {match.text!r} at {match.start}-{match.end}" if match.start is not None else ""
    return f"{match.guard}: {match.action}{found}"


def _yes(holds: bool | None) -> str:  # noqa: FBT001 - what is shown
    return "not needed" if holds is None else "yes" if holds else "no"


def mermaid(report: RouteReport) -> str:
    """Return the decision as a Mermaid flowchart, ending in a line break."""
    ask = " ".join(report.ask.text.split()) if report.ask is not None else "request"
    lines = ["flowchart TD", f"  request([{label(clip(ask, _WIDTH * 4))}])"]
    before, arrow = "request", ""
    for number, match in enumerate(report.matches):
        lines += [
            f"  g{number}{{{{{label(f'{match.guard}: {match.action}', match.type)}}}}}",
            _edge(before, f"g{number}", arrow),
        ]
        before = f"g{number}"
    for number, rule in enumerate(report.rules):
        terms = [f"{term.name}: {_yes(term.holds)}" for term in rule.terms]
        lines += [f"  r{number}{{{label(rule.route, *terms)}}}", _edge(before, f"r{number}", arrow)]
        before, arrow = f"r{number}", _yes(rule.holds)
    end = report.model or f"{report.status} {report.code}"
    lines += [f"  end0[{label(end)}]", _edge(before, "end0", arrow)]
    last = "end0"
    for number, one in enumerate(report.carriers):
        lines += [f"  c{number}[{label(f'{one.kind} {one.name}', one.words)}]", _edge(last, f"c{number}", "")]
        last = f"c{number}"
    lines += [f"  f{number}[{label(name)}]" for number, name in enumerate(report.fallback)]
    lines += [f"  end0 -. {label(f'fallback {number + 1}')} .-> f{number}" for number in range(len(report.fallback))]
    return "\n".join(lines) + "\n"


def _edge(start: str, end: str, words: str) -> str:
    return f"  {start} -- {label(words)} --> {end}" if words else f"  {start} --> {end}"
