"""Providers that other gateways know by a name, and addresses of servers as endpoints of a policy."""

from vsr_compiler.importer.providers.addresses import Address, address
from vsr_compiler.importer.providers.credentials import NeededSecrets, credential
from vsr_compiler.importer.providers.facts import PROVIDERS, TRANSLATED, Provider
from vsr_compiler.importer.providers.named import provider_endpoint

__all__ = [
    "PROVIDERS",
    "TRANSLATED",
    "Address",
    "NeededSecrets",
    "Provider",
    "address",
    "credential",
    "provider_endpoint",
]
