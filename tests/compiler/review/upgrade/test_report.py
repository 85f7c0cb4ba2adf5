"""The report of an upgrade: what changes, what breaks before and after, and in which order to go."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from support.common import ROOT
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.review.upgrade import upgrade_report, wanted_releases
from vsr_compiler.review.upgrade.policy_text import edited
from vsr_compiler.review.upgrade.steps import Delivery, objects_first, steps
from vsr_compiler.syntax import load
from vsr_compiler.targets import profiles
from vsr_schemas.reports_upgrade import Finding, ReleaseChange, UpgradeReport

BASE = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: up}
router: {image: "r:1"}
endpoints: {big: {vllm: {}}}
models: {big: {checkpoint: example/big, endpoints: big}}
default: big
"""


def report(folder: Path, text: str, *wanted: str, environment: str | None = None) -> UpgradeReport:
    """Return the report for a policy."""
    file = folder / "up.yaml"
    file.write_text(text, encoding="utf-8")
    out = folder / "out"
    return upgrade_report(
        file, wanted_releases(wanted, environment), lambda name: lambda path: read_owned(out, name, path), out
    )


def with_versions(versions: str, target: str = "istio") -> str:
    """Return the policy with releases."""
    return f"{BASE}gateway: {{versions: {versions}}}\nenvironments: {{dev: {{target: {target}}}}}\n"


def test_releases_that_the_policy_has_already_change_nothing(tmp_path: Path) -> None:
    """There is nothing to do."""
    found = report(tmp_path, with_versions("seed"), "seed")
    assert not found.different
    assert (found.steps, found.diff, found.policy_diff) == ([], None, "")


def test_only_projects_of_the_targets_are_reported(tmp_path: Path) -> None:
    """Definitions before the controller, and the controller before the objects."""
    found = report(tmp_path, with_versions("{istio: 1.29.0, envoy-gateway: 1.6.7}"), "istio=1.30.3")
    assert [(item.component, item.old, item.new) for item in found.releases] == [("istio", "1.29.0", "1.30.3")]
    titles = [step.title for step in found.steps]
    assert [title.split(" of ")[0].split(" to ")[0] for title in titles[1:3]] == [
        "Install the definitions",
        "Upgrade Istio",
    ]
    assert "objects" in titles[-1]


def test_the_folder_of_the_output_is_not_written(tmp_path: Path) -> None:
    """Nor the policy."""
    text = with_versions("seed")
    report(tmp_path, text, "istio=1.30.3")
    assert [path.name for path in tmp_path.iterdir()] == ["up.yaml"]
    assert (tmp_path / "up.yaml").read_text(encoding="utf-8") == text


def test_objects_that_only_new_releases_take_come_last(tmp_path: Path) -> None:
    """The report says which of them, and why."""
    found = report(
        tmp_path,
        f"{with_versions('seed', 'gie')}".replace("{vllm: {}}", "{vllm: {}, pool: {}}"),
        "inference-extension=1.5.0",
    )
    assert "`spec.appProtocol`: unknown field" in found.after[0].message
    assert found.after[0].environments == ["dev"]
    assert found.before == []
    assert "they come last" in found.steps[-1].reason


def change(component: str, old: str, new: str) -> ReleaseChange:
    """Return a change of a project."""
    by = "controller" if component in {"istio", "envoy-gateway"} else "definitions"
    return ReleaseChange(component=component, title=component, old=old, new=new, installed_by=by)


ERROR = Finding(code="VSR646", severity="error", place="p.yaml", message="m")
HERE = Delivery("up", "up.yaml", {"dev": "out/up/istio/overlays/dev"})


def titles(*findings: list[Finding], changes: list[ReleaseChange]) -> list[str]:
    """Return the kinds of steps in order."""
    found = [step.title.split()[0] for step in steps(changes, findings[0], findings[1], HERE)]
    return found[1:]


def test_objects_that_new_releases_do_not_take_change_first() -> None:
    """If today's releases take the new ones."""
    upgrade = [change("gateway-api", "1.4.0", "1.6.0"), change("envoy-gateway", "1.8.3", "1.9.0")]
    assert titles([ERROR], [], changes=upgrade) == ["Apply", "Install", "Install", "Upgrade"]
    assert titles([], [ERROR], changes=upgrade) == ["Install", "Install", "Upgrade", "Apply"]
    assert titles([], [], changes=upgrade) == ["Install", "Install", "Upgrade", "Apply"]
    assert objects_first(upgrade, [ERROR], [ERROR]) is False
    both = steps(upgrade, [ERROR], [ERROR], HERE)
    assert "No order is free of faults" in both[-1].reason


