"""Configs as the stock command line writes them serve requests, without runtime.yaml."""

from __future__ import annotations

import json

import pytest

from support.played_gateway import request_body, request_headers
from vsr_runtime.settings import load

STARTER = """\
version: v0.3
listeners:
  - {name: "http-8899", address: "0.0.0.0", port: 8899, timeout: "300s"}
providers:
  defaults: {model: "my-model"}
  models:
    - name: "my-model"
      backend_refs:
        - {name: "primary", provider: vllm, endpoint: "host.docker.internal:8000", protocol: "http", weight: 100}
routing:
  modelCards:
    - {name: "my-model"}
  decisions:
    - name: "default-route"
      description: "Every request."
      priority: 100
      rules: {operator: "AND", conditions: []}
      modelRefs: [{model: "my-model", use_reasoning: false}]
"""


@pytest.mark.parametrize("name", ["vllm-sr/auto", "auto", "MoM"])
def test_the_starter_of_the_stock_command_line_serves_requests(exchange, tmp_path, chat, name):
    """Each of its names for automatic choice leads to the model of its decision, by body and header."""
    (tmp_path / "config.yaml").write_text(STARTER)
    responses, _ = exchange(load(tmp_path / "config.yaml"), request_headers(), request_body(chat(name)))
    common = responses[1].request_body.response
    assert json.loads(common.body_mutation.body)["model"] == "my-model"
    headers = {one.header.key: one.header.raw_value for one in common.header_mutation.set_headers}
    assert headers["x-selected-model"] == b"my-model"
