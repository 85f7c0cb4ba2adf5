from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support import browser
from support.common import SMALL, call, linked
from vsr_compiler.pipeline import compile_policy
from vsr_compiler.review.page.content import Material, page
from vsr_compiler.review.page.render import render
from vsr_schemas.reports_impact import FlowReport, ImpactReport, ShareReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shown}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  small: {vllm: {}}
  large: {service: "large.models:8000"}
  outside: {external: {url: "https://api.example.com/v1", apiKey: {secret: keys, key: outside}}}
models:
  small: {checkpoint: example/small, endpoints: small, price: {prompt: 1, completion: 2}}
  large: {endpoints: large}
  outside: {endpoints: outside, price: {prompt: 3, completion: 9}}
signals:
  urgent: {keywords: ["<script>alert(1)</script>", "urgent"]}
guards:
  mail: {types: [EMAIL_ADDRESS], action: mask, except: {models: [small]}}
  markup: {patterns: ["<img src=x onerror=alert(1)>"], action: block, onError: pass}
routes:
  - {name: urgent, when: {signal: urgent}, model: large, fallback: [outside]}
  - {name: split, when: {not: {signal: urgent}}, split: {small: 70, outside: 30}}
default: small
tests:
  - {prompt: "This is urgent.", expect: {route: urgent}}
  - {prompt: "Hello", expect: {model: large}}
environments: {dev: {target: istio, simulate: true}}
"""
ALLOWED = {"href", "id", "class", "lang", "charset", "name", "content", "http-equiv", "tabindex", "role", "scope"}
DRAWN = {"width", "height", "viewbox", "xmlns", "x", "y", "rx", "d"}


class Reader(HTMLParser):
    """The elements of a page, its attributes, and the anchors that it has and uses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")


def report(tmp_path: Path, *words: str, policy: str = POLICY) -> str:
    """Write the page of a policy as a user does, and read it."""
    path, output = tmp_path / "policy.yaml", tmp_path / "report.html"
    path.write_text(policy, encoding="utf-8")
    result = call("report", str(path), "-o", str(output), "--out", str(tmp_path / "out"), *words)
    assert result.exit_code == 0, result.stderr
    return output.read_text(encoding="utf-8")


def plain(html: str) -> str:
    """The text of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split())


def test_the_page_says_what_a_reviewer_needs(tmp_path: Path) -> None:
    """Routes and their tests, models outside the cluster, guards and whom they leave out, failed tests, releases."""
    words = plain(report(tmp_path))
    for phrase in (
        "urgent 1 signal urgent large outside",
        "split 2 not signal urgent outside 30 %, small 70 %",
        "outside outside outside (1)",
        "mail mask request EMAIL_ADDRESS small block",
        "1 of 2 requests of tests go where they should",
        "model `small` instead of `large`",
        "no test reaches the guard `mail`",
        "dev Istio simulated model servers",
        "istio 1.",
    ):
        assert phrase in words, phrase


def test_no_text_becomes_markup_and_nothing_is_loaded(tmp_path: Path) -> None:
    """Patterns and keywords of a policy may be any text."""
    html = report(tmp_path)
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    read = Reader(html)
    assert not read.tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base"}
    assert {name for name in read.attributes if not name.startswith("aria-")} <= ALLOWED | DRAWN
    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)


def test_the_same_policy_gives_the_same_bytes(tmp_path: Path) -> None:
    """So that a page can be compared and cached."""
    assert report(tmp_path) == report(tmp_path)


@pytest.mark.usefixtures("encoder")
def test_categories_are_evaluated(tmp_path: Path) -> None:
    """With a matrix of confusions, unless the user does without."""
    assert "Confusions: rows are what prompts are" in report(tmp_path, policy=SMALL)
    assert "Confusions" not in report(tmp_path, "--no-eval", policy=SMALL)


def test_the_change_and_its_effect_on_traffic_are_shown(tmp_path: Path) -> None:
    """Against an earlier output, and by a report of `impact`."""
    path, out = tmp_path / "policy.yaml", tmp_path / "out"
    path.write_text(POLICY.replace("small: 70, outside: 30", "small: 60, outside: 40"), encoding="utf-8")
    assert call("compile", str(path), "--out", str(out)).exit_code == 0
    traffic = tmp_path / "traffic.jsonl"
    traffic.write_text('{"prompt": "This is urgent."}\n{"prompt": "Hello"}\n', encoding="utf-8")
    new = tmp_path / "new.yaml"
    new.write_text(POLICY.replace("signal: urgent}, model: large", "signal: urgent}, model: small"), encoding="utf-8")
    found = call("impact", str(path), str(new), "--traffic", str(traffic), "--jobs", "1", "--format", "json")
    impact = tmp_path / "impact.json"
    impact.write_text(found.stdout, encoding="utf-8")
    words = plain(report(tmp_path, "--against", str(out / "shown"), "--impact", str(impact)))
    assert "small 60 %" in words or "60" in words
    assert "changed in some way 1 50.0 %" in words
    assert "large small 1" in words
    impact.write_text("{}", encoding="utf-8")
    wrong = call("report", str(path), "-o", str(tmp_path / "r.html"), "--impact", str(impact))
    assert (wrong.exit_code, "is not a report of `vsr-compile impact" in wrong.stderr) == (1, True)


def test_a_page_of_two_hundred_models_is_small(tmp_path: Path) -> None:
    """Less than 2 MB."""
    names = [f"model-{number}" for number in range(200)]
    big = POLICY.split("endpoints:", maxsplit=1)[0]
    big += "endpoints:\n" + "".join(f"  {name}: {{service: '{name}.models:8000'}}\n" for name in names)
    big += "models:\n" + "".join(f"  {name}: {{endpoints: {name}}}\n" for name in names)
    big += "signals:\n" + "".join(f"  s-{name}: {{keywords: [word{name}]}}\n" for name in names[:100])
    big += "routes:\n" + "".join(f"  - {{name: {n}, when: {{signal: s-{n}}}, model: {n}}}\n" for n in names[:100])
    html = report(tmp_path, policy=f"{big}default: model-0\n")
    assert html.count("<rect") == 3 + 101 + 400
    assert len(html.encode()) < 2_000_000


def material() -> Material:
    """A page with all of its parts."""
    some = ShareReport(count=1, share=0.5, low=0.1, high=0.9)
    impact = ImpactReport(
        old="old", new="new", requests=2, changed=some, model=some, route=some, guard=some, newly_blocked=some,
        unblocked=some, flows=[FlowReport(old="large", new="small", count=1)],
    )  # fmt: skip
    done = compile_policy(linked(POLICY), lambda _: None)
    return Material(done.policy, findings=done.warnings, impact=impact)


@pytest.mark.subprocess
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_a_browser_shows_it_without_complaint(tmp_path: Path, width: int, scheme: str) -> None:
    """Nothing on the console, nothing for axe, no page that is wider than the window, and links that lead somewhere."""
    file = tmp_path / "page.html"
    file.write_text(render(page(material())), encoding="utf-8")
    with browser.shown(file, width, scheme) as (shown, complaints):
        assert browser.violations(shown) == []
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.textContent") == "Skip to the content"
        shown.click("nav a[href='#guards']")
        assert shown.evaluate("location.hash") == "#guards"
        assert complaints == []
