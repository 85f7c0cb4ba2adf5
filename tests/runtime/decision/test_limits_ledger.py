"""What is counted of limits, by a clock that the test moves."""

from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.identity.client import Client, ClientTest
from vsr_runtime.decision.limits.ledger import Admitted, Exceeded, Ledger
from vsr_runtime.decision.limits.rules import Claim, Price, Rate, Rates, Usage
from vsr_runtime.decision.program.build_limits_of_use import with_rates
from vsr_runtime.decision.program.context_length import NO_DEMAND
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.limit_refusal import refusal
from vsr_runtime.decision.request.usage import MAX_DOCUMENT, UsageMeter, estimated, read_usage
from vsr_runtime.errors import UserError
from vsr_schemas.runtime_limits import RateSettings, RatesSettings

PRICES = {"big": Price(10, 30, 1), "small": Price(1, 2, 1)}
ADA = Client({"user": "ada", "team": "research"}, credential="keys/ada")
ESTIMATE = Usage(10, 90)
BOT = Client({"user": "bot", "team": "interns"}, credential="keys/bot")


def rate(unit="requests", share=2.0, per=("client",), window=60, **more) -> Rate:
    """A limit of one replica."""
    return Rate("limit", frozenset(per), unit, share, share, window, **more)


def claim(models=("big",), client=ADA, route="default", estimate=ESTIMATE, **more) -> Claim:
    """A request."""
    return Claim(Api.CHAT, models, route, client, estimate, **more)


def outcomes(rates: Rates, *claims: Claim, now: float = 0.0, address: bytes = b"") -> list[str]:
    """Whether each of several requests is admitted."""
    ledger = Ledger()
    return ["in" if isinstance(ledger.admit(rates, each, address, now), Admitted) else "out" for each in claims]


def test_request_above_the_limit_waits_until_the_window_ends() -> None:
    """Windows begin at multiples of their length, so the third second of a minute leaves 57."""
    ledger, rates = Ledger(), Rates((rate(),))
    assert all(isinstance(ledger.admit(rates, claim(), b"", 123.0), Admitted) for _ in range(2))
    refused = ledger.admit(rates, claim(), b"", 123.5)
    assert isinstance(refused, Exceeded)
    assert (refused.reset, refused.model) == (57, None)
    assert isinstance(ledger.admit(rates, claim(), b"", 179.999), Exceeded)
    assert isinstance(ledger.admit(rates, claim(), b"", 180.0), Admitted)


def test_clock_that_is_set_back_opens_no_window_again() -> None:
    """Otherwise every correction of the clock would double a budget."""
    ledger, rates = Ledger(), Rates((rate(share=1),))
    assert isinstance(ledger.admit(rates, claim(), b"", 120.0), Admitted)
    assert isinstance(ledger.admit(rates, claim(), b"", 59.0), Exceeded)


@pytest.mark.parametrize(
    ("per", "apart"),
    [
        (("client",), (ADA, BOT)),
        (("team",), (ADA, BOT)),
        (("key",), (ADA, Client({"user": "ada"}, credential="keys/other"))),
        (("client",), (ADA, Client({"user": "ada", "tenant": "acme"}))),
    ],
)
def test_one_client_never_uses_up_the_limit_of_another(per, apart) -> None:
    """Each has a count of its own."""
    first, second = (claim(client=client) for client in apart)
    assert outcomes(Rates((rate(per=per, share=1),)), first, first, second) == ["in", "out", "in"]


def test_clients_without_a_team_share_one_count() -> None:
    """Otherwise a client could leave the limits of its team by leaving its team."""
    nobody = [claim(client=Client({"user": name})) for name in ("a", "b")]
    assert outcomes(Rates((rate(per=("team",), share=1),)), *nobody) == ["in", "out"]


def test_without_identity_a_client_is_its_address() -> None:
    """No header of a request changes that."""
    ledger, rates = Ledger(), Rates((rate(share=1),))
    sent = [ledger.admit(rates, claim(client=None), address, 0.0) for address in (b"a", b"a", b"b", b"", b"")]
    assert [isinstance(one, Admitted) for one in sent] == [True, False, True, True, False]


