"""Codes about the text and the schema of a policy: VSR0xx and VSR1xx."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR001": Code(
        title="unreadable file",
        severity="error",
        stage=Stage.READ,
        meaning="The file does not exist, or its permissions do not allow reading it.",
        reason=(
            "A policy that cannot be read cannot be checked, and a pipeline should not pass because of a wrong path."
        ),
        fix="Check the path and the permissions of the file.",
        example=Example(
            "vsr-compile check policies/quickstrat.yaml",
            Kind.COMMAND,
            output="policies/quickstrat.yaml: error VSR001: cannot read the file: no such file or directory",
        ),
    ),
    "VSR002": Code(
        title="invalid YAML",
        severity="error",
        stage=Stage.READ,
        meaning=(
            "The text does not follow the YAML syntax, or contains a character that YAML readers interpret differently."
        ),
        reason="Nothing after the error can be interpreted with certainty, so the file is rejected as a whole.",
        fix=(
            "Fix the syntax at the marked position. Check quotes, brackets, colons and indentation; indent with spaces."
        ),
        example=Example("metadata: {name: [example}", Kind.FILE),
    ),
    "VSR003": Code(
        title="duplicate key",
        severity="error",
        stage=Stage.READ,
        meaning="A mapping contains the same key twice.",
        reason="Most YAML readers silently keep the last value, so a reviewer may read a value that is not used.",
        fix="Remove one of the two keys.",
        example=Example(
            """\
metadata: {name: example}
metadata: {name: other}
""",
            Kind.FILE,
        ),
    ),
    "VSR004": Code(
        title="invalid UTF-8",
        severity="error",
        stage=Stage.READ,
        meaning="The file contains bytes that are not UTF-8, or begins with a byte order mark.",
        reason="Other encodings cannot be detected reliably, so names could be read incorrectly.",
        fix="Save the file as UTF-8 without a byte order mark.",
        example=Example(
            "printf '\\377' | vsr-compile fmt -",
            Kind.COMMAND,
            output="<stdin>:1:1: error VSR004: byte 0xff is not UTF-8",
        ),
    ),
    "VSR005": Code(
        title="file exceeds a limit",
        severity="error",
        stage=Stage.READ,
        meaning=(
            "The file is too large, nested too deeply, or contains too many values after its aliases are expanded."
        ),
        reason="The limits bound the time and memory that a hostile file can cost.",
        fix="Split the file, or simplify its structure. Real policies stay far below every limit.",
        example=Example(
            "metadata: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
            Kind.FILE,
        ),
    ),
    "VSR006": Code(
        title="expected exactly one document",
        severity="error",
        stage=Stage.READ,
        meaning="The file is empty, or contains several YAML documents separated by `---`.",
        reason="One file holds one policy, so that a path identifies a policy in messages, reviews and GitOps.",
        fix="Move each further document to a file of its own, or start with `vsr-compile init`.",
        example=Example(
            """\
metadata: {name: example}
---
metadata: {name: other}
""",
            Kind.FILE,
        ),
    ),
    "VSR007": Code(
        title="tab in the indentation",
        severity="error",
        stage=Stage.READ,
        meaning="A line is indented with a tab.",
        reason="YAML forbids tabs in indentation, because their width is not defined.",
        fix="Indent with two spaces.",
        example=Example(
            """\
metadata:
	name: example
