from __future__ import annotations

import pytest

from support.common import required
from vsr_runtime.errors import UserError
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.server.transport.stream import TRANSPORTS


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request) -> str:
    """Each way in which gRPC reaches the handlers, in its turn."""
    try:
        choose_transport(request.param)
    except UserError:
        required(None, "the library nghttp2")
    return request.param
