"""S01 to S16: rules about schemas, applied by ``schema``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="S01",
        code="VSR440",
        purpose="The CustomResourceDefinition of every custom resource is known.",
    ),
    Rule(
        name="S02",
        code="VSR441",
        purpose="An object has only fields that its schema defines.",
    ),
    Rule(
        name="S03",
        code="VSR442",
        purpose="An object has every field that its schema requires.",
    ),
    Rule(
        name="S04",
        code="VSR443",
        purpose="Every value has the type that the schema requires.",
    ),
    Rule(
        name="S05",
        code="VSR444",
        purpose="Every value is within the limits, choices, pattern and format of its schema, and names and labels "
        "follow the rules of Kubernetes.",
    ),
    Rule(
        name="S06",
        code="VSR445",
        purpose="Items of a list differ if the schema requires it, by their keys or as a whole.",
    ),
    Rule(
        name="S07",
        code="VSR446",
        purpose="An object satisfies the CEL rules (`x-kubernetes-validations`) of its CustomResourceDefinition.",
    ),
    Rule(
        name="S08",
        code="VSR447",
        purpose="Exactly one release of a kind's CustomResourceDefinition applies, and it is the one that the policy "
        "or `--versions` asks for.",
    ),
    Rule(
        name="S09",
        code="VSR448",
        purpose="Every CEL rule can be evaluated, within one million steps per rule and 30 million per run.",
    ),
    Rule(
        name="S10",
        code="VSR449",
        purpose="The API version of an object is served, and the kind exists in it.",
    ),
    Rule(
        name="S11",
        code="VSR450",
        purpose="Every file with CustomResourceDefinitions can be read.",
    ),
    Rule(
        name="S12",
        code="VSR453",
        purpose="The packages of the extra `verify` are installed: the Kubernetes client and RE2.",
    ),
    Rule(
        name="S13",
        code="VSR454",
        purpose="No object uses an API version that its CustomResourceDefinition marks as deprecated.",
    ),
    Rule(
        name="S14",
        code="VSR462",
        purpose="An object needs only the standard channel of its CustomResourceDefinitions.",
    ),
    Rule(
        name="S15",
        code="VSR463",
        purpose="An object of Kubernetes' own kinds satisfies the validation in the API server's code: relations "
        "between fields, names of ports and variables, resources, probes, selectors, schedules.",
    ),
    Rule(
        name="S16",
        code="VSR464",
        purpose="Annotations have at most 256 KiB in all, data of a ConfigMap or Secret 1 MiB, and an object 1.5 MiB.",
    ),
    Rule(
        name="S17",
        code="VSR487",
        purpose="An object fits the newest known release of its CustomResourceDefinition. If nothing says which "
        "release the cluster has, what fits one of the two minor releases before it is a note.",
    ),
)
