"""``router.cache``: the store in which replicas of the router share cached responses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.providers import SecretKeySpec
from vsr_schemas.scalars import Bool, HostPort, Label, LabelKey, LabelValue, ObjectName, SecretKeyName


class CacheLoginSpec(PolicyModel):
    """A Secret with a password and, if ``username`` names a key, the user of the store's access list."""

    secret: ObjectName
    username: SecretKeyName | None = None
    password: SecretKeyName = "password"  # noqa: S105 - the name of a key


class CacheStoreSpec(PolicyModel):
    """A Valkey or Redis. ``pods`` are the labels of its pods, if they are in the cluster."""

    address: HostPort
    tls: Bool = True
    ca: SecretKeySpec | None = None
    login: CacheLoginSpec | None = None
    pods: Annotated[dict[LabelKey, LabelValue], Field(min_length=1, max_length=16)] | None = None
    region: Label | None = None
