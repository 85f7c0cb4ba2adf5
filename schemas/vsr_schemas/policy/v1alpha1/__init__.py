"""The policy file, one module a group of nouns; here they come together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.policy.v1alpha1.assertions import Assertion, Statement
from vsr_schemas.policy.v1alpha1.base import Noun
from vsr_schemas.policy.v1alpha1.classification import Category, Checkpoint, Classifier
from vsr_schemas.policy.v1alpha1.environments import Environment, EnvironmentGateway, Resources
from vsr_schemas.policy.v1alpha1.guards import Except, Guard
from vsr_schemas.policy.v1alpha1.models import (
    Endpoint,
    External,
    Lora,
    Model,
    Picker,
    Pods,
    Pool,
    Price,
    SecretKey,
    Service,
    Vllm,
)
from vsr_schemas.policy.v1alpha1.router import Gateway, GitOps, Router, Weights
from vsr_schemas.policy.v1alpha1.routes import Cache, Condition, Headers, Params, Route, SystemPrompt, Tools
from vsr_schemas.policy.v1alpha1.signals import KINDS, Signal
from vsr_schemas.policy.v1alpha1.tests import Expectation, Test
from vsr_schemas.scalars import Header, Label, Name

__all__ = [
    "API_VERSION",
    "KIND",
    "KINDS",
    "Assertion",
    "Cache",
    "Category",
    "Checkpoint",
    "Classifier",
    "Condition",
    "Endpoint",
    "Environment",
    "EnvironmentGateway",
    "Except",
    "Expectation",
    "External",
    "Gateway",
    "GitOps",
    "Guard",
    "Headers",
    "Lora",
    "Metadata",
    "Model",
    "Params",
    "Picker",
    "Pods",
    "Policy",
    "Pool",
    "Price",
    "Resources",
    "Route",
    "Router",
    "SecretKey",
    "Service",
    "Signal",
    "Statement",
    "SystemPrompt",
    "Test",
    "Tools",
    "Vllm",
    "Weights",
]
API_VERSION = "vsr.dev/v1alpha1"
KIND = "RoutingPolicy"


class Metadata(Noun):
    """The policy's name: the folder of its output."""

    name: Label


class Policy(Noun):
    """One file: what a platform team decides about LLM traffic."""

    api_version: Literal["vsr.dev/v1alpha1"]
    kind: Literal["RoutingPolicy"]
    metadata: Metadata
    router: Router
    gateway: Gateway = Gateway()
    gitops: GitOps | None = None
    endpoints: Annotated[dict[Name, Endpoint], Field(min_length=1)]
    models: Annotated[dict[Header, Model], Field(min_length=1)]
    classifiers: dict[Name, Classifier] = {}
    categories: dict[Name, Category] = {}
    signals: dict[Name, Signal] = {}
    guards: dict[Name, Guard] = {}
    routes: list[Route] = []
    default: Header
    assertions: list[Assertion] = []
    tests: list[Test] = []
    environments: Annotated[dict[Label, Environment], Field(min_length=1)] = {"dev": Environment()}
