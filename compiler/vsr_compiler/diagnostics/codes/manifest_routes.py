"""Codes about listeners, pods and policies of manifests: rules L18 to L30."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR418": Code(
        title="mutable image or exposed secret",
        severity="error",
        stage=Stage.VERIFY,
        rule="L18",
        meaning=(
            "An image has no fixed version, a secret is part of a manifest, or a log level writes prompts to the log."
        ),
        reason="The deployed software may change without a commit; secrets and prompts become readable.",
        fix=(
            "Use a release or digest, keep secrets in a Secret that is not in the repository, and log at `info` "
            "or `warn`."
        ),
        example=Example(
            """\
args: [--model=example/big, --served-model-name, big]
        env: [{name: HF_TOKEN, value: hf_x}]
""",
            Kind.EXCERPT,
        ),
    ),
    "VSR419": Code(
        title="unresolved name in a string",
        severity="error",
        stage=Stage.VERIFY,
        rule="L19",
        meaning=(
            "A cluster or listener name inside an EnvoyFilter or EnvoyPatchPolicy does not refer to an existing object."
        ),
        reason="Kubernetes does not check such strings; Envoy drops the configuration or has no upstream.",
        fix="Fix the name in the string.",
        example=Example("cluster_name: outbound|50052||router.prod.svc.cluster.local", Kind.EXCERPT),
    ),
    "VSR420": Code(
        title="implicit default or namespace",
        severity="warning",
        stage=Stage.VERIFY,
        rule="L20",
        meaning="An object has no namespace, or a list in a route omits defaults that the API server adds.",
        reason="The object lands in whatever namespace is current, or Argo CD reports it as out of sync forever.",
        fix="Write the namespace and the defaults.",
        example=Example("{name: x-selected-model, value: big}", Kind.EXCERPT),
    ),
    "VSR421": Code(
        title="ineffective probe",
        severity="error",
        stage=Stage.VERIFY,
        rule="L21",
        meaning=(
            "A probe asks for a gRPC service that the component does not have, or waits a fixed time for a slow start."
        ),
        reason="Pods are restarted or never become ready.",
        fix="Probe a service that the component offers, and use a startupProbe for slow starts.",
        example=Example(
            """\
args: [--pool-name=big, --pool-namespace=prod, --grpc-port=9002, --ha-enable-leader-election]
        livenessProbe: {grpc: {port: 9003, service: inference-extension}}
""",
            Kind.EXCERPT,
        ),
    ),
    "VSR422": Code(
        title="rule outside the gateway's scope",
        severity="error",
        stage=Stage.VERIFY,
        rule="L22",
        meaning=(
            "A DestinationRule is not visible to the gateway that needs it, or an EnvoyFilter applies to every proxy."
        ),
        reason="The rule has no effect, or changes proxies that it is not meant for.",
        fix="Move the rule to a namespace that the gateway reads, and name the Gateway in `targetRefs`.",
        example=Example("  config", Kind.EXCERPT),
    ),
    "VSR423": Code(
        title="cluster-scoped object among an application's objects",
        severity="warning",
        stage=Stage.VERIFY,
        rule="L23",
        meaning=(
            "A GatewayClass, StorageClass, PersistentVolume or CustomResourceDefinition is part of an application."
        ),
        reason="Applications on the same cluster overwrite it, and removing one application removes it for all.",
        fix="Keep the object with the files that set up the cluster.",
        example=Example(
            """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: big, namespace: prod}
