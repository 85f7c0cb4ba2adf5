"""The schema of the policy file, one module per group of sections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.apis import ApiName
from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.ask import AskSpec, MarkerSpec
from vsr_schemas.policy.v1alpha1.assertions import AssertionSpec, RegionsSpec, StatementSpec
from vsr_schemas.policy.v1alpha1.autoscaling import AutoscalingSpec
from vsr_schemas.policy.v1alpha1.cache_store import CacheLoginSpec, CacheStoreSpec
from vsr_schemas.policy.v1alpha1.candidate import CandidateSpec
from vsr_schemas.policy.v1alpha1.classification import CategorySpec, CheckpointSpec, ClassifierSpec
from vsr_schemas.policy.v1alpha1.classifier_servers import ClassifierServerSpec, ServerKeySpec
from vsr_schemas.policy.v1alpha1.clients import AsSpec, ClientSpec
from vsr_schemas.policy.v1alpha1.encoders import EncoderSpec
from vsr_schemas.policy.v1alpha1.environments import EnvironmentClusterSpec, EnvironmentGatewaySpec, EnvironmentSpec
from vsr_schemas.policy.v1alpha1.fallback import RetrySpec
from vsr_schemas.policy.v1alpha1.gitops import ClusterSpec, FluxSpec, GitOpsSpec
from vsr_schemas.policy.v1alpha1.guards import ExceptSpec, GuardSpec
from vsr_schemas.policy.v1alpha1.hosts import HostSpec
from vsr_schemas.policy.v1alpha1.identity import (
    ApiKeySpec,
    EnvironmentIdentitySpec,
    GatewayHeaderSpec,
    IdentitySpec,
    JwtSpec,
)
from vsr_schemas.policy.v1alpha1.imports import Imports, ImportSpec
from vsr_schemas.policy.v1alpha1.labels import LabelSignalSpec
from vsr_schemas.policy.v1alpha1.limits import LimitForSpec, LimitSpec, OverSpec
from vsr_schemas.policy.v1alpha1.listeners import (
    ClientCertificatesSpec,
    IssuerSpec,
    ListenerSpec,
    SecretSpec,
    TlsSpec,
)
from vsr_schemas.policy.v1alpha1.models import (
    EndpointSpec,
    ExternalSpec,
    LoraSpec,
    ModelSpec,
    PickerSpec,
    PodsSpec,
    PoolSpec,
    PriceSpec,
    ServiceSpec,
    VllmSpec,
)
from vsr_schemas.policy.v1alpha1.placement import (
    AffinitySpec,
    EnvironmentPlacementSpec,
    KeyReferenceSpec,
    NodeAffinitySpec,
    PlacementSpec,
    PodsNearSpec,
    RequirementSpec,
    ResourcesSpec,
    StoredPlacementSpec,
    TolerationSpec,
    VolumeSpec,
)
from vsr_schemas.policy.v1alpha1.providers import (
    AwsAuthSpec,
    AzureAuthSpec,
    CloudAuthSpec,
    GcpAuthSpec,
    ProviderKeySpec,
    SchemaName,
    SecretKeySpec,
)
from vsr_schemas.policy.v1alpha1.residency import Residency
from vsr_schemas.policy.v1alpha1.rollout import RolloutAnalysisSpec, RolloutSpec, RolloutStepSpec
from vsr_schemas.policy.v1alpha1.router import CorsSpec, GatewaySpec, RouterSpec, WeightsSpec
from vsr_schemas.policy.v1alpha1.routes import (
    CacheSpec,
    ConditionSpec,
    DefaultSpec,
    HeadersSpec,
    ParamsSpec,
    RouteSpec,
    SystemPromptSpec,
    ToolsSpec,
)
from vsr_schemas.policy.v1alpha1.signals import KINDS, RoleSpec, SignalSpec
from vsr_schemas.policy.v1alpha1.stickiness import RouteStickinessSpec, StickinessSpec
from vsr_schemas.policy.v1alpha1.tests import ExpectationSpec, TestSpec, TurnSpec
from vsr_schemas.scalars import Header, Label, Name
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

__all__ = [
    "API_VERSION",
    "KIND",
    "KINDS",
    "AffinitySpec",
    "ApiKeySpec",
    "AsSpec",
    "AskSpec",
    "AssertionSpec",
    "AutoscalingSpec",
    "AwsAuthSpec",
    "AzureAuthSpec",
    "CacheLoginSpec",
    "CacheSpec",
    "CacheStoreSpec",
    "CandidateSpec",
    "CategorySpec",
    "CheckpointSpec",
    "ClassifierServerSpec",
    "ClassifierSpec",
    "ClientCertificatesSpec",
    "ClientSpec",
    "CloudAuthSpec",
    "ClusterSpec",
    "ConditionSpec",
    "CorsSpec",
    "DefaultSpec",
    "EncoderSpec",
    "EndpointSpec",
    "EnvironmentClusterSpec",
    "EnvironmentGatewaySpec",
    "EnvironmentIdentitySpec",
    "EnvironmentPlacementSpec",
    "EnvironmentSpec",
    "ExceptSpec",
    "ExpectationSpec",
    "ExternalSpec",
    "FluxSpec",
    "GatewayHeaderSpec",
    "GatewaySpec",
    "GcpAuthSpec",
    "GitOpsSpec",
    "GuardSpec",
    "HeadersSpec",
    "HostSpec",
    "IdentitySpec",
    "ImportSpec",
    "IssuerSpec",
    "JwtSpec",
    "KeyReferenceSpec",
    "LabelSignalSpec",
    "LimitForSpec",
    "LimitSpec",
    "ListenerSpec",
    "LoraSpec",
    "MarkerSpec",
    "MetadataSpec",
    "ModelSpec",
    "NodeAffinitySpec",
    "OverSpec",
    "ParamsSpec",
    "PickerSpec",
    "PlacementSpec",
    "PodsNearSpec",
    "PodsSpec",
    "PolicySpec",
    "PoolSpec",
    "PriceSpec",
    "ProviderKeySpec",
    "RegionsSpec",
    "RequirementSpec",
    "ResourcesSpec",
    "RetrySpec",
    "RoleSpec",
    "RolloutAnalysisSpec",
    "RolloutSpec",
    "RolloutStepSpec",
    "RouteSpec",
    "RouteStickinessSpec",
    "RouterSpec",
    "SchemaName",
    "SecretKeySpec",
    "SecretSpec",
    "ServerKeySpec",
    "ServiceSpec",
    "SignalSpec",
    "StatementSpec",
    "StickinessSpec",
    "StoredPlacementSpec",
    "SystemPromptSpec",
    "TestSpec",
    "TlsSpec",
    "TolerationSpec",
    "ToolsSpec",
    "TurnSpec",
    "VllmSpec",
    "VolumeSpec",
    "WeightsSpec",
]
API_VERSION = "vsr.dev/v1alpha1"
KIND = "RoutingPolicy"


class MetadataSpec(PolicyModel):
    """The name of the policy, which is also the name of its output folder."""

    name: Label


class PolicySpec(PolicyModel):
    """A policy file: how LLM traffic is routed."""

    api_version: Literal["vsr.dev/v1alpha1"]
    kind: Literal["RoutingPolicy"]
    metadata: MetadataSpec
    imports: Imports = []
    router: RouterSpec
    gateway: GatewaySpec = GatewaySpec()
    identity: IdentitySpec | None = None
    apis: Annotated[list[ApiName], Field(min_length=1)] | None = None
    gitops: GitOpsSpec | None = None
    endpoints: Annotated[dict[Name, EndpointSpec], Field(min_length=1)]
    models: Annotated[dict[Header, ModelSpec], Field(min_length=1)]
    classifiers: dict[Name, ClassifierSpec] = {}
    categories: dict[Name, CategorySpec] = {}
    signals: dict[Name, SignalSpec] = {}
    ask: AskSpec = AskSpec()
    guards: dict[Name, GuardSpec] = {}
    stickiness: StickinessSpec = StickinessSpec()
    routes: list[RouteSpec] = []
    default: Annotated[Annotated[Header, AsText] | Annotated[DefaultSpec, AsMapping], by_shape(TEXT, MAPPING)]
    limits: Annotated[list[LimitSpec], Field(max_length=64)] = []
    assertions: list[AssertionSpec] = []
    tests: list[TestSpec] = []
    residency: Residency | None = None
    environments: Annotated[dict[Label, EnvironmentSpec], Field(min_length=1)] = {"dev": EnvironmentSpec()}
