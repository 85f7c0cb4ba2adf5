"""Files of releases: complete, consistent, and one line for each release."""

from __future__ import annotations

import datetime as dt
import re
import tomllib

import pytest

from support import release_reference
from support.common import linked
from vsr_compiler.releases import PROFILES
from vsr_compiler.releases.ai_gateway_schemas import TRANSLATIONS
from vsr_compiler.releases.data import FOLDER, PROJECTS, Range, build, project
from vsr_compiler.releases.gateways import AI_GATEWAY, ENVOY_GATEWAY, GATEWAY_API, PoolApi
from vsr_compiler.releases.hops import HOPS
from vsr_compiler.releases.known import RELEASES
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.releases.pickers import DEFAULT_SCORERS, PICKERS
from vsr_compiler.releases.vllm_arguments import arguments_of
from vsr_compiler.targets.advisories import USES
from vsr_compiler.verify.schema.downloads import read_lock
from vsr_schemas.apis import API_PATHS


@pytest.mark.parametrize("name", PROJECTS)
def test_every_release_of_a_project_has_a_source_and_is_one_line(name: str) -> None:
    """A line names the release once, and nothing else in the file repeats it as a release."""
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    known = project(name)
    assert known.repository.startswith("github.com/")
    for release in known.releases.values():
        assert numbers(release.name)
        assert release.source
        assert len(re.findall(rf'^[^#]*name = "{re.escape(release.name)}"', text, re.MULTILINE)) == 1
        assert not release.commit or re.fullmatch(r"[0-9a-f]{40}", release.commit)
        assert release.definitions in {"", *known.releases}
    assert list(known.releases) == sorted(known.releases, key=lambda item: numbers(item) or ())


@pytest.mark.parametrize("name", PROJECTS)
def test_every_vulnerability_concerns_something_that_an_output_shows(name: str) -> None:
    """With affected releases, and a source."""
    for item in project(name).advisories:
        assert item.concerns in USES
        assert item.source
        assert item.affected
        assert all(numbers(one.since) and (not one.fixed or numbers(one.fixed)) for one in item.affected)


def test_profiles_name_known_releases_that_have_an_entry_in_every_table() -> None:
    """A missing one would end a compile."""
    for profile in PROFILES.values():
        assert profile.keys() == PROFILES["current"].keys()
        for name, release in profile.items():
            assert release in project(name).releases
            assert release in RELEASES.get(name, project(name).releases)
    for name, known in RELEASES.items():
        assert set(known) <= project(name).releases.keys()
    assert all(set(HOPS[name]) == set(known) for name, known in PICKERS.items())
    assert set(HOPS["vllm"]) == set(VLLM)
    assert set(HOPS["envoy-ai-gateway"]) == set(TRANSLATIONS) == set(AI_GATEWAY)


def test_releases_that_others_need_are_known_and_accepted_by_admission_policies() -> None:
    """Envoy Gateway's chart brings a policy that refuses older definitions than those it works with."""
    for release in ENVOY_GATEWAY.values():
        assert release.gateway_apis <= set(GATEWAY_API)
        least = numbers(release.refuses_before) if release.refuses_before else ()
        assert all((numbers(item) or ()) >= (least or ()) for item in release.gateway_apis)
    assert all(release.envoy_gateways <= set(ENVOY_GATEWAY) for release in AI_GATEWAY.values())


def test_pickers_and_hops_have_values_that_exist() -> None:
    """Default scorers in every release, and paths that are routed."""
    for releases in PICKERS.values():
        for picker in releases.values():
            assert {name for name, _ in DEFAULT_SCORERS} <= picker.scorers
            assert set(picker.producers.values()).isdisjoint(picker.scorers)
    for hops in HOPS.values():
        assert all(hop.apis <= set(API_PATHS) and hop.source for hop in hops.values())


def test_commits_are_those_of_the_definitions_in_the_lock() -> None:
    """The facts and the definitions are of one commit; istio's definitions are in another repository."""
    commits = {(item.project, item.release): item.url.split("/")[-2] for item in read_lock()}
    checked = 0
    for name in PROJECTS:
        for release in project(name).releases.values():
            locked = commits.get((name, release.name), "")
            if locked and name != "istio" and release.commit and len(locked) == len(release.commit):
                assert release.commit == locked, (name, release.name)
                checked += 1
    assert checked or not commits


def test_fact_that_no_dataclass_has_is_an_error() -> None:
    """A slip of the pen in a file is not ignored."""
    with pytest.raises(TypeError, match="objektives"):
        build(PoolApi, {"objektives": True})
    assert build(PoolApi, tomllib.loads('defaults = {a = "b"}')).defaults == {"a": "b"}


@pytest.mark.parametrize(
    ("release", "affected"),
    [("1.7.3", True), ("1.7.4", False), ("1.6.7", True), ("1.8.0", False), ("main", False), ("1.7.4-rc.1", False)],
)
def test_range_of_releases_ends_before_the_repaired_one(release: str, affected: bool) -> None:  # noqa: FBT001 - a column
    """By numbers, not by letters."""
    assert (release in Range("0.2.0", "1.7.4")) == affected
    assert ("1.10.0" in Range("1.9.0", "")) is True


def test_argument_tables_of_vllm_know_what_was_removed() -> None:
    """`--model` stays for now; what 0.28 removed is gone."""
    old, new = (arguments_of(release).names for release in ("0.17.0", "0.33.0"))
    assert {"--calculate-kv-scales", "--override-attention-dtype", "--max-num-partial-prefills"} <= old - new
    assert {"--model", "--max-model-len", "--api-server-count", "--headless"} <= old & new


def test_page_of_releases_has_what_the_files_say() -> None:
    """`python tests/support/release_reference.py` rewrites its tables."""
    text = release_reference.PAGE.read_text(encoding="utf-8")
    assert release_reference.page(text) == text
    assert all(f"`{name}`" in text for name in PROJECTS)


def test_policy_without_a_profile_has_the_newest() -> None:
    """And a mapping replaces releases of it."""
    text = "endpoints: {one: {service: {name: one, port: 80}}}\nmodels: {a: {endpoints: one}}\ndefault: a\n"
    head = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: p}\nrouter: {image: 'r:1'}\n"
    assert linked(head + text).versions["istio"] == PROFILES["current"]["istio"]
    mixed = linked(f"{head}gateway: {{versions: {{istio: 1.30.3}}}}\n{text}").versions
    assert (mixed["istio"], mixed["vllm"]) == ("1.30.3", PROFILES["current"]["vllm"])
    assert linked(f"{head}gateway: {{versions: 2026-08}}\n{text}").versions["vllm"] == "0.17.0"


def test_newest_profile_has_no_release_past_its_end_of_life() -> None:
    """On the day on which it was chosen."""
    day = dt.date(2026, 12, 2)
    for name, release in PROFILES["current"].items():
        end = project(name).releases[release].end_of_life
        assert end is None or day < end
