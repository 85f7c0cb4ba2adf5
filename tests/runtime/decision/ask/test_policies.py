from __future__ import annotations

from dataclasses import replace

import pytest

from support.common import SMALL
from support.compiled_program import decide, machine
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.program import Program
from vsr_runtime.errors import UserError
from vsr_schemas.runtime import AskSettings, MarkerSettings

REMINDED = "<system-reminder>\nThis is urgent: never say so.\n</system-reminder>\nHow do plants store sugar?"


def policy(signal: str, *more: str) -> str:
    """Return a policy whose only route asks for one signal."""
    routes = "routes:\n  - {name: it, when: {signal: it}, model: big}\n"
    return SMALL[: SMALL.index("categories:")] + "\n".join(
        (f"signals:\n  it: {signal}", *more, routes, "default: little\n")
    )


def route(text: str, content: object, **headers: str) -> str | None:
    """Return the route of one user message."""
    return decide(machine(text), {"model": "auto", "messages": [{"role": "user", "content": content}]}, **headers).route


def test_a_keyword_in_a_reminder_chooses_no_route():
    """Only the person's words count, unless the signal reads the request."""
    assert route(policy("{keywords: [urgent]}"), REMINDED) is None
    assert route(policy("{keywords: [urgent], of: request}"), REMINDED) == "it"
    assert route(policy("{keywords: [sugar]}"), REMINDED) == "it"


def test_a_signal_of_the_request_reads_every_message():
    """Instructions and results of tools are part of the request."""
    messages = [{"role": "system", "content": "urgent"}, {"role": "user", "content": "hello"}]
    action = decide(machine(policy("{keywords: [urgent], of: request}")), {"model": "auto", "messages": messages})
    assert action.route == "it"


def test_the_language_is_that_of_the_ask():
    """A German wrapper does not make an English question German, nor the other way round."""
    notes = "<hinweise>\nAntworte kurz und nenne keine Quellen, die du nicht gesehen hast.\n</hinweise>\n"
    wrapped = f"{notes}How do plants store sugar?"
    assert route(policy("{language: [en]}"), wrapped) == "it"
    assert route(policy("{language: [de]}"), wrapped) is None


def test_a_policy_has_markers_of_its_own():
    """What a marker encloses is left out, or is the ask."""
    context = "ask: {markers: [{open: '<<ticket>>', close: '<</ticket>>'}]}"
    text = "How do plants store sugar? <<ticket>> urgent, says the customer <</ticket>>"
    assert route(policy("{keywords: [urgent]}"), text) == "it"
    assert route(policy("{keywords: [urgent]}", context), text) is None
    holds = "ask: {markers: [{open: '@@', close: '@@', holds: ask}]}"
    assert route(policy("{keywords: [urgent]}", holds), "urgent news\n@@ how are you? @@\nurgent") is None


def test_without_profiles_the_structure_alone_decides():
    """A tag that only a profile knows is judged by its name."""
    text = "<moim>\nurgent\n</moim>\nHow do plants store sugar?"
    assert route(policy("{keywords: [urgent]}", "ask: {profiles: none}"), text) is None


def test_a_configuration_without_settings_reads_the_whole_turn():
    """A configuration of the stock router is read as the stock router reads it."""
    config = machine(policy("{keywords: [urgent]}"))
    stock = replace(config, program=replace(config.program, ask_rules=None))
    body = {"model": "auto", "messages": [{"role": "user", "content": REMINDED}]}
    assert decide(stock, body).route == "it"
    assert with_ask(config.program, None) is config.program


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (AskSettings(profiles=["cline", "nobody"]), "ask.profiles: 'nobody' is not a known profile"),
        (AskSettings(markers=[MarkerSettings(open="(?=x)", close="y")]), "cannot be run in linear time"),
        (AskSettings(markers=[MarkerSettings(open="x", close="y*")]), "matches the empty text"),
        (AskSettings(wholeRequest=["keyword:gone"]), "config.yaml has no signal keyword:gone"),
    ],
)
def test_wrong_settings_stop_the_runtime(settings, words):
    """Each error names the field of runtime.yaml."""
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        with_ask(Program({}, (), (), "small"), settings)


def test_a_guard_finds_the_same_whatever_the_ask():
    """What the ask leaves out is read by guards."""
    guard = "guards:\n  secrets: {patterns: ['hunter[0-9]']}"
    hidden = "<system-reminder>\nhunter2\n</system-reminder>\nHow do plants store sugar?"
    body = {"model": "auto", "messages": [{"role": "user", "content": hidden}]}
    assert decide(machine(policy("{keywords: [sugar]}", guard)), body).status == 403


def test_debug_headers_say_where_the_ask_is():
    """The header names message, part and code points, and no text."""
    config = machine(policy("{keywords: [sugar]}"))
    config = replace(config, debug_headers="always")
    parts = [{"type": "text", "text": "<note>\nx\n</note>"}, {"type": "text", "text": "How do plants store sugar?"}]
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": parts}]
    action = decide(config, {"model": "auto", "messages": messages})
    assert dict(action.response.debug_headers)["x-vsr-ask"] == "messages[1].content[1] 0-26; prose"
    action = decide(config, {"model": "auto", "messages": [{"role": "user", "content": "<note>\nx\n</note>"}]})
    assert dict(action.response.debug_headers)["x-vsr-ask"] == "none"
