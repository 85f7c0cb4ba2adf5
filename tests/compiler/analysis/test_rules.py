"""One policy per rule of meaning: the exact code and line."""

from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import Diagnostic

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  one: {vllm: {}}
  two: {service: {name: two, port: 8000}}
  far: {external: {url: "https://api.example.com/v1", apiKey: {secret: far, key: token}}}
models:
  big: {checkpoint: example/big, endpoints: one}
  little: {endpoints: two}
  gpt: {endpoints: far}
categories:
  math: {description: Numbers and proofs., examples: ["Solve x + 1 = 2."]}
  law: {description: Courts and contracts., examples: ["Who can sue?"]}
signals:
  urgent: {keywords: [urgent, asap]}
  vip: {keywords: [gold]}
  long: {context: {min: 8192}}
  huge: {context: {min: 16384}}
  short: {context: {max: 100}}
guards:
  pii: {types: [EMAIL_ADDRESS], action: mask}
  keys: {patterns: builtin, except: {models: [gpt]}}
  soft: {types: [URL], action: flag}
default: big
"""
SILENT = {"VSR105", "VSR235", "VSR236", "VSR238"}
"""Codes about what these short policies leave out; rules about routes are looked at alone."""


def found(rest: str, *, silent: set[str] = SILENT) -> list[Diagnostic]:
    """Findings of the head with more lines after it."""
    return [item for item in analyse(linked(HEAD + rest), {"istio"}) if item.code not in silent]


def routes(*conditions: str, **extra: str) -> str:
    """Routes a, b, c… with these conditions; models alternate, so that order matters."""
    lines = [
        f"  - {{name: {name}, when: {when}, model: {('big', 'little')[index % 2]}{extra.get(name, '')}}}"
        for index, (name, when) in enumerate(zip("abcdefgh", conditions, strict=False))
    ]
    return "routes:\n" + "\n".join(lines) + "\n"


MATH, LAW = "{category: math}", "{category: law}"
LATE = ", retry: {attempts: 2, on: [timeout], firstByte: 9s}"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (routes(MATH, LAW), []),
        (routes(MATH, MATH), [("VSR230", 29)]),
        (routes("{signal: urgent}", "{all: [{signal: urgent}, {category: math}]}"), [("VSR230", 29)]),
        (routes("{signal: urgent}", "{not: {signal: urgent}}", MATH), [("VSR230", 30)]),
        (routes("always", MATH), [("VSR230", 29)]),
        (routes("{signal: long}", "{signal: huge}"), [("VSR230", 29)]),
        (routes("{signal: huge}", "{signal: long}"), []),
        (routes("{all: [{category: math}, {category: law}]}"), [("VSR231", 28)]),
        (routes("{all: [{signal: urgent}, {not: {signal: urgent}}]}"), [("VSR231", 28)]),
        (routes("{all: [{signal: short}, {signal: long}]}"), [("VSR231", 28)]),
        (routes("{any: [{signal: urgent}, {not: {signal: urgent}}]}"), [("VSR232", 28)]),
        (routes("{all: [{category: math}, {any: [{signal: long}, {not: {signal: huge}}]}]}"), [("VSR233", 28)]),
        (routes(MATH, "{signal: urgent}", a=", priority: 5", b=", priority: 5"), [("VSR234", 29)]),
        (routes(MATH, LAW, a=", priority: 5", b=", priority: 5"), []),
        (routes(MATH, "{signal: urgent}"), []),
        ("gateway: {timeout: 1s}\n", [("VSR245", 4)]),
        (routes(MATH, a=LATE.replace("9s", "300s")), [("VSR245", 28)]),
        (routes(MATH, a=LATE), []),
        ("default2: x\n", None),
    ],
)
def test_each_rule_reports_its_code_and_nothing_else(rest: str, expected: list[tuple[str, int]] | None) -> None:
    """Codes and lines; the last case pins down that a broken policy never gets as far as analysis."""
    if expected is None:
        with pytest.raises(Exception, match="unknown key"):
            found(rest)
        return
    assert [(item.code, item.span.line) for item in found(rest)] == expected


def test_route_with_higher_priority_is_evaluated_first() -> None:
    """What shadows is decided by the order of trying, not by the order in the file."""
    rest = routes("{all: [{category: math}, {signal: urgent}]}", MATH, b=", priority: 9")
    assert [(item.code, item.span.line) for item in found(rest)] == [("VSR230", 28)]


def test_each_unused_definition_is_reported_once() -> None:
    """Categories in one finding, everything else by name."""
    items = found(routes(MATH) + "environments: {dev: {}}\n", silent={"VSR105"})
    reported = {(item.code, item.span.line) for item in items}
    unused_signals = {("VSR238", line) for line in range(17, 22)}
    assert reported == {("VSR235", 15), ("VSR236", 12)} | unused_signals


def test_unknown_target_is_an_error_at_its_environment() -> None:
    """The hint lists the targets."""
    rest = routes(MATH) + "environments: {a: {target: ai-gateway}}\n"
    rest += f"classifiers: {{judge: {{task: jailbreak, checkpoint: {{repo: a/b, revision: {'0' * 40}}}}}}}\n"
    head = HEAD.replace("  soft:", "  attacks: {detector: judge, on: both}\n  soft:")
    items = [item for item in analyse(linked(head + rest), {"istio"}) if item.code == "VSR105"]
    assert [item.span.line for item in items] == [30]
    assert [item.message for item in items] == ["the target `ai-gateway` of the environment `a` is not supported"]


PROOFS = [
    ("always: {category: math, to: big}", routes(MATH), True),
    ("always: {category: math, to: big}", routes("{signal: urgent}", MATH), False),
    ("always: {category: math, to: little}", routes(MATH), False),
    ("always: {category: math, to: [big, little]}", routes("{signal: urgent}", "{signal: vip}", MATH), True),
    ("always: {category: math, to: big}", routes("{all: [{signal: urgent}, {not: {category: math}}]}"), True),
    ("always: {category: law, to: little}", routes(MATH, LAW), True),
    ("always: {signal: huge, to: little}", routes(MATH, "{signal: long}"), False),
    ("always: {signal: huge, to: [little, big]}", routes(MATH, "{signal: long}"), True),
    ("never: {to: external, without: [pii]}", routes(MATH), True),
    ("never: {to: external, without: [pii, keys]}", routes(MATH), False),
    ("never: {to: external, without: soft}", routes(MATH), False),
    ("never: {category: math, to: external}", routes(MATH), True),
    ("never: {to: gpt}", routes(MATH), False),
    ("always: {through: [pii]}", routes(MATH), True),
    ("always: {through: [pii, keys]}", routes(MATH), False),
]


@pytest.mark.parametrize(("assertion", "rest", "proved"), PROOFS)
def test_assertions_are_proved_or_refuted(assertion: str, rest: str, *, proved: bool) -> None:
    """Over routes, guards and exemptions, for requests that name a model too."""
    items = found(f"{rest}assertions: [{{{assertion}}}]\n")
    assert [item.code for item in items] == ([] if proved else ["VSR240"])


@pytest.mark.parametrize("less", ["unreadable: pass", "on: response", "onError: pass", "action: flag"])
def test_guard_that_can_be_bypassed_proves_nothing(less: str) -> None:
    """As in the runtime: images that pass unread, responses only, errors that pass, and a flag that stops nobody."""
    head = HEAD.replace("action: mask", less)
    (item,) = [
        item
        for item in analyse(linked(head + routes(MATH) + "assertions: [{always: {through: pii}}]\n"), {"istio"})
        if item.code not in SILENT
    ]
    assert item.code == "VSR240"


def test_violated_assertion_describes_a_request_and_its_path() -> None:
    """It names the request, its way, and the guard that is missing."""
    rest = "routes:\n  - {name: hurry, when: {signal: urgent}, model: gpt}\n"
    (item,) = found(rest + "assertions: [{never: {category: math, to: external, without: keys}}]\n")
    assert item.message == (
        "assertion violated: a request of category `math`, with `urgent` takes route `hurry` (line 28) to model `gpt` "
        "without the guard `keys` (`never: category math, to external, without keys`)"
    )


def test_assertion_covers_requests_that_name_a_model() -> None:
    """An assertion without a category or signal speaks of it too."""
    (item,) = found(routes(MATH) + "assertions: [{never: {to: gpt}}]\n")
    assert item.message == "assertion violated: a request that names the model `gpt` reaches it (`never: to gpt`)"


def test_vacuous_assertion_is_a_warning() -> None:
    """It would hold of any policy, so it is probably not what was meant."""
    text = HEAD.replace(
        '  far: {external: {url: "https://api.example.com/v1", apiKey: {secret: far, key: token}}}\n', ""
    )
    text = text.replace("endpoints: far", "endpoints: two")
    items = analyse(linked(text + routes(MATH) + "assertions: [{never: {to: external, without: pii}}]\n"), {"istio"})
    assert [item.code for item in items if item.code not in SILENT] == ["VSR241"]


def test_two_hundred_signals_are_decided_without_listing_their_combinations() -> None:
    """Two to the power of two hundred assignments are never written down."""
    names = [f"s{index}" for index in range(200)]
    signals = "".join(f"  {name}: {{keywords: [{name}]}}\n" for name in names)
    text = HEAD.replace("guards:\n", f"{signals}guards:\n")
    every = ", ".join(f"{{signal: {name}}}" for name in names)
    rest = (
        f"routes:\n  - {{name: a, when: {{any: [{every}]}}, model: big}}\n"
        f"  - {{name: b, when: {{not: {{any: [{every}]}}}}, model: little}}\n"
        "  - {name: c, when: {category: math}, model: big}\n"
        "assertions: [{always: {category: math, to: [big, little]}}]\n"
    )
    items = [item for item in analyse(linked(text + rest), {"istio"}) if item.code not in SILENT]
    assert [(item.code, item.message.split(" is ")[0]) for item in items] == [("VSR230", "route `c`")]


def test_fail_open_needs_a_default_that_serves_the_auto_model_name() -> None:
    """`onFailure: default-model` needs a default whose server is the compiler's."""
    text = HEAD.replace("router: {image", "router: {onFailure: default-model, image").replace(
        "default: big", "default: little"
    )
    items = [item for item in analyse(linked(text + routes(MATH)), {"istio"}) if item.code not in SILENT | {"VSR340"}]
    assert [(item.code, item.span.line) for item in items] == [("VSR243", 4)]
    adapter = text.replace("endpoints: one}", "endpoints: one, loras: {law: {path: /law}}}").replace(
        "default: little", "default: law"
    )
    items = [item for item in analyse(linked(adapter), {"istio"}) if item.code == "VSR243"]
    assert ["of adapter `law`" in item.message for item in items] == [True]


