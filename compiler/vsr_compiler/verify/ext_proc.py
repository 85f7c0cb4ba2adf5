"""External processors (ext_proc) of gateways, in one form for every API that configures them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, ManifestIndex, cached_per_index

TYPE = "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
DEFAULT_NAME = "envoy.filters.http.ext_proc"
ServiceRef = tuple[str, str, int | None]
"""Namespace, name and port of a Service."""
_BODY_MODES = {"Buffered": "BUFFERED", "FullDuplexStreamed": "FULL_DUPLEX_STREAMED", "Streamed": "STREAMED"}


@dataclass(frozen=True, slots=True, eq=False)
class ExtProcFilter:
    """A filter that sends requests to an external processor.

    Attributes:
        source: The EnvoyFilter, EnvoyPatchPolicy, EnvoyExtensionPolicy or AgentgatewayPolicy.
        path: Path of the filter in the object.
        name: Envoy's name of the filter; empty if the gateway generates it.
        config: Fields of the filter in the spelling of Envoy's API; empty if the object uses another API.
        body_mode: How the request body is sent, in the spelling of Envoy's API.
        fail_open: Path of the field that lets requests pass if the processor fails; None if it fails closed.
        services: The Services that serve the processor.
        timeout: Path of `message_timeout`; empty if it is not set.
    """

    source: Manifest
    path: Path
    name: str
    config: Body
    body_mode: str
    fail_open: Path | None
    services: tuple[ServiceRef, ...] = ()
    timeout: Path = ()

    @property
    def is_envoy(self) -> bool:
        """Whether it is written in Envoy's own API."""
        return bool(self.name)


@cached_per_index
def ext_proc_filters(index: ManifestIndex) -> Iterator[ExtProcFilter]:
    """Return every ext_proc filter of the objects."""
    for manifest in index.of_kind("EnvoyFilter", ISTIO):
        for path, patch in manifest.entries("spec", "configPatches"):
            if patch.get("applyTo") == "HTTP_FILTER":
                yield from _envoy_filter(index, manifest, (*path, "patch", "value"))
    for manifest in index.of_kind("EnvoyPatchPolicy", ENVOY):
        for path, _ in manifest.entries("spec", "jsonPatches"):
            yield from _envoy_filter(index, manifest, (*path, "operation", "value"))
    for manifest in index.of_kind("EnvoyExtensionPolicy", ENVOY):
        for path, body in manifest.entries("spec", "extProc"):
            mode = as_string(value_at(body, "processingMode", "request", "body"))
            refs = [ref for _, ref in manifest.entries(*path, "backendRefs")]
            fail_open = (*path, "failOpen") if body.get("failOpen") is True else None
            body_mode = _BODY_MODES.get(mode, mode or "NONE")
            yield ExtProcFilter(manifest, path, "", {}, body_mode, fail_open, _services(manifest, refs))
    for manifest in index.of_kind("AgentgatewayPolicy", "agentgateway.dev"):
        path = ("spec", "traffic", "extProc")
        body = as_mapping(manifest.at(*path))
        if body:
            mode = as_string(value_at(body, "processingOptions", "requestBodyMode")) or "FullDuplexStreamed"
            fail_open = (*path, "failureMode") if body.get("failureMode") == "FailOpen" else None
            services = _services(manifest, [as_mapping(body.get("backendRef"))])
            yield ExtProcFilter(manifest, path, "", {}, snake_case(mode).upper(), fail_open, services)


def _services(manifest: Manifest, refs: list[Body]) -> tuple[ServiceRef, ...]:
    services = []
    for ref in refs:
        port = ref.get("port")
        if ref.get("kind", "Service") == "Service" and as_string(ref.get("name")):
            namespace = as_string(ref.get("namespace")) or manifest.namespace
            services.append((namespace, as_string(ref["name"]), port if isinstance(port, int) else None))
    return tuple(services)


def _envoy_filter(index: ManifestIndex, manifest: Manifest, path: Path) -> Iterator[ExtProcFilter]:
    value = as_mapping(manifest.at(*path))
    typed = as_mapping(value.get("typed_config", value.get("typedConfig")))
    if not as_string(typed.get("@type")).endswith(TYPE) or is_picker_placeholder(value):
        return
    config = {snake_case(key): item for key, item in typed.items()}
    mode = {snake_case(key): item for key, item in as_mapping(config.get("processing_mode")).items()}
    config["processing_mode"] = mode
    typed_path = (*path, "typed_config" if "typed_config" in value else "typedConfig")
    fail_open = next((key for key in typed if snake_case(key) == "failure_mode_allow" and typed[key] is True), None)
    timeout = next((key for key in typed if snake_case(key) == "message_timeout"), None)
    service = service_of_cluster(index, manifest, cluster_name(config))
    yield ExtProcFilter(
        manifest,
        path,
        as_string(value.get("name")) or DEFAULT_NAME,
        config,
        as_string(mode.get("request_body_mode")) or "NONE",
        (*typed_path, fail_open) if fail_open else None,
        (service,) if service else (),
        (*typed_path, timeout) if timeout else (),
    )


def is_picker_placeholder(value: Body) -> bool:
    """Return whether a filter is Istio's for endpoint pickers, which calls nobody unless a route to a pool says so.

    Source: Istio 1.29.0 to 1.31.0-rc.0, `pilot/pkg/xds/filters/filters.go`, `InferencePoolExtProc`.
    """
    typed = as_mapping(value.get("typed_config", value.get("typedConfig")))
    config = {snake_case(key): item for key, item in typed.items()}
    return as_string(value.get("name")) == DEFAULT_NAME and cluster_name(config) == "dummy"


def cluster_name(config: Body) -> str:
    """Return the name of the Envoy cluster that a filter calls; empty if it names none."""
    service = {snake_case(key): item for key, item in as_mapping(config.get("grpc_service")).items()}
    envoy = {snake_case(key): item for key, item in as_mapping(service.get("envoy_grpc")).items()}
    return as_string(envoy.get("cluster_name"))


def service_of_cluster(index: ManifestIndex, manifest: Manifest, cluster: str) -> ServiceRef | None:
    """Return the Service in the name of an Istio cluster, `outbound|port|subset|host`; None for other names."""
    parts = cluster.split("|")
    if len(parts) != len(("outbound", "port", "subset", "host")) or not parts[1].isdecimal():
        return None
    service = index.service_of_host(parts[3], manifest.namespace)
    return None if service is None else (service[1], service[0], int(parts[1][:6]))
