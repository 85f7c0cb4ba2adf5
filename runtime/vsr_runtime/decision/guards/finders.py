"""Finders: functions from a normalised text to spans of the original.

A finder is created when a config is read, and used for every request. ``look_through`` runs all finders on a normalised
text, again with spaced letters joined, and again with the escapes of URLs and HTML undone. ``merge`` joins overlapping
findings to one span that covers them all, so that nothing found stays visible. It has the type, score and rule of the
longest one; of equals the one with the highest score, then the first by position and name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from vsr_runtime.decision.deadline import Expired, check_deadline, spend
from vsr_runtime.decision.guards.decoding import decodings
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard import Finder
from vsr_runtime.decision.guards.normalise import NormalisedText, join_spaced_letters, normalise
from vsr_runtime.decision.guards.recogniser import (
    ByteText,
    Recogniser,
    compile_bytes,
    run_recogniser,
    words_pattern,
)
from vsr_runtime.decision.patterns import compile_patterns, matches
from vsr_schemas.pii import GROUPS
from vsr_schemas.pii_numbers import COMPANIES, PEOPLE

_Group = Callable[[ByteText, Expired], list[TextSpan]]
"""Several recognisers with something in common."""


def personal(types: Collection[str]) -> Finder:
    """Return a finder of personal data of these types, spelled as in ``vsr_schemas.pii``.

    Types that need a model are skipped. A narrower type is found under its own name if it is listed, otherwise under
    that of its group.
    """
    from vsr_runtime.decision.guards.rules import contact, dates, network, numbers  # noqa: PLC0415 - needed only by guards

    rules = (*contact.RULES, *numbers.RULES, *network.RULES, *dates.RULES)
    selected = [rule for rule in rules if rule.type in types]
    groups = [_group(selected)] if selected else []
    if "POSTAL_ADDRESS" in types:
        from vsr_runtime.decision.guards.rules import addresses  # noqa: PLC0415 - as above

        groups.append(_group(addresses.RULES))
    if "NATIONAL_ID" in types or not PEOPLE.keys().isdisjoint(types):
        from vsr_runtime.decision.guards.rules import national  # noqa: PLC0415 - as above

        groups += _by_country(national.RULES, national.GATE, types)
    if "TAX_ID" in types or not COMPANIES.keys().isdisjoint(types):
        from vsr_runtime.decision.guards.rules import companies  # noqa: PLC0415 - as above

        groups += _by_country(companies.RULES, companies.GATE, types)
    return _combine(groups)


def _by_country(rules: Iterable[Recogniser], gate: bytes, types: Collection[str]) -> list[_Group]:
    """Return finders of the rules that are selected: those that need a context word, and the rest."""
    selected = []
    for rule in rules:
        if rule.type in types:
            selected.append(rule)
        elif GROUPS[rule.type] in types:
            selected.append(replace(rule, type=GROUPS[rule.type]))
    supported = [rule for rule in selected if rule.context]
    alone = [rule for rule in selected if not rule.context]
    return [_group(alone, gate), _group(supported, gate, with_context=True)]


def credentials() -> Finder:
    """Return a finder of keys, tokens, passwords and other credentials."""
    from vsr_runtime.decision.guards.rules import secrets  # noqa: PLC0415 - as above

    return _combine([_group(secrets.ISSUED, secrets.GATE), _group(secrets.RULES)])


def injection() -> Finder:
    """Return a finder of the structure of attacks: hidden text, forged turns, instruction overrides.

    See ``rules.attacks``.
    """
    from vsr_runtime.decision.guards.rules import attacks  # noqa: PLC0415 - as above

    structure = _combine([_group(attacks.RULES)])
    return lambda normalised, expired: [*normalised.hidden, *structure(normalised, expired)]


def patterns(sources: Sequence[str]) -> Finder:
    """Return a finder of a policy's own patterns in the normalised text, ignoring case. ``rule`` numbers the pattern.

    Raises:
        ValueError: a pattern is invalid.
    """
    compiled = compile_patterns(sources, case_sensitive=False)

    def find(normalised: NormalisedText, expired: Expired) -> list[TextSpan]:
        data = normalised.text.encode("utf-8", "surrogatepass")
        places = _character_index(normalised.text, data)
        findings = []
        for number, pattern in enumerate(compiled.patterns, 1):
            for match in matches(pattern, data, expired):
                if match.end() > match.start():
                    place = normalised.original(places(match.start()), places(match.end()))
                    findings.append(TextSpan(*place, "PATTERN", 1.0, f"pattern-{number}"))
        return findings

    return find


def spans(finders: Iterable[Finder], text: str, expired: Expired) -> list[TextSpan]:
    """Return the findings of several finders in a text, by position and without overlap.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    return merge(look_through(finders, normalise(text), expired))