def test_going_back_keeps_definitions_and_changes_controllers_last() -> None:
    """Later definitions serve earlier controllers, and the admission policy refuses earlier ones."""
    back = [change("gateway-api", "1.6.0", "1.5.1"), change("istio", "1.31.0", "1.30.3")]
    assert titles([], [], changes=back) == ["Apply", "Go"]


def test_the_channel_is_that_of_the_gateway() -> None:
    """Envoy Gateway's chart installs the experimental one."""
    upgrade = [change("gateway-api", "1.5.1", "1.6.1")]
    commands = steps(upgrade, [], [], HERE)[1].commands
    assert commands[0].endswith("/v1.6.1/standard-install.yaml")
    envoy = Delivery("up", "up.yaml", {}, with_envoy_gateway=True)
    assert steps(upgrade, [], [], envoy)[1].commands[0].endswith("/experimental-install.yaml")


def test_changes_that_no_object_shows_are_listed_with_their_source(tmp_path: Path) -> None:
    """They concern dashboards, patches and routes of others."""
    found = report(tmp_path, with_versions("{istio: 1.29.0}"), "istio=1.30.3")
    assert any("answers 404" in item.text for item in found.behaviour)
    assert all(item.source for item in found.behaviour)


def test_a_policy_that_new_releases_do_not_take_says_what_to_change(tmp_path: Path) -> None:
    """With the place in the policy; the rest of the report needs a compile."""
    text = with_versions("seed", "gie").replace(
        "{vllm: {}}", "{vllm: {}, pool: {picker: {plugins: {active-request-scorer: 1}}}}"
    )
    llm_d = text.replace("target: gie", "target: llm-d")
    found = report(tmp_path, llm_d.replace("active-request-scorer", "session-affinity-scorer"), "llm-d-router=0.10.0")
    assert [item.severity for item in found.by_hand] == ["error"]
    assert "session-affinity-scorer" in found.by_hand[0].message
    assert found.diff is None
    assert found.policy_diff


def test_one_environment_can_be_upgraded_alone(tmp_path: Path) -> None:
    """The others keep their releases, and so do their files."""
    text = BASE + "gateway: {versions: seed}\nenvironments: {dev: {target: istio}, prod: {target: istio}}\n"
    found = report(tmp_path, text, "istio=1.29.6", environment="dev")
    assert found.environment == "dev"
    assert (
        "versions: {" in found.policy_diff.replace("\n+", "\n").split("environments", 1)[-1]
        or "versions" in found.policy_diff
    )
    assert found.diff is not None
    assert not any("overlays/prod" in item.file for item in found.diff.files)


@pytest.mark.parametrize("wanted", ["newest", "istio=9.9.9", "istoi=1.30.3", "=1"])
def test_releases_that_nobody_knows_are_refused(wanted: str) -> None:
    """With those that are known."""
    with pytest.raises(ValueError, match=r"Use one of|known|There is no"):
        wanted_releases([wanted])


def test_agent_router_is_a_name_of_its_project() -> None:
    """It was Envoy AI Gateway."""
    release = profiles()["current"]["envoy-ai-gateway"]
    assert wanted_releases([f"agent-router={release}"]).releases == {"envoy-ai-gateway": release}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "gateway:\n  name: a # here\n  versions: seed # why\n",
            "gateway:\n  name: a # here\n  versions: current # why\n",
        ),
        ("gateway: {versions: seed, name: a}\n", "gateway: {versions: current, name: a}\n"),
        ("gateway: {name: a}\n", "gateway: {versions: current, name: a}\n"),
        ("gateway:\n  # the front\n  name: a\n", "gateway:\n  # the front\n  versions: current\n  name: a\n"),
        ("gateway:\n  versions:\n    istio: 1.29.0\n  name: a\n", "gateway:\n  versions: current\n  name: a\n"),
        ("gateway: {versions: {istio: 1.29.0}}\n", "gateway: {versions: current}\n"),
        ("router: {image: a}\nmodels: {}\n", "router: {image: a}\ngateway: {versions: current}\nmodels: {}\n"),
        ("router:\n  image: a\nmodels: {}\n", "router:\n  image: a\ngateway: {versions: current}\nmodels: {}\n"),
        ("router: {image: a}", "router: {image: a}\ngateway: {versions: current}\n"),
    ],
)
def test_the_policy_is_edited_at_one_place(text: str, expected: str) -> None:
    """Comments and form stay."""
    assert edited(load(text, "p.yaml"), "current", None) == expected