def test_count_of_models_and_routes_is_theirs() -> None:
    """A combination has a count for each pair."""
    rates = Rates((rate(per=("model", "route"), share=1),))
    claims = [claim(("big",)), claim(("small",)), claim(("big",), route="math"), claim(("big",))]
    assert outcomes(rates, *claims) == ["in", "in", "in", "out"]


def test_limit_counts_only_what_it_selects() -> None:
    """By clients, models and routes."""
    tests = (ClientTest("team", frozenset({"interns"})),)
    rates = Rates((rate(share=1, clients=tests, models=frozenset({"big"}), routes=frozenset({"math"})),))
    other = [claim(route="math"), claim(client=BOT), claim(("small",), client=BOT, route="math")]
    assert outcomes(rates, *other, *other) == ["in"] * 6
    hit = claim(client=BOT, route="math")
    assert outcomes(rates, hit, hit) == ["in", "out"]


def test_requests_at_the_same_time_count_as_what_they_may_use() -> None:
    """So that a hundred of them cannot all pass because none has ended."""
    rates = Rates((rate("tokens", share=250),))
    assert outcomes(rates, *[claim()] * 6) == ["in", "in", "in", "out", "out", "out"]


def test_response_replaces_the_estimate() -> None:
    """In both directions."""
    ledger, rates = Ledger(), Rates((rate("tokens", share=250),))
    admitted = [ledger.admit(rates, claim(), b"", 0.0) for _ in range(3)]
    for one in admitted:
        assert isinstance(one, Admitted)
        ledger.settle(rates, one, Usage(10, 10))
    now = [ledger.admit(rates, claim(), b"", 1.0) for _ in range(4)]
    assert [isinstance(one, Admitted) for one in now] == [True, True, False, False]


def test_response_that_ends_in_a_later_window_changes_nothing_there() -> None:
    """What was estimated belongs to the window that is over."""
    ledger, rates = Ledger(), Rates((rate("tokens", share=100),))
    before = ledger.admit(rates, claim(), b"", 59.0)
    assert isinstance(before, Admitted)
    assert isinstance(ledger.admit(rates, claim(), b"", 60.0), Admitted)
    ledger.settle(rates, before, Usage())
    assert isinstance(ledger.admit(rates, claim(), b"", 61.0), Exceeded)


def test_dollars_count_cached_tokens_at_their_price() -> None:
    """And a request that several models may answer as the dearest."""
    rates = Rates((rate("dollars"),), PRICES)
    usage = Usage(1_000_000, 100_000, 500_000)
    assert rates.cost(rates.limits[0], ("big",), usage) == pytest.approx(5 + 0.5 + 3)
    assert rates.cost(rates.limits[0], ("small", "big"), usage) == pytest.approx(8.5)


def test_request_above_a_soft_limit_goes_to_the_cheaper_model() -> None:
    """Whose requests the limit does not count, and which a limit that refuses goes before."""
    soft = rate(share=1, over="small")
    ledger = Ledger()
    assert isinstance(ledger.admit(Rates((soft,)), claim(), b"", 0.0), Admitted)
    moved = ledger.admit(Rates((soft,)), claim(), b"", 0.0)
    assert isinstance(moved, Exceeded)
    assert moved.model == "small"
    assert isinstance(ledger.admit(Rates((soft,)), claim(("small",)), b"", 0.0), Admitted)
    both = Rates((soft, Rate("hard", frozenset({"client"}), "requests", 0, 0, 60)))
    refused = ledger.admit(both, claim(), b"", 0.0)
    assert isinstance(refused, Exceeded)
    assert (refused.rate.name, refused.model) == ("hard", None)
    guarded = ledger.admit(Rates((soft,)), claim(movable=False), b"", 0.0)
    assert isinstance(guarded, Exceeded)
    assert guarded.model is None