def look_through(finders: Iterable[Finder], normalised: NormalisedText, expired: Expired) -> list[TextSpan]:
    """Return the findings of several finders in all views of a normalised text.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    return look_at(finders, views_of(normalised), expired)


def look_at(finders: Iterable[Finder], views: Sequence[NormalisedText], expired: Expired) -> list[TextSpan]:
    """Return the findings of several finders in several views of a text.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    return [span for finder in finders for view in views for span in finder(view, expired)]


def views_of(normalised: NormalisedText) -> Sequence[NormalisedText]:
    """Return a text as finders read it: as it is, with escapes undone, and each with spaced letters joined."""
    apart = join_spaced_letters(normalised)
    views = [normalised] if apart is None else [normalised, apart]
    for base in tuple(views):
        for decoded in decodings(base):
            joined = join_spaced_letters(decoded)
            views += [decoded] if joined is None else [decoded, joined]
    return views


def merge(findings: Iterable[TextSpan]) -> list[TextSpan]:
    """Return the spans by position and without overlap, as described for the module."""
    merged: list[TextSpan] = []
    cluster: list[TextSpan] = []
    end = 0
    for span in sorted(findings, key=lambda span: (span.start, span.end)):
        if cluster and span.start >= end:
            merged.append(_merge_cluster(cluster))
            cluster = []
        cluster.append(span)
        end = max(end, span.end)
    return [*merged, _merge_cluster(cluster)] if cluster else merged


def _merge_cluster(cluster: Sequence[TextSpan]) -> TextSpan:
    best = min(cluster, key=lambda span: (span.start - span.end, -span.score, span.start, span.type, span.rule))
    start, end = min(span.start for span in cluster), max(span.end for span in cluster)
    return TextSpan(start, end, best.type, best.score, best.rule)


def _group(rules: Iterable[Recogniser], gate: bytes | None = None, *, with_context: bool = False) -> _Group:
    """Return a function that runs several recognisers.

    It returns early unless the gate, which every finding passes, matches. If all of them need context, ``with_context``
    makes the words of all of them another gate.
    """
    every = tuple(rules)
    fewest = min((rule.digits for rule in every), default=0)
    run = _runner(every)
    terms = tuple(term for rule in every for term in rule.terms)
    words = words_pattern(b"|".join(dict.fromkeys(rule.context for rule in every))) if with_context else None
    for pattern in (gate, words):
        if pattern is not None:
            compile_bytes(pattern)

    def has_context(text: str, data: bytes) -> bool:
        if words is None or compile_bytes(words).search(data) is not None:
            return True
        return not text.isascii() and any(term in text.lower() for term in terms)

    def find(text: ByteText, expired: Expired) -> list[TextSpan]:
        check_deadline(expired, len(text.data))
        if not every or text.digits < fewest:
            return []
        if gate is not None and compile_bytes(gate).search(text.data) is None:
            return []
        return run(text, expired) if has_context(text.normalised.text, text.data) else []

    return find


def _runner(rules: Sequence[Recogniser]) -> _Group:
    """Return a function that runs those recognisers that may match a text with its number of digits and its letters."""
    searches = [(compile_bytes(rule.pattern).search, rule) for rule in rules]
    most = max((rule.digits for rule in rules), default=0)
    by_digits = [
        tuple((search, rule) for search, rule in searches if rule.digits <= number) for number in range(most + 1)
    ]

    def run(text: ByteText, expired: Expired) -> list[TextSpan]:
        possible = by_digits[min(text.digits, most)]
        spend(expired, len(text.data) * len(possible))
        found: list[TextSpan] = []
        for search, rule in possible:
            if not rule.literals or text.has(rule.literals):
                match = search(text.data)
                if match is not None:
                    found += run_recogniser(rule, match, text, expired)
        return found

    return run


def _combine(groups: Sequence[_Group]) -> Finder:
    def find(normalised: NormalisedText, expired: Expired) -> list[TextSpan]:
        text = ByteText(normalised)
        return [span for group in groups for span in group(text, expired)]

    return find


def _character_index(text: str, data: bytes) -> Callable[[int], int]:
    """Return a function from byte offsets to character offsets. Fast for ascending offsets; otherwise it restarts."""
    if len(text) == len(data):
        return int
    at, count = 0, 0

    def place(byte: int) -> int:
        nonlocal at, count
        if byte < at:
            at, count = 0, 0
        count += len(data[at:byte].decode("utf-8", "surrogatepass"))
        at = byte
        return count

    return place
