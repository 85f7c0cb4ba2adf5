"""Codes about what manifests refer to and agree on: rules L01 to L17."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR401": Code(
        title="duplicate object",
        severity="error",
        stage=Stage.VERIFY,
        rule="L01",
        meaning="Two objects have the same API group, kind, namespace and name.",
        reason="The one that is applied last silently replaces the other.",
        fix="Remove or rename one of the objects.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: prod}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: prod}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR402": Code(
        title="reference to a missing object",
        severity="error",
        stage=Stage.VERIFY,
        rule="L02",
        meaning=(
            "An object refers to another object, or to a port of a Service, that is not among the checked objects."
        ),
        reason="A route without its backend answers with an error, and a pod without its ConfigMap does not start.",
        fix=(
            "Fix the name, namespace or port. Declare objects that exist elsewhere with `--assume KIND/NAMESPACE/NAME`."
        ),
        example=Example(
            """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: big, namespace: prod}
spec:
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [{group: "", kind: Service, name: large, port: 80, weight: 1}]
---
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {ports: [{port: 80}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR403": Code(
        title="missing or unused ReferenceGrant",
        severity="error",
        stage=Stage.VERIFY,
        rule="L03",
        meaning=(
            "A reference into another namespace is not allowed by a ReferenceGrant there, or a grant serves no "
            "reference."
        ),
        reason="Gateways reject such references; a grant that nothing needs only extends access.",
        fix="Add the grant that the message describes, or remove the unused grant.",
        example=Example(
            """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: big, namespace: models}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: prod}]
  to: [{group: "", kind: Service, name: big}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR404": Code(
        title="model name without a route or server",
        severity="error",
        stage=Stage.VERIFY,
        rule="L04",
        meaning=(
            "The names that the router selects, that routes match and that model servers answer to are not the same."
        ),
        reason="Requests for such a model get 404 from the gateway or the model server.",
        fix="Use the same model name in the router configuration, the routes and `--served-model-name`.",
        example=Example("served-model-name, huge", Kind.EXCERPT),
    ),
    "VSR405": Code(
        title="selector without matching pods",
        severity="error",
        stage=Stage.VERIFY,
        rule="L05",
        meaning="A selector matches no pods, pods of another pool, or pods that do not listen on the requested port.",
        reason="Requests are not delivered, metrics are not collected, or a policy protects nothing.",
        fix="Fix the labels, the port or the namespace. Declare pods that exist elsewhere with `--assume`.",
        example=Example(
            """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selector: {app: large}, ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: big, namespace: prod}
spec:
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec: {containers: [{name: vllm, image: "vllm/vllm-openai:v0.17.0", ports: [{containerPort: 8000}]}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR406": Code(
        title="endpoint picker and pool disagree",
        severity="error",
        stage=Stage.VERIFY,
        rule="L06",
        meaning=(
            "The arguments of an endpoint picker do not match the pool that uses it, or its configuration is not "
            "mounted."
        ),
        reason="The picker watches the wrong pods or does not start, and the pool's requests fail.",
        fix="Set `--pool-name`, `--pool-namespace` and `--grpc-port` to the values of the pool and its Service.",
        example=Example("--pool-name=small", Kind.EXCERPT),
    ),
    "VSR407": Code(
        title="TLS mismatch with an endpoint picker",
        severity="error",
        stage=Stage.VERIFY,
        rule="L07",
        meaning="The gateway and an endpoint picker do not agree on TLS.",
        reason="Every request to the pool gets an error.",
        fix="Configure TLS on both sides, or on neither.",
        example=Example("mode: DISABLE", Kind.EXCERPT),
    ),
    "VSR408": Code(
        title="gRPC port not marked as HTTP/2",
        severity="error",
        stage=Stage.VERIFY,
        rule="L08",
        meaning=(
            "On Istio, the Service port of a gRPC server has neither a name that begins with `grpc` nor an "
            "`appProtocol`."
        ),
        reason="Envoy speaks HTTP/1.1 to the port, and no call succeeds.",
        fix="Set `appProtocol: grpc`, or name the port `grpc`.",
        example=Example("{name: a, port: 50051}", Kind.EXCERPT),
    ),
    "VSR409": Code(
        title="misplaced or misnamed ext_proc filter",
        severity="error",
        stage=Stage.VERIFY,
        rule="L09",
        meaning=(
            "An ext_proc filter has a name that another filter uses, or a position at which it cannot choose the route."
        ),
        reason=(
            "The router is not called, or after the route and the pod have been selected. Before authentication it "
            "answers clients whom the gateway would refuse."
        ),
        fix=(
            "Give the filter a name of its own, and insert it behind authentication: before the endpoint picker's "
            "filter or `grpc_stats` on Istio, before the request buffer on Envoy Gateway."
        ),
        example=Example("operation: ADD", Kind.EXCERPT),
    ),
    "VSR410": Code(
        title="guards can be bypassed",
        severity="error",
        stage=Stage.VERIFY,
        rule="L10",
        meaning=(
            "A processor fails open, only observes requests, or clients can set the header that selects the route."
        ),
        reason="Requests reach models without the checks that the policy requires.",
        fix="Fail closed, and remove the routing headers from client requests before any filter runs.",
        example=Example("remove: x-other", Kind.EXCERPT),
    ),
    "VSR411": Code(
        title="unsuitable processing mode",
        severity="error",
        stage=Stage.VERIFY,
        rule="L11",
        meaning=(
            "The processing mode of an ext_proc filter, its failure mode or its phase prevents routing by the "
            "request body."
        ),
        reason="Envoy rejects the listener, or routes the request before the router has answered.",
        fix="Use the mode that the message names, usually `BUFFERED` request bodies.",
        example=Example("request_body_mode: BUFFERED_PARTIAL,", Kind.EXCERPT),
    ),
    "VSR412": Code(
        title="gateway buffer too small",
        severity="error",
        stage=Stage.VERIFY,
        rule="L12",
        meaning=(
            "The gateway buffers fewer bytes than the router accepts, because no buffer limit is set or it is too low."
        ),
        reason="Longer prompts get 413 from the gateway.",
        fix="Set the buffer limit of the gateway to `limits.maxBody` of the router.",
        example=Example("http2: {maxConcurrentStreams: 100}", Kind.EXCERPT),
    ),
    "VSR413": Code(
        title="contradictory timeouts",
        severity="error",
        stage=Stage.VERIFY,
        rule="L13",
        meaning=(
            "An inner timeout is longer than the timeout around it, or Envoy's default of 200 ms applies to the router."
        ),
        reason="Requests fail before the inner component could have answered.",
        fix="Make outer timeouts longer than inner ones.",
        example=Example("timeouts: {request: 1s, backendRequest: 2s}", Kind.EXCERPT),
    ),
    "VSR414": Code(
        title="argument unknown to the release",
        severity="error",
        stage=Stage.VERIFY,
        rule="L14",
        meaning="A component gets a flag, plugin, variable or configuration version that its release does not have.",
        reason="The component does not start, or silently ignores the setting.",
        fix="Use the arguments of the release, or another release.",
        example=Example("--lora-info-metric=x", Kind.EXCERPT),
    ),
    "VSR415": Code(
        title="missing or ineffective permissions",
        severity="error",
        stage=Stage.VERIFY,
        rule="L15",
        meaning="A ServiceAccount lacks permissions that its component needs, or a role or binding has no effect.",
        reason="An endpoint picker without permissions never becomes ready.",
        fix="Change the roles and bindings as the message describes.",
        example=Example(
            """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: big-epp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
subjects: [{kind: ServiceAccount, name: big-epp}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR416": Code(
        title="route exceeds what its gateway supports",
        severity="error",
        stage=Stage.VERIFY,
        rule="L16",
        meaning=(
            "A route has too many rules or matches, combines a pool with other backends, or repeats a rule name "
            "or match."
        ),
        reason="The API server rejects the route, or the gateway ignores a part of it.",
        fix="Split the route or the rule.",
        example=Example(
            (
                "{group: inference.networking.k8s.io, kind: InferencePool, name: big, weight: 1}, {name: small, port:"
                " 80}"
            ),
            Kind.EXCERPT,
        ),
    ),
    "VSR417": Code(
        title="route not accepted by the listener",
        severity="error",
        stage=Stage.VERIFY,
        rule="L17",
        meaning=(
            "A route names a listener that its Gateway does not have, or one that accepts no routes of its kind "
            "or namespace."
        ),
        reason="The gateway ignores the route.",
        fix="Fix the listener name, or change `allowedRoutes` of the listener.",
        example=Example(
            """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: gateways}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: big, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge, namespace: gateways}]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]
""",
            Kind.MANIFESTS,
        ),
    ),
}
