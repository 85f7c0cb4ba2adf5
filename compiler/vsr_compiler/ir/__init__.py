"""The linked policy: references resolved, defaults filled in, immutable.

Emitters and analyses read this representation and nothing else. Every symbol carries its span in the policy. Use it as
a namespace: ``from vsr_compiler import ir``.
"""

from __future__ import annotations

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.ask import AskMarker, AskRules
from vsr_compiler.ir.attachment import ATTACH, Attachment
from vsr_compiler.ir.cache_store import CacheStore
from vsr_compiler.ir.candidate import Candidate
from vsr_compiler.ir.classifier_servers import ClassifierServer
from vsr_compiler.ir.classifiers import Category, Classifier
from vsr_compiler.ir.conditions import (
    ALWAYS,
    AllOf,
    AnyOf,
    Condition,
    HasSignal,
    InCategory,
    Leaf,
    Not,
    Phrase,
    all_phrase,
    any_phrase,
    fold,
    leaves,
    negated_phrase,
    walk,
    words,
)
from vsr_compiler.ir.encoders import Encoder
from vsr_compiler.ir.endpoints import (
    Endpoint,
    EndpointKind,
    ExistingPods,
    ExistingPool,
    ExistingService,
    ForeignRoute,
    Picker,
    Pool,
    Provider,
    VllmServer,
)
from vsr_compiler.ir.environments import Cors, Environment, Gateway
from vsr_compiler.ir.expectations import Assertion, Expectation, Statement, Test, TestRequest
from vsr_compiler.ir.fallback import Retry
from vsr_compiler.ir.gitops import OCI, Cluster, Flux, GitOps
from vsr_compiler.ir.guards import Block, Flag, Guard, GuardAction, Mask, RouteTo
from vsr_compiler.ir.hosts import COMPOSE, Host
from vsr_compiler.ir.identity import ApiKey, ApiKeys, ClientTest, GatewayHeader, Identity, IdentitySource, Jwt
from vsr_compiler.ir.imports import Import
from vsr_compiler.ir.limits import Limit
from vsr_compiler.ir.listeners import (
    HTTP,
    ClientCertificates,
    Issuer,
    Listener,
    Section,
    Tls,
    sections,
    with_hostnames,
)
from vsr_compiler.ir.models import Model, Reasoning
from vsr_compiler.ir.names import object_name
from vsr_compiler.ir.network import API_PATH, CLUSTER_DOMAIN, ServiceRef
from vsr_compiler.ir.placement import Autoscaling, Placement, Resources
from vsr_compiler.ir.policy import Policy
from vsr_compiler.ir.providers import CloudAuth, EndpointKey, ProviderApi
from vsr_compiler.ir.residency import Residency
from vsr_compiler.ir.rollout import Rollout, RolloutAnalysis, RolloutStep
from vsr_compiler.ir.router import Router, RouterImplementation, SemanticRouter, VsrRuntime
from vsr_compiler.ir.routes import Cache, Route, chain_name
from vsr_compiler.ir.signals import (
    ClientSignal,
    ComplexitySignal,
    ContextSignal,
    ConversationSignal,
    EmbeddingSignal,
    JailbreakSignal,
    KeywordSignal,
    LabelSignal,
    LanguageSignal,
    ModalitySignal,
    PiiSignal,
    Signal,
    SignalKind,
    StructureSignal,
    detector_of,
    needs_model,
)
from vsr_compiler.ir.stickiness import RouteStickiness, Stickiness, StickinessMode
from vsr_compiler.ir.substitute import substitute

__all__ = [
    "ALWAYS",
    "API_PATH",
    "ATTACH",
    "CLUSTER_DOMAIN",
    "COMPOSE",
    "HTTP",
    "OCI",
    "AllOf",
    "AnyOf",
    "ApiKey",
    "ApiKeys",
    "AskMarker",
    "AskRules",
    "Assertion",
    "Attachment",
    "Autoscaling",
    "Block",
    "Cache",
    "CacheStore",
    "Candidate",
    "Category",
    "Classifier",
    "ClassifierServer",
    "ClientCertificates",
    "ClientSignal",
    "ClientTest",
    "CloudAuth",
    "Cluster",
    "ComplexitySignal",
    "Condition",
    "ContextSignal",
    "ConversationSignal",
    "Cors",
    "EmbeddingSignal",
    "Encoder",
    "Endpoint",
    "EndpointKey",
    "EndpointKind",
    "Environment",
    "ExistingPods",
    "ExistingPool",
    "ExistingService",
    "Expectation",
    "Flag",
    "Flux",
    "ForeignRoute",
    "Gateway",
    "GatewayHeader",
    "GitOps",
    "Guard",
    "GuardAction",
    "HasSignal",
    "Host",
    "Identity",
    "IdentitySource",
    "Import",
    "InCategory",
    "Issuer",
    "JailbreakSignal",
    "Jwt",
    "KeywordSignal",
    "LabelSignal",
    "LanguageSignal",
    "Leaf",
    "Limit",
    "Listener",
    "Mask",
    "ModalitySignal",
    "Model",
    "Not",
    "Phrase",
    "Picker",
    "PiiSignal",
    "Placement",
    "Policy",
    "Pool",
    "Provider",
    "ProviderApi",
    "Reasoning",
    "Residency",
    "Resources",
    "Retry",
    "Rollout",
    "RolloutAnalysis",
    "RolloutStep",
    "Route",
    "RouteStickiness",
    "RouteTo",
    "Router",
    "RouterImplementation",
    "Section",
    "SemanticRouter",
    "ServiceRef",
    "Signal",
    "SignalKind",
    "Span",
    "Statement",
    "Stickiness",
    "StickinessMode",
    "StructureSignal",
    "Test",
    "TestRequest",
    "Tls",
    "VllmServer",
    "VsrRuntime",
    "all_phrase",
    "any_phrase",
    "chain_name",
    "detector_of",
    "fold",
    "leaves",
    "needs_model",
    "negated_phrase",
    "object_name",
    "sections",
    "substitute",
    "walk",
    "with_hostnames",
    "words",
]
