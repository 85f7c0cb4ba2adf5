"""What `diff` and `explain` say of hosts."""

from __future__ import annotations

from support.common import linked
from vsr_compiler.pipeline import Compiled, compile_policy
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.diff_text import text
from vsr_compiler.review.explain import origins, outputs_of_line
from vsr_compiler.syntax import load
from vsr_schemas.reports_diff import DiffReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: p}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  own: {service: "own:8000"}
  outside: {external: {url: "https://api.example.com/v1"}}
models:
  little: {endpoints: [own]}
  big: {endpoints: [outside]}
signals: {hard: {keywords: [prove]}}
routes: [{name: hard, when: {signal: hard}, model: big}]
default: little
environments:
  box: {target: compose}
"""
KEYED = '"https://api.example.com/v1", apiKey: {secret: outside, key: token}'


def compiled(policy: str) -> Compiled:
    """A policy's output."""
    return compile_policy(linked(policy), lambda _: None)


def difference(old: str, new: str) -> DiffReport:
    """The report of a change of a policy's text."""
    before, after = ({path: file.content for path, file in compiled(side).tree.items()} for side in (old, new))
    return report("p", Baseline("before", before), after)


def effects(old: str, new: str) -> list[tuple[str, list[str]]]:
    """The effects on what runs, with their steps."""
    return [(item.text, item.steps) for item in difference(old, new).rollout]


COPY = "Copy `out/p/compose/box` to the host, with deletions."
UP = "There: `docker compose up --detach --wait --remove-orphans`"


def test_a_change_names_the_containers_that_are_replaced() -> None:
    """Of routing alone only the router; of published ports only Envoy."""
    routing = POLICY.replace("[prove]", "[prove, show]")
    assert effects(POLICY, routing) == [("the update of host box replaces router", [COPY, UP])]
    public = POLICY.replace("{target: compose}", "{target: compose, host: {bind: 0.0.0.0}}")
    ((words, _),) = effects(POLICY, public)
    assert words == "the update of host box replaces envoy; between two Envoys there is a moment without answers"


def test_new_secrets_are_asked_for_before_the_change() -> None:
    """Otherwise the container would not start."""
    keyed = POLICY.replace('"https://api.example.com/v1"', KEYED)
    ((words, steps),) = effects(POLICY, keyed)
    assert "router" in words
    assert steps == ["To the folder of secrets: outside/token", COPY, UP]


def test_a_router_that_reads_changed_files_is_not_replaced() -> None:
    """`reload: hot`."""
    hot = POLICY.replace("router: {", "router: {reload: hot, ")
    ((words, _),) = effects(hot, hot.replace("[prove]", "[prove, show]"))
    assert words == "host box: no container is replaced; the router reads its changed files"


def test_a_new_host_and_one_that_goes_are_told() -> None:
    """Nobody stops the containers of a host that the policy no longer has."""
    other = POLICY.replace("  box:", "  attic:")
    told = dict(effects(POLICY, other))
    assert told["host attic is new"][-1] == UP
    assert "docker compose down" in told["host box is removed from the policy, but its containers go on"][0]
    traffic = [change.text for change in difference(POLICY, other).traffic]
    assert traffic == ["environment attic is new, on compose", "environment box is gone"]


def test_files_that_follow_from_the_rest_are_only_named() -> None:
    """The router's files are compared once."""
    words = text(difference(POLICY, POLICY.replace("[prove]", "[prove, show]")))
    assert "~ compose/box/router/config.yaml, which follows from the rest" in words
    assert "~ router/config.yaml\n    " in words


def test_explain_leads_from_a_host_to_its_environment_and_back() -> None:
    """Both directions."""
    result = compiled(POLICY)
    (origin,) = origins(result, "compose/box/compose.yaml", ())
    assert (origin.what, origin.span.line) == ("compose/box/compose.yaml", 15)
    places = outputs_of_line(result, load(POLICY, "policy.yaml"), 4)
    assert {place.file for place in places} >= {"compose/box/compose.yaml"}


def test_an_earlier_output_of_any_form_does_no_harm() -> None:
    """Whatever it has in place of a Compose file."""
    for odd in (
        b"[]\n",
        b"services: x\nsecrets: [a]\n",
        b"services: {a: 1, b: {env_file: x}}\nsecrets: {a: {file: []}}\n",
    ):
        after = {path: file.content for path, file in compiled(POLICY).tree.items()}
        assert report("p", Baseline("before", {"compose/box/compose.yaml": odd}), after).rollout
