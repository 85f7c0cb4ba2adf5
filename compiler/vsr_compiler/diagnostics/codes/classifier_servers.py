"""Codes about servers that classify text, and about what protections need."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Stage

_GUARD = "guards:\n  attacks: {detector: attacks}\n"

CODES = {
    "VSR604": Code(
        title="protocol of another task",
        severity="error",
        stage=Stage.LINK,
        meaning="The `protocol` of a classifier's `server` cannot give what the `task` needs: `presidio` finds "
        "personal data, moderation APIs judge a whole text, and inference servers give the probability of classes.",
        reason="The router would ask the server in vain, and every request would be denied.",
        fix="Use a protocol that fits the task, or another task.",
        example=Example(
            "classifiers:\n  attacks: {task: jailbreak, server: {protocol: presidio, service: presidio}}\n" + _GUARD
        ),
    ),
    "VSR605": Code(
        title="words of another protocol",
        severity="error",
        stage=Stage.LINK,
        meaning="A `server` lacks a word that its `protocol` needs, has one that the protocol does not know, or names "
        "a label that no answer has.",
        reason="Requests to the server would be wrong, or no answer would have the label that the policy waits for.",
        fix="Set the missing word, remove the unknown one, or use a label of the protocol.",
        example=Example(
            "classifiers:\n  attacks: {task: jailbreak, server: {protocol: vllm-classify, service: vllm}}\n" + _GUARD
        ),
    ),
    "VSR606": Code(
        title="server slower than the router",
        severity="warning",
        stage=Stage.LINK,
        meaning="The `timeout` of a classifier's `server` is not less than `router.deadline`.",
        reason="The router gives up first, so the longer timeout is never used.",
        fix="Lower `timeout`, or raise `router.deadline`.",
        example=Example(
            "classifiers:\n"
            "  attacks:\n"
            "    task: jailbreak\n"
            "    server: {protocol: tei, service: tei, labels: [INJECTION], timeout: 5s}\n" + _GUARD
        ),
    ),
    "VSR607": Code(
        title="texts leave the cluster",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A guard or signal uses a classifier whose `server` is outside the cluster.",
        reason="The server gets the texts of every request as the client wrote them, before any guard masks them.",
        fix="Use a server in the cluster, or accept it with a comment that ignores the code.",
        example=Example(
            "classifiers:\n"
            "  attacks:\n"
            "    task: jailbreak\n"
            "    server:\n"
            "      protocol: openai-moderation\n"
            '      url: "https://api.openai.com/v1"\n'
            "      apiKey: {secret: openai, key: api-key}\n" + _GUARD
        ),
    ),
    "VSR608": Code(
        title="type that Presidio does not find",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A guard or signal looks for a type of personal data that a Presidio analyzer does not find as it is "
        "shipped.",
        reason="Without a recognizer for the type, the guard finds nothing and reports no error.",
        fix="Add a recognizer for the type to the analyzer and ignore the code there, or use a checkpoint that has it.",
        example=Example(
            "classifiers:\n"
            "  names: {task: pii, server: {protocol: presidio, service: presidio}}\n"
            "guards:\n"
            "  names: {types: [PERSON, STREET_ADDRESS], detector: names}\n"
        ),
    ),
    "VSR609": Code(
        title="patterns without a detector",
        severity="note",
        stage=Stage.ANALYSIS,
        meaning="The policy looks for attacks with `patterns: injection` only.",
        reason="Patterns know the structure of some attacks. Most are plain sentences, which only a model finds.",
        fix="Add a guard with a `detector` of the task `jailbreak`: a checkpoint or a server of the table in the "
        "guards reference.",
        example=Example("guards:\n  orders: {patterns: injection, action: flag}\n"),
    ),
    "VSR610": Code(
        title="checkpoint for another task",
        severity="warning",
        stage=Stage.ANALYSIS,
        meaning="A classifier uses a checkpoint of the table of known checkpoints for another task than that of the "
        "table, or one whose labels the router cannot use.",
        reason="The router refuses to start with a checkpoint that lacks the labels of the policy.",
        fix="Use a checkpoint for the task, or serve this one by an inference server with `server.labels`.",
        example=Example(
            "classifiers:\n"
            "  attacks:\n"
            "    task: jailbreak\n"
            "    checkpoint:\n"
            "      repo: iiiorg/piiranha-v1-detect-personal-information\n"
            "      revision: b0066c0710135af630ecaf52f2d017faf105ac04\n" + _GUARD
        ),
    ),
}
