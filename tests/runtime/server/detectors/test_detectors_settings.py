"""Servers in the files of a policy: keys and authorities, categories, and what is loaded here."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.detector_servers import played, remote
from vsr_runtime.credentials import read_server_access
from vsr_runtime.decision.request.events import Cause
from vsr_runtime.errors import UserError
from vsr_runtime.sandbox.certificates import LOCAL_NAMES, Authority
from vsr_runtime.server.detectors.pool import RemotePool
from vsr_runtime.server.generation import warm_generation
from vsr_runtime.server.load import load_classifier
from vsr_runtime.server.reload import keys_hash
from vsr_runtime.settings import load


def changed(policy: Path, **classifiers) -> Path:
    """The config of a policy with these classifiers added or replaced."""
    path = policy / "router" / "runtime.yaml"
    values = YAML(typ="safe").load(path)
    dumped = {name: one.model_dump(exclude_none=True) for name, one in classifiers.items()}
    values["classifiers"] = {**values["classifiers"], **dumped}
    with path.open("w") as file:
        YAML().dump(values, file)
    return path.parent / "config.yaml"


def access_of(settings):
    """How the servers of a policy are reached."""
    return read_server_access(settings.detectors, {name: one.server for name, one in settings.remote.items()})


def test_start_without_a_key_is_refused(policy):
    """The server needs it; tools that only decide do not."""
    config = changed(policy, names=remote("presidio", "https://p.example", ["PERSON"], keyFile="names/api-key"))
    with pytest.raises(UserError, match="api-key: No such file"):
        asyncio.run(warm_generation(load(config), None))


def test_category_of_a_server_is_that_of_requests(policy):
    """Nothing is loaded here, and the server is asked with the first request, not at the start."""
    labels = load(policy / "router" / "config.yaml").classifier.labels
    rows = [[{"label": name, "score": 0.9 if name == "math" else 0.0} for name in labels]]
    with played(lambda _: rows) as server:
        settings = load(changed(policy, domain=remote("tei", server.url, labels, task="category")))
        assert load_classifier(settings) is None

        async def whole():
            generation = await warm_generation(settings, None)
            asked = len(server.asked)
            found = await generation.pool.signals("2+2 is", asyncio.get_running_loop().time() + 10)
            generation.retire()
            return asked, found

        asked, found = asyncio.run(whole())
    assert asked == 0
    assert (found.category, found.probability) == ("math", 0.9)


def test_key_and_authority_are_files_next_to_the_config(policy):
    """A rotated key is another content; a missing one stops the start and is named."""
    more = {"keyFile": "names/api-key", "caFile": "names/ca.crt"}
    config = changed(policy, names=remote("presidio", "https://presidio.example", ["PERSON"], **more))
    folder = policy / "router" / "detectors" / "names"
    settings = load(config)
    with pytest.raises(UserError, match="detectors/names/api-key: No such file"):
        access_of(settings)
    folder.mkdir(parents=True)
    (folder / "api-key").write_text("secret-1\n")
    with pytest.raises(UserError, match=r"ca\.crt"):
        access_of(settings)
    (folder / "ca.crt").write_text("no certificate")
    with pytest.raises(UserError, match=r"ca\.crt"):
        access_of(settings)
    (folder / "ca.crt").write_text(Authority("detectors").pem)
    access = access_of(settings)["names"]
    assert access.headers == (("authorization", "Bearer secret-1"),)
    assert "secret-1" not in repr(access)
    before = keys_hash(config, None)
    (folder / "api-key").write_text("secret-2\n")
    assert keys_hash(config, None) != before


def test_certificate_is_checked_by_the_authority_of_the_policy(tmp_path, policy):
    """Another authority's certificate is a failure, not a clean text."""
    right, other = Authority("right"), Authority("other")
    certificate, key = right.issue(tmp_path, "server", LOCAL_NAMES)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    found = []
    with played(lambda _: [], tls) as server:
        for authority in (right, other):
            more = {"caFile": "names/ca.crt"}
            folder = policy / "router" / "detectors" / "names"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "ca.crt").write_text(authority.pem)
            settings = load(changed(policy, names=remote("presidio", server.url, ["PERSON"], **more)))

            async def whole(settings=settings):
                pool = RemotePool(settings.remote, access_of(settings), None)
                result = await pool.looks({"names": ("Ada",)}, asyncio.get_running_loop().time() + 10)
                pool.close()
                return result["names"]

            found.append(asyncio.run(whole()))
    assert [one.found for one in found[0]] == [()]
    assert found[1] is Cause.BROKEN
