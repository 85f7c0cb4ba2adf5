"""``classifiers.NAME.server`` of ``router/runtime.yaml``: a server that classifies text for the router."""

from __future__ import annotations

from pydantic import Field

from vsr_schemas.base import StrictModel
from vsr_schemas.inference_servers import ServerProtocol

_FILE = r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9.-]*)*$"


class ServerSettings(StrictModel):
    """A server, the protocol it speaks, and the bounds on its use. No redirect is followed.

    ``url`` is its address with the prefix of its paths. ``outputs`` are the model's outputs in order, for protocols
    whose answers have no labels. ``timeout`` in milliseconds bounds one evaluation, ``concurrency`` the requests of one
    process at a time, ``window`` the characters that are read at a time. ``keyFile`` contains the key that ``header``
    carries after ``prefix``, by default ``authorization`` after ``Bearer``. ``caFile`` contains the certificates of its
    authority. Both are below the folder ``detectors`` next to this file.
    """

    protocol: ServerProtocol
    url: str = Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_.-]+)*$", max_length=1024)
    model: str | None = Field(default=None, min_length=1, max_length=256)
    config: str | None = Field(default=None, min_length=1, max_length=256)
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    outputs: list[str] | None = Field(default=None, min_length=1, max_length=1000)
    timeout: int = Field(gt=0)
    concurrency: int = Field(ge=1, le=1024)
    window: int = Field(ge=50, le=1_000_000)
    keyFile: str | None = Field(default=None, pattern=_FILE)  # noqa: N815 - the file's spelling
    header: str | None = Field(default=None, pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")
    prefix: str | None = Field(default=None, pattern=r"^[ -~]{0,64}$")
    caFile: str | None = Field(default=None, pattern=_FILE)  # noqa: N815 - the file's spelling