spec: {rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR624": Code(
        title="listener without the router's filter",
        severity="error",
        stage=Stage.VERIFY,
        rule="L24",
        meaning=(
            "A route that matches the router's header attaches to a listener on which the router's ext_proc filter "
            "does not run."
        ),
        reason=(
            "No request on this listener passes the router and its guards. If the header is not removed either, the "
            "client's own header chooses the model."
        ),
        fix="Add the filter to every listener that the route attaches to, or attach the route to other listeners only.",
        example=Example(
            """\
  listeners:
  - {name: admin, port: 80, protocol: HTTP, hostname: admin.example.com}
  - {name: http, port: 80, protocol: HTTP}
""",
            Kind.EXCERPT,
        ),
    ),
    "VSR625": Code(
        title="policy that does not run before the router decides",
        severity="error",
        stage=Stage.VERIFY,
        rule="L25",
        meaning=(
            "A SecurityPolicy or another policy of Envoy Gateway does not apply to the route that a request matches "
            "on its arrival, so its filter does not run."
        ),
        reason=(
            "The gateway reports the policy as accepted and serves everybody, providers with your key included: it "
            "decides about such filters before the router has chosen a model's route."
        ),
        fix=(
            "Attach authentication to the Gateway, add a route without conditions that answers 404, and let no other "
            "policy replace the Gateway's on it."
        ),
        example=Example(
            """\
spec: {selector: {app: big}, ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: users, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: big}]
  basicAuth: {users: {name: users}}
""",
            Kind.EXCERPT,
        ),
    ),
    "VSR626": Code(
        title="bodies longer than a picker accepts",
        severity="error",
        stage=Stage.VERIFY,
        rule="L26",
        meaning="The gateway buffers longer request bodies than the gRPC server of an endpoint picker accepts.",
        reason=(
            "A filter that buffers passes the body on in one piece, which the picker's filter sends as one message. "
            "Longer requests get 500 with an empty body instead of 413."
        ),
        fix=(
            "Raise the picker's limit by `--grpc-max-recv-msg-size`, if its release has the flag. Otherwise limit the "
            "gateway's buffer and the router's `maxBody`."
        ),
        example=Example("command: [/epp]", Kind.EXCERPT),
    ),
    "VSR627": Code(
        title="volume, key or port that a pod does not have",
        severity="error",
        stage=Stage.VERIFY,
        rule="L27",
        meaning=(
            "A container mounts a volume that its pod does not have, a probe names a port that its container does not, "
            "or a key is read that the ConfigMap or Secret does not have."
        ),
        reason="The API server rejects the pod, the container is never created, or the probe always fails.",
        fix="Fix the name. A key that may be missing is read with `optional: true`.",
        example=Example(
            """\
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: prod}
spec:
  containers:
  - name: server
    image: registry.example/server:1.0
    volumeMounts: [{name: model, mountPath: /models}]
  volumes: [{name: models, emptyDir: {}}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR628": Code(
        title="fallback that is never tried",
        severity="warning",
        stage=Stage.VERIFY,
        rule="L28",
        meaning=(
            "A route has backends of several priorities, and its retries do not say after how many attempts the next "
            "priority is tried."
        ),
        reason="All attempts go to the highest priority, so the request fails although another backend would answer.",
        fix="Set `retry.numAttemptsPerPriority`, or a health check in the BackendTrafficPolicy.",
        example=Example(
            """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: chat, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: chat}]
  retry: {numRetries: 3}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: chat, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rules: [{backendRefs: [{name: first}, {name: second, priority: 1}]}]
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR629": Code(
        title="plain HTTP to a TLS port",
        severity="warning",
        stage=Stage.VERIFY,
        rule="L29",
        meaning="A Backend of Envoy Gateway has port 443, but neither `tls` nor a BackendTLSPolicy.",
        reason="The gateway sends plain HTTP, which the server at that port refuses with 400 or closes.",
        fix="Set `tls` in the Backend, or add a BackendTLSPolicy for it.",
        example=Example(
            """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: provider, namespace: prod}
spec: {endpoints: [{fqdn: {hostname: api.example.com, port: 443}}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR630": Code(
        title="model server that does not become ready",
        severity="warning",
        stage=Stage.VERIFY,
        rule="L30",
        meaning=(
            "A model server is restarted while it loads, listens on another port than its probes ask, lacks shared "
            "memory for several GPUs, or shares a volume that one node can mount."
        ),
        reason="Its pods restart or wait forever.",
        fix="Add a startupProbe, use one port, mount memory at `/dev/shm`, or use a volume that many nodes can mount.",
        example=Example(
            "args: [--model=example/big, --served-model-name, big, --port=8001]",
            Kind.EXCERPT,
        ),
    ),
}