def test_fail_open_is_rejected_with_guards() -> None:
    """Neither in silence nor with a proof that it does not happen."""
    text = HEAD.replace("router: {image", "router: {onFailure: default-model, image")
    past = "assertions: [{never: {to: big, without: [pii]}}]\n"
    items = [item for item in analyse(linked(text + routes(MATH) + past), {"istio"}) if item.code not in SILENT]
    assert [(item.code, item.span.line) for item in items] == [("VSR340", 4), ("VSR240", 29)]
    assert "`keys` and `pii` and `soft`" in items[0].message
    assert "if the router fails (`onFailure: default-model`)" in items[1].message
    kept = text.split("guards:")[0] + "default: big\n"
    assert [item for item in analyse(linked(kept), {"istio"}) if item.code == "VSR340"] == []


def test_undecidable_assertion_is_an_error(monkeypatch) -> None:
    """Never a proof by giving up."""
    monkeypatch.setattr("vsr_compiler.analysis.bdd.MAX_NODES", 3)
    items = found(
        routes("{all: [{signal: urgent}, {signal: vip}]}") + "assertions: [{always: {signal: urgent, to: big}}]\n"
    )
    assert {item.code for item in items} == {"VSR242"}


@pytest.mark.parametrize(
    ("cache", "code", "words"),
    [
        ("{scope: team}", "VSR341", "cannot tell the team"),
        ("{scope: tenant}", "VSR341", "cannot tell the tenant"),
        ("{ttl: 1500ms}", "VSR341", "is 1500 ms, not a positive number of seconds"),
        ("{similarity: 0}", "VSR341", "any two requests"),
        ("{similarity: 0.9}", "VSR342", "at `similarity: 0.9`"),
    ],
)
def test_unusable_or_ambiguous_cache_is_reported(cache: str, code: str, words: str) -> None:
    """At the line of the cache."""
    items = found(f"routes:\n  - name: a\n    when: {MATH}\n    model: big\n    cache: {cache}\n")
    assert [(item.code, item.span.line) for item in items] == [(code, 31)]
    assert words in items[0].message


def test_fixed_answer_needs_no_cache() -> None:
    """A fixed answer needs none; a good cache is not talked about."""
    items = found(f"routes:\n  - {{name: a, when: {MATH}, respond: No., cache: {{}}}}\n")
    assert [item.code for item in items] == ["VSR341"]
    for good in ("{}", "{similarity: 0.92, ttl: 90s}", "{scope: global}"):
        assert found(f"routes:\n  - {{name: a, when: {MATH}, model: big, cache: {good}}}\n") == []
