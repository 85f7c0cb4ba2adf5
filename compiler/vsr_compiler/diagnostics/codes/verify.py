"""Codes about manifests: VSR4xx, and further ones from the ranges that ``rule_names.FAMILIES`` reserves."""

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
    "VSR430": Code(
        title="manifests exceed a limit",
        severity="error",
        stage=Stage.VERIFY,
        rule="M01",
        meaning="There are more files, bytes or objects than one run accepts.",
        reason="The limits bound the time and memory that hostile files can cost.",
        fix="Check the manifests in several runs.",
        example=Example(
            "vsr-compile verify huge/", Kind.COMMAND, output="huge/a.yaml: error VSR430: more than 64 MiB of manifests"
        ),
    ),
    "VSR431": Code(
        title="not a Kubernetes object",
        severity="error",
        stage=Stage.VERIFY,
        rule="M02",
        meaning="A document has no `apiVersion`, `kind` or `metadata.name`, or is a file of vsr-compile.",
        reason="The API server rejects it; a policy must be checked with `vsr-compile check`.",
        fix="Add the missing fields, or remove the document.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR432": Code(
        title="document left out",
        severity="note",
        stage=Stage.VERIFY,
        rule="M03",
        meaning="A document in the folder is not a Kubernetes object, for example Helm values.",
        reason="It was not checked.",
        fix="Nothing, if another tool reads it.",
        example=Example("replicas: 3", Kind.MANIFESTS),
    ),
    "VSR433": Code(
        title="kustomization not built",
        severity="note",
        stage=Stage.VERIFY,
        rule="M04",
        meaning="A kustomization uses remote resources, charts, or plugins and fields that `verify` does not build.",
        reason="What is applied differs from what was checked.",
        fix="Pipe the built objects into the check, as the message shows.",
        example=Example(
            "vsr-compile verify overlays/dev",
            Kind.COMMAND,
            output=(
                "overlays/dev/kustomization.yaml:2:1: note VSR433: this kustomization is not complete: helmCharts not "
                "rendered"
            ),
        ),
    ),
    "VSR480": Code(
        title="template with placeholders",
        severity="note",
        stage=Stage.VERIFY,
        rule="M05",
        meaning="A file contains `{{ }}`, `${NAME}` or `<PLACEHOLDER>`, which another program or a person fills in.",
        reason="Findings that depend on a placeholder would be guesses, so they are left out.",
        fix="Check the rendered manifests, as the message shows.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "${NAME}", namespace: prod}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR481": Code(
        title="files not checked",
        severity="note",
        stage=Stage.VERIFY,
        rule="M06",
        meaning="A folder contains files that `verify` does not check, such as a Helm chart or an unused patch.",
        reason="What they define is neither checked nor known to the other checks.",
        fix="Check what is made of them, as the message shows, or pass the files themselves.",
        example=Example(
            "vsr-compile verify charts/",
            Kind.COMMAND,
            output="charts/router: note VSR481: this Helm chart is not rendered",
        ),
    ),
    "VSR482": Code(
        title="kustomization that cannot be built",
        severity="error",
        stage=Stage.VERIFY,
        rule="M07",
        meaning="A kustomization includes itself, reads a file outside its folder, or has a patch without a match.",
        reason="`kubectl apply -k` fails, so nothing is applied.",
        fix="Correct the entry that the message names.",
        example=Example(
            "vsr-compile verify overlays/dev",
            Kind.COMMAND,
            output="overlays/dev/kustomization.yaml:1:13: error VSR482: cycle: this kustomization includes itself",
        ),
    ),
    "VSR483": Code(
        title="invalid settings of verify",
        severity="error",
        stage=Stage.VERIFY,
        rule="M08",
        meaning="`.vsr-verify.yaml` has an unknown field or a value of a wrong form.",
        reason="A setting that is not understood would silently change what is checked.",
        fix="Correct the field; the message lists what is allowed.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output=".vsr-verify.yaml:3:1: error VSR483: unknown field `path`",
        ),
    ),
    "VSR484": Code(
        title="ignore without effect",
        severity="warning",
        stage=Stage.VERIFY,
        rule="M09",
        meaning="An ignore, as a comment or in `.vsr-verify.yaml`, matches no finding or has expired.",
        reason="It would hide the next finding of its rule.",
        fix="Remove it, or give it a new date of expiry.",
        example=Example(
            """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: prod}  # vsr-verify: ignore L16 for the demo
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR485": Code(
        title="invalid baseline",
        severity="error",
        stage=Stage.VERIFY,
        rule="M10",
        meaning="The file of `--baseline` cannot be read, or `--write-baseline` did not write it.",
        reason="Without it, known findings cannot be distinguished from new ones.",
        fix="Write it again with `--write-baseline`.",
        example=Example(
            "vsr-compile verify manifests/ --baseline old.txt",
            Kind.COMMAND,
            output="old.txt: error VSR485: this is not a baseline of vsr-compile",
        ),
    ),
    "VSR486": Code(
        title="further findings of a rule",
        severity="note",
        stage=Stage.VERIFY,
        rule="M11",
        meaning="A rule has more findings than are shown.",
        reason="A fault in a shared place shows at every object, and would hide the findings of other rules.",
        fix="Correct the findings that are shown first, or pass `--all-findings`.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="manifests/routes.yaml:9:5: note VSR486: 312 further findings of L16 are not shown",
        ),
    ),
    "VSR487": Code(
        title="object of an earlier release",
        severity="note",
        stage=Stage.VERIFY,
        rule="S17",
        meaning="An object has fields or values that an earlier release of its project has and the newest has not, "
        "and nothing says which release the cluster has.",
        reason="It works until the project is upgraded.",
        fix="Pass the release of the cluster by `--release`, or correct the object for the newest release.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="manifests/routes.yaml:9:5: note VSR487: fits gateway-api 1.6.3, but not gateway-api 1.7.0: "
            "`spec.rules[0].sessionPersistence.sessionName` of HTTPRoute",
        ),
    ),
    "VSR440": Code(
        title="kind without a schema",
        severity="note",
        stage=Stage.VERIFY,
        rule="S01",
        meaning="No CustomResourceDefinition of the kind is known, so its fields were not checked.",
        reason="Misspelt fields of these kinds are not found.",
        fix="Run `vsr-compile crds pull`, or name a folder with the definitions in `VSR_CRDS` or with `--crds`.",
        example=Example(
            """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: prod}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR441": Code(
        title="unknown field",
        severity="error",
        stage=Stage.VERIFY,
        rule="S02",
        meaning="The schema of the kind does not define the field.",
        reason="The API server rejects the object, or silently drops the field.",
        fix="Correct the spelling or the position of the field, or remove it.",
        example=Example(
            """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selectors: {app: big}, ports: [{port: 80}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR442": Code(
        title="missing field",
        severity="error",
        stage=Stage.VERIFY,
        rule="S03",
        meaning="The schema of the kind requires the field.",
        reason="The API server rejects the object.",
        fix="Add the field.",
        example=Example(
            """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selector: {app: big}, ports: [{name: http}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR443": Code(
        title="wrong type",
        severity="error",
        stage=Stage.VERIFY,
        rule="S04",
        meaning="The field has a value of another type than its schema states.",
        reason="The API server rejects the object.",
        fix="Write a value of the type that the message names.",
        example=Example(
            """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selector: {app: big}, ports: [{port: "80"}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR444": Code(
        title="invalid value",
        severity="error",
        stage=Stage.VERIFY,
        rule="S05",
        meaning="The value has the right type and is not allowed by the schema of the kind.",
        reason="The API server rejects the object.",
        fix="Use a value that the message describes.",
        example=Example(
            """\
apiVersion: v1
kind: Pod
metadata: {name: big, namespace: prod}
spec:
  containers:
  - {name: vllm, image: "vllm/vllm-openai:v0.17.0", resources: {limits: {memory: 16GB}}}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR445": Code(
        title="duplicate item",
        severity="error",
        stage=Stage.VERIFY,
        rule="S06",
        meaning="Two items of a list have the same key, and the API requires unique keys.",
        reason="The API server rejects the object or merges the items.",
        fix="Remove or rename one of the items.",
        example=Example(
            """\
apiVersion: v1
kind: Service
metadata: {name: big, namespace: prod}
spec: {selector: {app: big}, ports: [{name: a, port: 80}, {name: b, port: 80}]}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR446": Code(
        title="validation rule violated",
        severity="error",
        stage=Stage.VERIFY,
        rule="S07",
        meaning="A CEL rule of the kind's schema is false for the object.",
        reason="The API server rejects the object.",
        fix="Change the object as the rule in the message requires.",
        example=Example(
            "vsr-compile verify gateway.yaml",
            Kind.COMMAND,
            output=(
                "gateway.yaml:7:5: error VSR446: Gateway `prod/edge`, `spec.listeners`: hostname must not be "
                "specified for protocols ['TCP', 'UDP']"
            ),
        ),
    ),
    "VSR447": Code(
        title="ambiguous schema release",
        severity="warning",
        stage=Stage.VERIFY,
        rule="S08",
        meaning=(
            "The schema that is known for a kind is of another release than the objects need, or several releases"
            " differ."
        ),
        reason="The result of the check may differ from the cluster's.",
        fix="Name the folder of one release with `--crds`, or a profile with `--versions`.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output=(
                "manifests/a.yaml: warning VSR447: HTTPRoute is checked by gateway-api 1.3.0, where gateway-api 1.5.1"
                " is asked for"
            ),
        ),
    ),
    "VSR448": Code(
        title="rule not evaluated",
        severity="warning",
        stage=Stage.VERIFY,
        rule="S09",
        meaning="A validation rule of a kind uses a function that is not supported, or costs too much.",
        reason="A violation of this rule would not be found.",
        fix="Ask an API server with `kubectl apply --dry-run=server`, or with `--server`.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="manifests/a.yaml: warning VSR448: a rule cannot be evaluated, it costs too much: `self.all(x, …)`",
        ),
    ),
    "VSR449": Code(
        title="unknown kind or version",
        severity="error",
        stage=Stage.VERIFY,
        rule="S10",
        meaning="The API server does not serve the kind, or does not serve it in this version.",
        reason="The object cannot be applied.",
        fix="Use a kind and version that is served; `kubectl api-resources` lists them.",
        example=Example(
            """\
apiVersion: apps/v1
kind: Deploymnet
metadata: {name: big, namespace: prod}
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR450": Code(
        title="unreadable CustomResourceDefinition",
        severity="error",
        stage=Stage.VERIFY,
        rule="S11",
        meaning="A file in `VSR_CRDS`, in `--crds` or in the cache is not a valid CustomResourceDefinition.",
        reason="The kinds that it defines cannot be checked.",
        fix="Fix the file, or fetch it again with `vsr-compile crds pull`.",
        example=Example(
            "vsr-compile verify manifests/ --crds crds/",
            Kind.COMMAND,
            output="crds/a.yaml: error VSR450: no CustomResourceDefinition can be read: it has no versions",
        ),
    ),
    "VSR451": Code(
        title="checksum mismatch of a download",
        severity="error",
        stage=Stage.VERIFY,
        meaning="A downloaded file has another sha256 than the lock records.",
        reason="The file was changed after the lock was written, perhaps by an attacker. Nothing was stored.",
        fix="Do not use the file. Find out why it differs.",
        example=Example(
            "vsr-compile crds pull istio",
            Kind.COMMAND,
            output="crds.lock.yaml: error VSR451: not what the lock has: sha256 1f2e3d4c5b6a… instead of 9a8b7c6d5e4f…",
        ),
    ),
    "VSR452": Code(
        title="failed download",
        severity="error",
        stage=Stage.VERIFY,
        meaning="A file could not be downloaded or stored.",
        reason="The kinds that it defines cannot be checked.",
        fix="Check the network, use a mirror with `--from`, or set `VSR_CACHE_DIR` to a writable folder.",
        example=Example(
            "vsr-compile crds pull istio",
            Kind.COMMAND,
            output="https://raw.githubusercontent.com/…: error VSR452: cannot be fetched: connection refused",
        ),
    ),
    "VSR453": Code(
        title="missing package",
        severity="note",
        stage=Stage.VERIFY,
        rule="S12",
        meaning="A package that a check needs is not installed.",
        reason="This check was skipped.",
        fix="Install the extra that the message names.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output=(
                "manifests/a.yaml: note VSR453: Kubernetes' own kinds were not checked: the Python client is not "
                "installed"
            ),
        ),
    ),
    "VSR454": Code(
        title="deprecated version",
        severity="warning",
        stage=Stage.VERIFY,
        rule="S13",
        meaning="The object uses an API version that its definition marks as deprecated.",
        reason="A later release of the component will not serve it.",
        fix="Use a newer version of the API.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="a.yaml:1:1: warning VSR454: `networking.istio.io/v1alpha3` of DestinationRule: deprecated",
        ),
    ),
    "VSR462": Code(
        title="only in the experimental channel",
        severity="note",
        stage=Stage.VERIFY,
        rule="S14",
        meaning="Only the experimental channel of the project's definitions has the field or the version.",
        reason="A cluster with the standard channel drops the field, or does not know the version. Charts of some "
        "controllers, such as Envoy Gateway, install the experimental channel; then this note does not appear.",
        fix="Install the experimental channel in the cluster, or remove the field.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="a.yaml:2:7: note VSR462: only in the experimental channel of gateway-api 1.5.1: "
            "`spec.rules[0].retry` of HTTPRoute",
        ),
    ),
    "VSR463": Code(
        title="refused by Kubernetes' own validation",
        severity="error",
        stage=Stage.VERIFY,
        rule="S15",
        meaning="The fields have the right form, and their values contradict each other or a rule of the kind.",
        reason="The API server rejects the object. These rules are in its code, not in a schema.",
        fix="Change the value as the message says.",
        example=Example(
            """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: big, namespace: prod}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: big}
  minReplicas: 5
  maxReplicas: 2
""",
            Kind.MANIFESTS,
        ),
    ),
    "VSR464": Code(
        title="object too large",
        severity="error",
        stage=Stage.VERIFY,
        rule="S16",
        meaning="All annotations together exceed 256 KiB, data of a ConfigMap or Secret 1 MiB, or an object 1.5 MiB.",
        reason="The API server rejects the object: the first two are limits of its validation, the last one is the "
        "default limit of a request to etcd.",
        fix="Split the object, or move large data to a volume or an image.",
        example=Example(
            "vsr-compile verify manifests/",
            Kind.COMMAND,
            output="a.yaml:3:1: error VSR464: ConfigMap `prod/big`: its data has 1,100,003 bytes, more than 1,048,576",
        ),
    ),
    "VSR455": Code(
        title="value rejected by Envoy",
        severity="error",
        stage=Stage.VERIFY,
        rule="E01",
        meaning="Envoy rejects a value of an EnvoyFilter or EnvoyPatchPolicy.",
        reason="The gateway keeps its previous configuration, and reports the error only in its log.",
        fix="Change the value as Envoy's message requires.",
        example=Example(
            "vsr-compile verify manifests/ --envoy",
            Kind.COMMAND,
            output="filter.yaml:14:9: error VSR455: Envoy refuses it: there is no field `mesage_timeout` there",
        ),
    ),
    "VSR456": Code(
        title="value not checked by Envoy",
        severity="note",
        stage=Stage.VERIFY,
        rule="E02",
        meaning="Envoy is not installed, or gave no verdict on a value.",
        reason="An error in the value would only appear in the log of the gateway.",
        fix="Install the extra `local`, or check fewer objects at once.",
        example=Example(
            "vsr-compile verify manifests/ --envoy",
            Kind.COMMAND,
            output="filter.yaml: note VSR456: Envoy is not installed, so what it says of 2 values is not known",
        ),
    ),
    "VSR460": Code(
        title="object rejected by the API server",
        severity="error",
        stage=Stage.VERIFY,
        rule="A01",
        meaning="A dry run of the API server rejects the object, or warns about it.",
        reason="The object cannot be applied as it is.",
        fix="Fix the field that the server names.",
        example=Example(
            "vsr-compile verify manifests/ --server",
            Kind.COMMAND,
            output=(
                "manifests/a.yaml:5:3: error VSR460: the server refuses Service `prod/big`: there is no field "
                "`spec.selectors`"
            ),
        ),
    ),
    "VSR461": Code(
        title="object not checked by the API server",
        severity="error",
        stage=Stage.VERIFY,
        rule="A02",
        meaning="The API server did not answer, or does not allow a dry run of the object.",
        reason="The object was not checked.",
        fix="Check the kubeconfig, the context and your permissions, and run the command again.",
        example=Example(
            "vsr-compile verify manifests/ --server",
            Kind.COMMAND,
            output="manifests/a.yaml: error VSR461: 3 objects have no answer after 30 s",
        ),
    ),
}