def test_fallback_above_a_limit_is_left_out() -> None:
    """The request goes to its own model alone."""
    rates, ledger = Rates((rate(per=("model",), share=1, models=frozenset({"small"})),)), Ledger()
    assert isinstance(ledger.admit(rates, claim(("big", "small")), b"", 0.0), Admitted)
    moved = ledger.admit(rates, claim(("big", "small")), b"", 0.0)
    assert isinstance(moved, Exceeded)
    assert moved.model == "big"
    assert isinstance(ledger.admit(rates, claim(("big",)), b"", 0.0), Admitted)


def test_counts_are_bounded_and_clients_beyond_share_one() -> None:
    """Nobody gets a fresh count by filling the table; those of earlier windows make room."""
    ledger, rates = Ledger(max_keys=3), Rates((rate(share=1),))
    addresses = [bytes([number]) for number in range(6)]
    first = [ledger.admit(rates, claim(client=None), address, 0.0) for address in addresses]
    assert [isinstance(one, Admitted) for one in first] == [True, True, True, True, False, False]
    again = [ledger.admit(rates, claim(client=None), address, 1.0) for address in addresses]
    assert not any(isinstance(one, Admitted) for one in again)
    later = [ledger.admit(rates, claim(client=None), address, 61.0) for address in addresses[3:]]
    assert all(isinstance(one, Admitted) for one in later)


def test_refused_request_counts_for_no_limit() -> None:
    """Otherwise one limit would use up another one."""
    narrow, wide = rate(share=1), Rate("wide", frozenset({"team"}), "requests", 2, 2, 60)
    second = claim(client=Client({"user": "eve", "team": "research"}))
    assert outcomes(Rates((narrow, wide)), claim(), claim(), claim(), second) == ["in", "out", "out", "in"]


USAGES = {
    "chat": ({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}, Usage(7, 5)),
    "cached": (
        {"prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}},
        Usage(7, 5, 4),
    ),
    "embeddings": ({"prompt_tokens": 7, "total_tokens": 7}, Usage(7)),
    "rerank": ({"total_tokens": 9}, Usage(9)),
    "responses": (
        {"input_tokens": 7, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 3}},
        Usage(7, 5, 3),
    ),
    "messages": ({"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 100}, Usage(107, 5, 100)),
    "nothing": ({"prompt_tokens": 0, "completion_tokens": 0}, None),
    "nonsense": ({"prompt_tokens": "7", "completion_tokens": -5, "total_tokens": True}, None),
}


@pytest.mark.parametrize("name", USAGES)
def test_usage_is_read_in_the_form_of_every_api(name: str) -> None:
    """What is no count is no usage."""
    given, expected = USAGES[name]
    assert read_usage(given) == expected


def read(api: Api, data: bytes, kind: str = "application/json", status: str = "200", size: int = 1 << 30) -> Usage:
    """The usage of a response that comes in pieces."""
    meter = UsageMeter(api, Usage(10, 1000))
    meter.begin({":status": status, "content-type": kind})
    for start in range(0, len(data), size):
        meter.feed(data[start : start + size])
    return meter.result()


def events(*documents: object) -> bytes:
    """An event stream."""
    return b"".join(f"data: {json.dumps(each)}\n\n".encode() for each in documents)


CHUNK = {"choices": [{"delta": {"content": "word"}}]}
STREAMS = {
    Api.CHAT: (events(CHUNK, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}), Usage(3, 4)),
    Api.RESPONSES: (
        events({"type": "response.completed", "response": {"usage": {"input_tokens": 3, "output_tokens": 4}}}),
        Usage(3, 4),
    ),
    Api.MESSAGES: (
        events(
            {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 4}},
        ),
        Usage(3, 4),
    ),
}


