"""Codes about categories, classifiers and signals."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

CODES = {
    "VSR237": Code(
        title="misclassified example",
        severity="warning",
        stage=Stage.HEADS,
        meaning="A classifier that is trained without this example assigns it to another category.",
        reason="The example contradicts the others, and similar prompts will be routed to the wrong model.",
        fix="Move the example to the other category, or add more examples like it to its own.",
        example=Example("""\
categories:
  math: {description: Numbers., examples: [Solve x + 1 = 2., Integrate x^2., "Who can sue the other party?"]}
  law: {description: Courts., examples: ["Who may sue?", "Is the contract valid?", "Who can sue in court?"]}
routes:
  - {name: math, when: {category: math}, model: small}
  - {name: law, when: {category: law}, model: big}
  - {name: urgent, when: {signal: urgent}, model: small}
"""),
    ),
    "VSR257": Code(
        title="unknown built-in examples",
        severity="error",
        stage=Stage.LINK,
        meaning="An entry of `examples` begins with `builtin:` and names no set, or no label, of this release.",
        reason="The category would have no examples.",
        fix="Use a shipped set, its version, and one of its labels.",
        example=Example("""\
categories:
  maths: {description: Mathematics., examples: ["builtin:mmlu-pro@1"]}
routes:
  - {name: maths, when: {category: maths}, model: small}
"""),
    ),
    "VSR280": Code(
        title="classifier on a missing GPU",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="A classifier sets `device: cuda`, and the router requests no GPU.",
        reason="The router would not start, because no device is available to it.",
        fix="Set `router.gpus`, or `device: cpu` on the classifier.",
        example=Example("""\
classifiers:
  injection:
    task: jailbreak
    checkpoint: {repo: example/a, revision: 0123456789012345678901234567890123456789}
    device: cuda
guards:
  injection: {detector: injection}
"""),
    ),
    "VSR281": Code(
        title="unused router GPUs",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="`router.gpus` is set, and no classifier runs on a GPU.",
        reason="The GPUs are reserved and idle.",
        fix="Set `device: cuda` on a classifier with a checkpoint, or remove `gpus`.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", gpus: 1}'),
    ),
    "VSR282": Code(
        title="unused volume claim",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="`router.weights` names a volume claim, and no classifier has a checkpoint.",
        reason="The claim is mounted and never read.",
        fix="Give a classifier a `checkpoint`, or remove `weights`.",
        example=Example('router: {image: "registry.example/vsr-runtime:0.1.0", weights: {pvc: router-models}}'),
    ),
    "VSR283": Code(
        title="signal that the router never receives",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning=(
            "A signal tests who sends the request (`user`, `team`, `role`, `tenant` or `claims`). The router does not "
            "receive this attribute of an authenticated client."
        ),
        reason="The gateway removes identity headers of clients, and nothing sets them afterwards.",
        fix="Add the attribute to the policy's `identity`, or remove the signal.",
        example=Example("""\
signals:
  urgent: {role: {groups: [on-call]}}
"""),
    ),
    "VSR284": Code(
        title="undetectable language",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The language detector of vsr-runtime does not know a language that a signal names.",
        reason="The signal would never be true.",
        fix="Remove the language, or use `engine: semantic-router`.",
        example=Example("""\
signals:
  urgent: {language: [de, mi]}
"""),
    ),
    "VSR285": Code(
        title="sentence that is both hard and easy",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="A signal of the kind `complexity` lists the same sentence under `hard` and `easy`.",
        reason="The sentence contributes nothing to the distinction.",
        fix="Keep the sentence under one of the two.",
        example=Example("""\
signals:
  urgent: {complexity: {hard: [Do it now.], easy: [Do it now.], level: hard}}
"""),
    ),
    "VSR286": Code(
        title="unreachable complexity level",
        severity="error",
        stage=Stage.ANALYSIS,
        meaning="The threshold of a signal of the kind `complexity` is greater than any possible margin.",
        reason="The signal would never be true.",
        fix="Lower the threshold. The default is 0.1.",
        example=Example("""\
signals:
  urgent: {complexity: {hard: [Prove the theorem.], easy: [Hello.], level: hard, threshold: 2}}
"""),
    ),
    "VSR287": Code(
        title="keyword occurs in the text of agents",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A keyword of a signal that reads the whole request (`of: request`, or any signal on semantic-router) "
        "occurs in what known agents and front ends put around the words of a person: tags, headings and labels.",
        reason="The signal would hold for every request of such a program, whatever its user asks.",
        fix="Remove `of: request`, or use a longer phrase.",
        example=Example("""\
signals:
  urgent: {keywords: [context], of: request}
"""),
    ),
    "VSR290": Code(
        title="device without effect",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="An environment sets `device`, and no classifier in use has a checkpoint.",
        reason="Compiled heads always run on the CPU.",
        fix="Remove `device`, or give a classifier a `checkpoint`.",
        example=Example("""\
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
    "VSR291": Code(
        title="image for another device",
        severity="note",
        stage=Stage.ANALYSIS,
        meaning="An environment moves classifiers to GPUs and keeps the policy's router image.",
        reason="The image may contain PyTorch for the CPU only.",
        fix=(
            "Set `images.router` in the environment to an image with PyTorch for CUDA, unless the policy's image "
            "has it."
        ),
        example=Example("""\
classifiers:
  persons: {task: pii, checkpoint: {repo: example/a, revision: 0123456789012345678901234567890123456789}}
guards:
  personal-data: {types: [PERSON], detector: persons}
environments:
  dev: {target: istio, device: cuda}
"""),
    ),
}
