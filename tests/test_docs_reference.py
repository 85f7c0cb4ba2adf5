"""Reference pages agree with the source: headers, metrics, flags, environment variables and settings."""

from __future__ import annotations

import re

import click

from support import header_reference, stock_reference
from support.common import ROOT
from vsr_runtime.cli import cli
from vsr_runtime.server.metrics import Metrics
from vsr_schemas import headers
from vsr_schemas.runtime import RuntimeSettings

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    """The text of a reference page."""
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What is below a heading, up to the next one of its level."""
    return re.split(r"^## ", text.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_page_of_the_stock_config_is_that_of_the_tables() -> None:
    """`python tests/support/stock_reference.py` rewrites it."""
    assert stock_reference.PAGE.read_text(encoding="utf-8") == stock_reference.page()


def test_every_header_of_another_component_is_listed_as_the_table_has_it() -> None:
    """`python tests/support/header_reference.py` rewrites them."""
    text = page("headers.md")
    assert header_reference.page(text) == text
    named = section(text, "Headers that other components obey")
    assert [name for name in headers.STRIPPED if f"| `{name}` |" not in named] == []
    assert [name for name in headers.STRIPPED_PREFIXES if f"| `{name}*` |" not in named] == []


def test_every_protected_and_credential_header_is_named() -> None:
    """A policy cannot change the first, and a provider never gets the second."""
    protected = set(re.findall(r"`([a-z-]+)`", section(page("headers.md"), "Protected headers")))
    assert protected == {*headers.FRAMING, "x-vsr-"}
    assert set(re.findall(r"`([a-z-]+)`", section(page("headers.md"), "Credential headers"))) == set(
        headers.CREDENTIALS
    )


def test_every_header_that_providers_do_not_get_is_named() -> None:
    """In the order of the objects."""
    text = section(page("headers.md"), "Headers that providers do not get")
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == headers.PRIVATE


def test_every_metric_is_described_with_its_labels() -> None:
    """Names, types and labels as Prometheus sees them. The metrics of workers come from the parent process."""
    table = section(page("metrics.md"), "Metrics")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", table, re.MULTILINE)
    described = {name.removesuffix("_total"): kind for name, kind, _ in rows}
    exposed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", Metrics().text().decode(), re.MULTILINE))
    served = {name.removesuffix("_total"): kind for name, kind in exposed.items() if not name.endswith("_created")}
    assert {name: kind for name, kind in described.items() if not name.startswith("vsr_worker")} == served


def test_every_flag_of_serve_is_described() -> None:
    """Hidden flags are aliases of others."""
    command = cli.commands["serve"]
    flags = {
        name
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for name in option.opts
    }
    described = set(
        re.findall(r"--[a-z-]+", re.sub(r"serve --config FILE.*", "", section(page("runtime.md"), "Commands")))
    )
    assert flags - described == set()
    assert set(cli.commands) <= set(re.findall(r"vsr-runtime (\w+)", page("runtime.md")))


def test_every_setting_of_the_runtime_is_described() -> None:
    """The fields of runtime.yaml."""
    rows = re.findall(r"^\| (`.*?`) \|", section(page("runtime.md"), "Files"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(RuntimeSettings.model_fields)


def test_every_environment_variable_of_ours_is_described() -> None:
    """Those between our own processes, and for finding faults of ours, are not for users."""
    workers = {"VSR_WORKER_LINK", "VSR_WORKER_PORT", "VSR_WORKER_COUNT"}
    internal = workers | {"VSR_ENGINE_BROKER", "VSR_COMPILE_COMPLETE", "VSR_TRACEBACK"}
    used = {
        name
        for top in ("compiler", "runtime")
        for path in (ROOT / top).rglob("*.py")
        for name in re.findall(r"\bVSR_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert used - internal == set(re.findall(r"\bVSR_[A-Z_]+\b", section(page("runtime.md"), "Environment variables")))