""",
            Kind.FILE,
        ),
    ),
    "VSR008": Code(
        title="unsupported YAML feature",
        severity="error",
        stage=Stage.READ,
        meaning="The policy uses a YAML tag (`!!str`) or a merge key (`<<`).",
        reason="Both hide the actual value from the reader. The schema already defines the type of every field.",
        fix="Remove the tag, or write the merged keys out. Aliases (`*name`) may stand for whole values.",
        example=Example("metadata: {name: !!str example}", Kind.FILE),
    ),
    "VSR009": Code(
        title="ineffective ignore comment",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A `# vsr: ignore` comment names a code that is not reported for its line, or that is an error there.",
        reason="Such a comment would silence a future finding that nobody has reviewed. Errors cannot be silenced.",
        fix="Remove the comment. If the code is an error, fix the error.",
        example=Example("default: big  # vsr: ignore VSR230 the order is intended"),
    ),
    "VSR010": Code(
        title="incomplete ignore comment",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A `# vsr: ignore` comment does not name a code, names an unknown code, or gives no reason.",
        reason="Without a code and a reason, reviewers cannot judge whether the comment is still needed.",
        fix="Write `# vsr: ignore VSRnnn reason`.",
        example=Example("default: big  # vsr: ignore VSR236"),
    ),
    "VSR011": Code(
        title="further findings omitted",
        severity="error",
        stage=Stage.READ,
        meaning="The stage reported more findings than are printed.",
        reason=(
            "A damaged or hostile file can cause millions of findings; the output is limited to the first hundred."
        ),
        fix="Fix the findings that are shown, and run the command again.",
        example=Example(
            "vsr-compile check damaged.yaml",
            Kind.COMMAND,
            output="damaged.yaml:119:1: error VSR011: 50 or more findings from here on are not shown",
        ),
    ),
    "VSR012": Code(
        title="layout that cannot be formatted",
        severity="error",
        stage=Stage.READ,
        meaning=(
            "Formatting the file would change its meaning or lose a comment, so `vsr-compile fmt` does not change it."
        ),
        reason="A formatter must never change what a policy does.",
        fix="Simplify anchors, comments and line breaks that are close to each other, and format again.",
        example=Example(
            "vsr-compile fmt policies/unusual.yaml",
            Kind.COMMAND,
            output=(
                "policies/unusual.yaml: error VSR012: the layout cannot be formatted without a change of meaning or a"
                " lost comment"
            ),
        ),
    ),
    "VSR101": Code(
        title="unknown key",
        severity="error",
        stage=Stage.SCHEMA,
        meaning="The schema does not define this key at this place.",
        reason="An ignored key would give the impression that a setting is in effect.",
        fix="Correct the spelling, move the key to the section that defines it, or remove it.",
        example=Example("""\
routes:
  - {name: urgent, when: {signal: urgent}, modle: small}
"""),
    ),
    "VSR102": Code(
        title="missing key",
        severity="error",
        stage=Stage.SCHEMA,
        meaning="A key that the schema requires is missing.",
        reason="The compiler does not guess values that change routing.",
        fix="Add the key.",
        example=Example("""\
routes:
  - {when: {signal: urgent}, model: small}
"""),
    ),
    "VSR103": Code(
        title="wrong type",
        severity="error",
        stage=Stage.SCHEMA,
        meaning=(
            "The value is a list, a mapping or a scalar where the schema expects another type, or lacks its unit "
            "or quotes."
        ),
        reason="YAML types are ambiguous (`no`, `1e3`); the schema accepts exactly one form of each value.",
        fix="Write the value in the form that the message describes.",
        example=Example("models: [big, small]"),
    ),
    "VSR104": Code(
        title="invalid value",
        severity="error",
        stage=Stage.SCHEMA,
        meaning=(
            "The value has the right type but is not one of the allowed values, or is outside the allowed range "
            "or format."
        ),
        reason="An invalid value would fail later, in the cluster, where it is harder to find.",
        fix="Use one of the values, or a value in the range or format, that the message states.",
        example=Example("""\
endpoints:
  vllm-big: {vllm: {storage: 40GB}}
  small: {service: {name: small, port: 8000}}
"""),
    ),
    "VSR105": Code(
        title="unsupported target",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="An environment names a target that this release does not have.",
        reason="No manifests can be generated for it.",
        fix="Use one of the targets that the message lists.",
        example=Example("""\
environments:
  dev: {target: gke}
"""),
    ),
}