@pytest.mark.parametrize("api", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_usage_is_read_from_streams_however_they_are_cut(api: Api, size: int) -> None:
    """At whatever byte."""
    data, expected = STREAMS[api]
    assert read(api, data, "text/event-stream; charset=utf-8", size=size) == expected


def test_words_of_a_model_are_no_usage() -> None:
    """A client could ask the model to say them, or to call a tool with them."""
    lie = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    tool = {"content": [{"type": "tool_use", "input": lie}]}
    assert read(Api.MESSAGES, json.dumps(tool).encode()) == Usage(10, 1000)
    assert read(Api.CHAT, json.dumps({"choices": [{"message": lie}]}).encode()) == Usage(10, 1000)
    streamed = read(Api.MESSAGES, events({"type": "content_block_delta", "delta": lie}), "text/event-stream")
    assert streamed.prompt == 10


def test_response_that_says_nothing_counts_as_its_estimate_or_more() -> None:
    """Never as nothing."""
    assert read(Api.CHAT, b'{"choices": []}') == Usage(10, 1000)
    assert read(Api.CHAT, b"not json") == Usage(10, 1000)
    assert read(Api.CHAT, b"x" * (MAX_DOCUMENT + 1)).completion > 80_000
    assert read(Api.EMBEDDINGS, b"x" * (MAX_DOCUMENT + 1)) == Usage(10)
    assert read(Api.CHAT, b"", "text/event-stream") == Usage(10, 1000)


def test_stream_without_usage_counts_its_events() -> None:
    """An event is a token at least; one with more text counts more."""
    short = read(Api.CHAT, events(*[CHUNK] * 30), "text/event-stream")
    assert short == Usage(10, 30)
    long = {"choices": [{"delta": {"content": "word" + "x" * 300}}]}
    assert read(Api.CHAT, events(CHUNK, long), "text/event-stream") == Usage(10, 2 + 100)


def test_stream_that_is_cut_off_counts_what_came() -> None:
    """Anthropic's streams say one token at their beginning."""
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}
    usage = read(Api.MESSAGES, events(start, *[{"type": "content_block_delta"}] * 40), "text/event-stream")
    assert usage.prompt == 3
    assert usage.completion >= 40


def test_errors_of_a_model_and_counting_of_tokens_use_none() -> None:
    """No model has computed anything."""
    assert read(Api.CHAT, b'{"error": {}}', status="500") == Usage()
    assert read(Api.CHAT, b"{}", status="") == Usage(10, 1000)
    assert read(Api.COUNT_TOKENS, b'{"input_tokens": 4}') == Usage()
    assert estimated(Api.COUNT_TOKENS, "{}", {"messages": []}, NO_DEMAND) == Usage()


def test_request_may_use_what_it_asks_for() -> None:
    """As often as it asks for; without a bound, a usual amount."""
    values = {"messages": [{"role": "user", "content": "x" * 300}], "max_tokens": 50, "n": 3}
    asked = estimated(Api.CHAT, json.dumps(values), values, NO_DEMAND)
    assert asked.prompt >= 100
    assert asked.completion == 150
    open_ended = {"messages": values["messages"]}
    assert estimated(Api.CHAT, json.dumps(open_ended), open_ended, NO_DEMAND).completion == 1024
    assert estimated(Api.EMBEDDINGS, "{}", {"input": "abc"}, NO_DEMAND).completion == 0


def test_large_limit_is_written_as_a_number() -> None:
    """In the header for programs, and with separators for people."""
    answer = refusal(claim(), Exceeded(rate(share=2_000_000.0), 5))
    assert dict(answer.headers)["x-ratelimit-limit"] == "2000000"
    assert b"2,000,000 requests" in answer.body


def test_processes_of_one_pod_share_what_it_allows() -> None:
    """Four of them, in each of three replicas."""
    settings = RatesSettings(
        replicas=3, limits=[RateSettings(name="a", per=["model"], unit="requests", amount=24, window=60)]
    )
    rates = with_rates(Program({}, (), (), "none"), settings, 4).rates
    assert rates is not None
    assert [one.share for one in rates.limits] == [2]


def test_limit_that_processes_cannot_share_is_refused_at_the_start() -> None:
    """Otherwise it would refuse every request."""
    settings = RatesSettings(limits=[RateSettings(name="a", per=["model"], unit="requests", amount=3, window=60)])
    with pytest.raises(UserError, match="less than one for each of 4 processes"):
        with_rates(Program({}, (), (), "none"), settings, 4)
