"""A cluster with the output of a policy, and the policy's output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from support.common import ROOT
from support.fake_cluster import FakeCluster, kubeconfig, running
from support.live_policies import applied
from vsr_compiler.cli import output_folder
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.live.desired import Desired, read_desired
from vsr_compiler.live.findings import findings
from vsr_compiler.live.status import Look, look
from vsr_compiler.pipeline import Compiled
from vsr_compiler.verify.api_server.client import DryRunClient, connect
from vsr_compiler.verify.files import Read, read_worlds


@pytest.fixture(scope="session")
def desired() -> Iterator[Desired]:
    """The objects of the quickstart, with the lines of its policy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        policy = Path("policies/quickstart.yaml")
        compiled = _compiled("quickstart", policy, Path("out"))
        yield read_desired(Path("out/quickstart"), "dev", compiled)


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile each policy's text once, and read each folder of `out/` once, for all tests."""
    monkeypatch.setattr(output_folder, "compile_with_existing_heads", _compiled)
    monkeypatch.setattr("vsr_compiler.live.desired.read_worlds", _read_worlds)


@cache
def _read_worlds(paths: tuple[Path, ...], is_generated: Callable[[Path], bool], *, namespace: str) -> Read:
    return read_worlds(paths, is_generated, namespace=namespace)


def _compiled(name: str, policy: Path, out: Path) -> Compiled:
    key = (str(policy), policy.read_text(encoding="utf-8"))
    if key not in _COMPILED:
        _COMPILED[key] = _COMPILE(name, policy, out)
    return _COMPILED[key]


_COMPILE = output_folder.compile_with_existing_heads
_COMPILED: dict[tuple[str, str], Compiled] = {}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """A cluster without objects, with a kubeconfig for it."""
    monkeypatch.chdir(ROOT)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running() as started:
        place = tmp_path / "kubeconfig"
        place.write_text(kubeconfig(("here", started.url), ("gone", "http://127.0.0.1:9")), encoding="utf-8")
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(place))
        yield started


@pytest.fixture
def live(cluster: FakeCluster) -> FakeCluster:
    """A cluster in which the quickstart is live."""
    applied(cluster, Path("out/quickstart"), "dev")
    return cluster


@pytest.fixture
def client(cluster: FakeCluster) -> DryRunClient:
    """A client of the cluster."""
    assert cluster.url
    return connect(None)


@pytest.fixture
def found(client: DryRunClient, desired: Desired) -> Callable[..., list[Diagnostic]]:
    """Look at the cluster and return the findings."""

    def findings_of(*, dry_run: bool = True) -> list[Diagnostic]:
        return findings(desired, seen(client, desired, dry_run=dry_run), dry_run=dry_run)

    return findings_of


def seen(client: DryRunClient, desired: Desired, *, dry_run: bool = True) -> Look:
    """A look at the cluster."""
    return look(client, client, desired, dry_run=dry_run)
