"""Requests made from the OpenAPI document, such as it allows and such as it does not, put to the API over HTTP."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase

from support.played_api import served_aside
from support.properties import examples
from vsr_runtime.server.api.openapi import document

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def url(settings):
    """Where the API is."""
    with served_aside(settings) as found:
        yield found


@schema.parametrize()
@examples(60, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
def test_every_answer_is_as_documented(case, url):
    """No request, good or bad, gets a status, a content type or a shape that the document does not have."""
    case.call_and_validate(base_url=url)
