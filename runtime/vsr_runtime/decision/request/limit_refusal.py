"""The response to a request above a limit."""

from __future__ import annotations

import json
from dataclasses import replace

from vsr_runtime.decision.limits.ledger import Exceeded
from vsr_runtime.decision.limits.rules import Claim
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.headers import for_client
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_schemas.headers import RATE_HEADERS

CODE = "rate_limit_exceeded"


def refusal(claim: Claim, exceeded: Exceeded) -> ImmediateResponse:
    """Return 429 in the form of the API, with the seconds until the limit's window ends."""
    rate = exceeded.rate
    message = f"The limit '{rate.name}' of {rate.amount:,.12g} {rate.unit} is reached. Try again in {exceeded.reset} s."
    limit, remaining, reset = RATE_HEADERS
    headers = (
        ("retry-after", str(exceeded.reset)),
        (limit, f"{rate.amount:.12g}"),
        (remaining, "0"),
        (reset, str(exceeded.reset)),
    )
    response = error_response(429, CODE, message, headers=headers)
    body = json.loads(response.body)
    body["error"]["type"] = "rate_limit_error"
    response = replace(response, body=json.dumps(body).encode(), model=claim.models[0])
    answer = for_client(claim.api, claim.cors, response)
    return answer if isinstance(answer, ImmediateResponse) else response
