"""S01 to S13: rules about schemas, applied by ``schema``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="S01",
        code="VSR440",
        title="kind without a known schema",
        purpose="The CustomResourceDefinition of every custom resource is known.",
        why="Without it, fields, types and rules of the kind are not checked.",
        example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute  # no CustomResourceDefinition in --crds, VSR_CRDS or the cache
""",
        fix="Run `vsr-compile crds pull`, or name a folder by `--crds` or in `VSR_CRDS`.",
    ),
    Rule(
        name="S02",
        code="VSR441",
        title="unknown field",
        purpose="An object has only fields that its schema defines.",
        why="An API server drops unknown fields, or rejects the object with strict validation. The setting then has no "
        "effect.",
        example="""\
kind: HTTPRoute
spec: {hostname: models.example}  # the field is `hostnames`, a list
""",
        fix="Fix the spelling or the position of the field, or remove it.",
    ),
    Rule(
        name="S03",
        code="VSR442",
        title="missing required field",
        purpose="An object has every field that its schema requires.",
        why="An API server rejects the object.",
        example="""\
kind: Gateway
spec: {gatewayClassName: istio}  # `listeners` is missing
""",
        fix="Add the field.",
    ),
    Rule(
        name="S04",
        code="VSR443",
        title="wrong type",
        purpose="Every value has the type that the schema requires.",
        why="An API server rejects the object.",
        example="""\
ports: [{port: "80"}]  # a string instead of an integer
""",
        fix="Write the type that the message names: remove or add quotes, or write a list or mapping.",
    ),
    Rule(
        name="S05",
        code="VSR444",
        title="value that is not allowed",
        purpose="Every value is within the limits, choices, pattern and format of its schema, and names and labels "
        "follow the rules of Kubernetes.",
        why="An API server rejects the object.",
        example="""\
imagePullPolicy: Sometimes  # allowed: Always, IfNotPresent, Never
""",
        fix="Use a value that the message allows.",
    ),
    Rule(
        name="S06",
        code="VSR445",
        title="duplicate list item",
        purpose="Items of a list differ if the schema requires it, by their keys or as a whole.",
        why="An API server rejects the object, or merges the items.",
        example="""\
containers:
- {name: router, image: a}
- {name: router, image: b}  # same name
""",
        fix="Remove or rename one of the items.",
    ),
    Rule(
        name="S07",
        code="VSR446",
        title="violated CEL rule",
        purpose="An object satisfies the CEL rules (`x-kubernetes-validations`) of its CustomResourceDefinition.",
        why="An API server rejects the object.",
        example="""\
kind: BackendTrafficPolicy
spec: {targetRef: {kind: HTTPRoute, name: a}, targetRefs: [{kind: HTTPRoute, name: b}]}  # only one is allowed
""",
        fix="Change the object so that it satisfies the rule that the message quotes.",
    ),
    Rule(
        name="S08",
        code="VSR447",
        title="ambiguous or different release of a schema",
        purpose="Exactly one release of a kind's CustomResourceDefinition applies, and it is the one that the policy "
        "or `--versions` asks for.",
        why="Releases allow different fields. Checking by another release reports wrong errors or misses some.",
        example="""\
vsr-compile verify manifests/ --crds crds/  # the folder contains gateway-api-v1.4.1/ and gateway-api-v1.5.1/
""",
        fix="Name the folder of one release by `--crds`, or a profile of releases by `--versions`.",
    ),
    Rule(
        name="S09",
        code="VSR448",
        title="schema rule that cannot be evaluated",
        purpose="Every CEL rule can be evaluated, within one million steps per rule and 30 million per run.",
        why="The rule is not checked; an API server may still reject the object.",
        example="""\
rule: "self.all(a, self.all(b, self.all(c, a + b + c < 10)))"  # cubic in the length of the list
""",
        fix="Ask an API server: `vsr-compile verify --server`, or `kubectl apply --dry-run=server`.",
    ),
    Rule(
        name="S10",
        code="VSR449",
        title="kind or version that does not exist",
        purpose="The API version of an object is served, and the kind exists in it.",
        why="An API server rejects the object.",
        example="""\
apiVersion: extensions/v1beta1  # removed in Kubernetes 1.22
kind: Ingress
""",
        fix="Use a version that the API server serves; `kubectl api-versions` lists them.",
    ),
    Rule(
        name="S11",
        code="VSR450",
        title="unreadable CustomResourceDefinition",
        purpose="Every file with CustomResourceDefinitions can be read.",
        why="The kinds that it defines are not checked.",
        example="""\
kind: CustomResourceDefinition
spec: {group: {{ .Values.group }}}  # a template that is not rendered
""",
        fix="Fix the file, or fetch it again by `vsr-compile crds pull`.",
    ),
    Rule(
        name="S12",
        code="VSR453",
        title="check that needs a package",
        purpose="The packages of the extra `verify` are installed: the Kubernetes client and RE2.",
        why="Without the client, Kubernetes' own kinds are not checked; without RE2, patterns are not.",
        example="""\
pip install vsr-compile  # without the extra `verify`
""",
        fix="Run `pip install 'vsr-compile[verify]'`.",
    ),
    Rule(
        name="S13",
        code="VSR454",
        title="deprecated version",
        purpose="No object uses an API version that its CustomResourceDefinition marks as deprecated.",
        why="A later release removes the version, and the object can then no longer be applied.",
        example="""\
apiVersion: gateway.networking.k8s.io/v1beta1  # deprecated in favour of v1
kind: Gateway
""",
        fix="Use the newer version.",
    ),
)
