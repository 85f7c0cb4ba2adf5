"""Decisions as dynamic metadata, as gateways of both dialects get them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from google.protobuf import json_format, struct_pb2

from support.played_agentgateway import Agentgateway
