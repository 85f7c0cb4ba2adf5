"""An OCI image layout with the output of a policy and its provenance: equal bytes for equal output.

The layout is what registries, Flux (`OCIRepository`) and Argo CD (`oci://` sources) take. Its manifest has one layer, a
gzipped tar of the output folder. A second manifest refers to the first and holds an in-toto statement about it.

Sources: OCI image specification 1.1.1 (`image-layout.md`, `manifest.md`, `annotations.md`), Argo CD 3.2
(`docs/user-guide/oci.md`), in-toto attestation framework (`spec/v1/statement.md`), SLSA provenance 1.1.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.tree import LOCK

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
"""Argo CD accepts this type by default, and Flux extracts the first layer whatever its type."""
ARTIFACT = "application/vnd.vsr.policy.v1"
IN_TOTO = "application/vnd.in-toto+json"
PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://vsr.dev/compile/v1"
BUILDER = "https://vsr.dev/vsr-compile"
_ANNOTATION = "org.opencontainers.image"
_STORED = 65535
"""The largest block that deflate stores without compression."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the policy comes from: the URL of its repository, and a revision such as `main@sha1:…`; may be empty."""

    url: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """An image layout: its files by path, and the digest of the manifest of the output, such as `sha256:…`."""

    files: Mapping[str, bytes]
    digest: str


def layout(lock: Lock, files: Mapping[str, bytes], tag: str, source: Source) -> Layout:
    """Return the image layout of an output.

    Args:
        lock: The lock of the output.
        files: The content of each file that the lock lists.
        tag: The name of the manifest in the layout's index.
        source: Where the policy comes from.
    """
    blobs = _Blobs()
    layer = blobs.add(LAYER, gzipped(archive({**files, LOCK: lock.render()})))
    annotations = {
        f"{_ANNOTATION}.title": lock.policy,
        f"{_ANNOTATION}.source": source.url,
        f"{_ANNOTATION}.revision": source.revision,
    }
    output = blobs.add(
        MANIFEST,
        _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": ARTIFACT,
                "config": blobs.add(EMPTY, b"{}"),
                "layers": [layer],
                "annotations": {name: text for name, text in annotations.items() if text},
            }
        ),
    )
    provenance = blobs.add(
        MANIFEST,
        _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": IN_TOTO,
                "config": blobs.add(EMPTY, b"{}"),
                "layers": [blobs.add(IN_TOTO, _json(statement(lock, str(output["digest"]), source)))],
                "subject": {key: output[key] for key in ("mediaType", "digest", "size")},
                "annotations": {"in-toto.io/predicate-type": PROVENANCE},
            }
        ),
    )
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {**output, "annotations": {f"{_ANNOTATION}.ref.name": tag}},
            {**provenance, "artifactType": IN_TOTO},
        ],
    }
    top = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    return Layout({**top, **blobs.files}, str(output["digest"]))


def statement(lock: Lock, digest: str, source: Source) -> Mapping[str, object]:
    """Return the in-toto statement about an artifact: what it was compiled from, by what, and for which releases."""
    algorithm, _, value = digest.partition(":")
    parameters = {"policy": lock.policy, "source": source.url, "revision": source.revision}
    releases: dict[str, object] = {"releases": dict(lock.tables)}
    if lock.overlays:
        releases["overlays"] = {folder: dict(tables) for folder, tables in lock.overlays.items()}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": lock.policy, "digest": {algorithm: value}}],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {name: text for name, text in parameters.items() if text},
                "internalParameters": releases,
                "resolvedDependencies": [{"name": "normalised policy", "digest": {"sha256": lock.policy_sha256}}],
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"vsr-compile": lock.tool}}},
        },
    }


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files, sorted, without times, owners and permissions of the machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size = len(files[path])
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    return buffer.getvalue()


def gzipped(data: bytes) -> bytes:
    """Return data as gzip without compression, since what a compressor makes depends on its release.

    Source: RFC 1952 (members), RFC 1951 section 3.2.4 (stored blocks).
    """
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return header + b"".join(_stored(data)) + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)


def _stored(data: bytes) -> Iterator[bytes]:
    for start in range(0, max(len(data), 1), _STORED):
        block = data[start : start + _STORED]
        last = start + _STORED >= len(data)
        yield struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block


class _Blobs:
    """Blobs of a layout, each named by its digest."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, media_type: str, content: bytes) -> dict[str, str | int]:
        """Add a blob. Return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
