"""Codes about the schemas of manifests: rules S01 to S17."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
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
}