def test_releases_of_projects_are_written_in_one_line() -> None:
    """As texts, because 1.10 is no number."""
    text = "environments:\n  dev: {target: istio}\n"
    changed = edited(load(text, "p.yaml"), {"istio": "1.30.3"}, "dev")
    assert changed == 'environments:\n  dev: {versions: {istio: "1.30.3"}, target: istio}\n'


def test_a_policy_whose_form_has_no_place_is_not_edited() -> None:
    """The report names the releases all the same."""
    assert edited(load('{"router": {"image": "a"}}', "p.yaml"), "current", None) is None
    assert edited(load("environments: {dev: }\n", "p.yaml"), "current", "dev") is None


@pytest.mark.parametrize("policy", ["quickstart", "llm-d", "ai-gateway"])
def test_committed_policies_go_back_to_the_seeds(policy: str) -> None:
    """With every part of the report."""
    out = ROOT / "out"
    found = upgrade_report(
        ROOT / "policies" / f"{policy}.yaml",
        wanted_releases(["seed"]),
        lambda name: lambda path: read_owned(out, name, path),
        out,
    )
    assert found.releases
    assert found.diff is not None
    assert "versions: seed" in found.policy_diff
    assert not any(step.title.startswith("Install") for step in found.steps)


def test_a_picker_of_another_project_comes_with_its_definitions_first(tmp_path: Path) -> None:
    """The inference extension 1.6 has none: objects before its definitions, and those of the new picker before them."""
    text = with_versions("2026-08", "gie").replace("{vllm: {}}", "{vllm: {}, pool: {}}")
    found = report(tmp_path, text, "inference-extension=1.6.0")
    assert [(item.component, item.old) for item in found.releases] == [
        ("inference-extension", "1.5.0"),
        ("llm-d-router", ""),
    ]
    assert [item.code for item in found.before] == ["VSR640"]
    order = [step.title.removeprefix("Install the definitions of ") for step in found.steps[1:]]
    assert [title.split()[0] for title in order] == ["llm-d", "Apply", "Gateway"]
    assert not any("every image of its picker" in item.text for item in found.behaviour)


def test_the_chart_of_envoy_gateway_leaves_the_admission_policy_to_the_definitions() -> None:
    """From 1.9 on it would have to own it."""
    for new, words in (("1.8.3", False), ("1.9.2", True)):
        (upgrade,) = [
            step for step in steps([change("envoy-gateway", "1.6.7", new)], [], [], HERE) if "Upgrade" in step.title
        ]
        assert ("safeUpgradePolicy.enabled=false" in upgrade.commands[0]) is words


def test_ends_of_life_are_judged_on_the_given_day(tmp_path: Path) -> None:
    """What the new releases solve, and what they do not."""
    file = tmp_path / "up.yaml"
    file.write_text(
        with_versions("seed", "envoy-gateway").replace("{vllm: {}}", '{service: "big:8000"}'), encoding="utf-8"
    )

    def solved(day: dt.date | None) -> list[str]:
        wanted = wanted_releases(["2026-08"])
        found = upgrade_report(file, wanted, lambda _: lambda _path: None, tmp_path / "out", day)
        return [item.code for item in found.solved]

    assert solved(dt.date(2026, 6, 1)) == ["VSR350"]
    assert solved(dt.date(2026, 1, 1)) == []
    assert solved(None) == []


def test_releases_of_images_come_with_the_objects(tmp_path: Path) -> None:
    """An argument of today's server meets today's server, whenever the objects are applied."""
    found = report(tmp_path, with_versions("2026-08"), "vllm=0.33.0")
    assert [(item.component, item.installed_by) for item in found.releases] == [("vllm", "objects")]
    assert (found.before, found.after) == ([], [])
    assert [step.title.split()[0] for step in found.steps] == ["Set", "Apply"]
