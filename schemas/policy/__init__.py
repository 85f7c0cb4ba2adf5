"""The policy file, one module a group of nouns; here they come together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.policy.base import Noun
from schemas.policy.classification import Category, Classifier
from schemas.policy.models import Endpoint, Model, Service, Vllm
from schemas.policy.router import Gateway, Router
from schemas.policy.routes import Condition, Route
from schemas.policy.tests import Expectation, Test
from schemas.scalars import Header, Label, Name

__all__ = [
    "API_VERSION",
    "KIND",
    "Category",
    "Classifier",
    "Condition",
    "Endpoint",
    "Environment",
    "Expectation",
    "Gateway",
    "Metadata",
    "Model",
    "Policy",
    "Route",
    "Router",
    "Service",
    "Test",
    "Vllm",
]
API_VERSION = "vsr.dev/v1alpha1"
KIND = "RoutingPolicy"


class Metadata(Noun):
    """The policy's name: the folder of its output."""

    name: Label


class Environment(Noun):
    """An overlay: the same routing on another stack or scale."""

    target: Literal["istio"] = "istio"


class Policy(Noun):
    """One file: what a platform team decides about LLM traffic."""

    api_version: Literal["vsr.dev/v1alpha1"]
    kind: Literal["RoutingPolicy"]
    metadata: Metadata
    router: Router
    gateway: Gateway = Gateway()
    endpoints: Annotated[dict[Name, Endpoint], Field(min_length=1)]
    models: Annotated[dict[Header, Model], Field(min_length=1)]
    classifiers: dict[Name, Classifier] = {}
    categories: dict[Name, Category] = {}
    routes: list[Route] = []
    default: Header
    tests: list[Test] = []
    environments: Annotated[dict[Label, Environment], Field(min_length=1)] = {"dev": Environment()}
