"""Codes of ``import`` about configurations of other routers: VSR52x and VSR53x."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR520": Code(
        title="file of an unknown form",
        severity="error",
        stage=Stage.IMPORT,
        meaning="A file that was named has none of the forms that `import` reads.",
        reason="The policy would lack what the file says.",
        fix="Pass the configuration itself, or render templates first.",
        example=Example(
            "vsr-compile import notes.yaml",
            Kind.COMMAND,
            output="notes.yaml:1:1: error VSR520: the file has no form that `import` knows",
        ),
    ),
    "VSR521": Code(
        title="documents without routing",
        severity="note",
        stage=Stage.IMPORT,
        meaning="Documents beside the configuration say nothing about routing, so they are left out.",
        reason="You may have expected something of them in the policy.",
        fix="Nothing, unless one of them configures a router or a gateway.",
        example=Example(
            "vsr-compile import config.yaml manifests/",
            Kind.COMMAND,
            output=(
                "manifests/pvc.yaml:1:1: note VSR521: documents that say nothing about routing: `manifests/pvc.yaml:1`"
            ),
        ),
    ),
    "VSR522": Code(
        title="protection or exception lost",
        severity="error",
        stage=Stage.IMPORT,
        meaning=(
            "A condition is lost under NOT, in a decision that blocks, or of a protection, or a second "
            "configuration cannot be part of the policy."
        ),
        reason="The policy would let pass what the source stops.",
        fix=(
            "Express the condition by another signal of the source, and import again; or write the policy with "
            "`--partial` and add it by hand."
        ),
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:21:9: error VSR522: decision `block` loses the condition `safety: unsafe`: it needs a "
                "classifier of unsafe content"
            ),
        ),
    ),
    "VSR523": Code(
        title="protection acts differently",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "A decision that answers with a fixed text behind a detector becomes a guard, or a protection of one "
            "decision applies to all."
        ),
        reason="A guard answers 403 where the source answers 200, and comes before all routes.",
        fix="Let clients treat 403 as a refusal, or exempt models by `except`.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:30:7: warning VSR523: decision `block` becomes the guard `attack`: a request that it "
                "answers with 200 gets 403"
            ),
        ),
    ),
    "VSR524": Code(
        title="condition lost",
        severity="warning",
        stage=Stage.IMPORT,
        meaning="A decision tests a signal that the policy language does not have, or only a part of it.",
        reason="The route holds less often than the decision of the source.",
        fix="Add a signal that tells the same, and name it in the route.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:18:9: warning VSR524: decision `chat` loses the condition `preference: casual`: it "
                "needs a classifier of preferences"
            ),
        ),
    ),
    "VSR525": Code(
        title="decision differs",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=("A decision, a name or a setting of the source means something else in the policy, or nothing."),
        reason="Some requests are routed differently.",
        fix="Compare the route with the decision at the position.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output="config.yaml:40:5: warning VSR525: decision `old` never matches, so it has no route",
        ),
    ),
    "VSR526": Code(
        title="effect lost",
        severity="warning",
        stage=Stage.IMPORT,
        meaning="The source does something with a request that the policy language has no field for.",
        reason="Requests reach the model without it.",
        fix="Do it at the gateway or in the client, or leave it out.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output="config.yaml:33:9: warning VSR526: decision `docs` loses retrieval of documents (`rag`)",
        ),
    ),
    "VSR527": Code(
        title="settings without effect",
        severity="note",
        stage=Stage.IMPORT,
        meaning=(
            "Settings of the source that need no place in the policy: the gateway or the runtime does it, or "
            "nothing uses them."
        ),
        reason="You know that they were read.",
        fix="Nothing.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output="config.yaml:60:3: note VSR527: listeners: the gateway has them: `listeners`",
        ),
    ),
    "VSR528": Code(
        title="threshold of another encoder",
        severity="warning",
        stage=Stage.IMPORT,
        meaning="A similarity or a probability was chosen for a model that the policy does not use.",
        reason="Cosines of two encoders are not comparable, so a signal may hold too often or never.",
        fix="Test the signals with prompts of your users, and adjust the thresholds.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:14:7: warning VSR528: thresholds of similarity that were chosen for another encoder: "
                "`refunds`"
            ),
        ),
    ),
    "VSR529": Code(
        title="key becomes a Secret",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=("The source contains a key or names a variable with one. The policy refers to a Secret instead."),
        reason="A key in a file is a leak, and the router needs the Secret.",
        fix="Create the Secret that the message names. Revoke keys that were in the file.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:9:18: warning VSR529: the key of `large` is not copied; the policy refers to the Secret "
                "`large`"
            ),
        ),
    ),
    "VSR530": Code(
        title="name changed",
        severity="note",
        stage=Stage.IMPORT,
        meaning="A name of the source is not allowed in a policy, or was taken.",
        reason="Logs, metrics and clients see the new name.",
        fix="Choose another name in the policy if you do not like it.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output="config.yaml:7:13: note VSR530: the model `my model` is called `my-model`",
        ),
    ),
    "VSR531": Code(
        title="server without an address",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The source does not say where a model runs in a way that a cluster can use, so the policy has a "
            "placeholder."
        ),
        reason="Requests would fail, because nothing has that name.",
        fix="Write the Service, the pods or the provider under `endpoints`.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:8:17: warning VSR531: `127.0.0.1` is not a name in the cluster, so the endpoint is the "
                "Service `small`"
            ),
        ),
    ),
    "VSR532": Code(
        title="order by confidence",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The stock router takes the most confident of several decisions that match, and a policy the first one."
        ),
        reason="A request that matches two of them may take the other route.",
        fix="Check the order of the routes, or give the decisions different priorities.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:20:5: warning VSR532: decisions `a`, `b` have one priority: the stock router takes the "
                "most confident, a policy the first"
            ),
        ),
    ),
    "VSR533": Code(
        title="no bypass of guards",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "A request that names its model bypasses every protection of the stock router. Guards of a policy "
            "apply to it, too."
        ),
        reason="Such requests may now be refused.",
        fix="Exempt models by `except` if clients rely on the bypass.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:30:7: warning VSR533: a request that names its model bypasses every protection of the "
                "stock router, and no guard of the policy"
            ),
        ),
    ),
    "VSR534": Code(
        title="value in the environment",
        severity="warning",
        stage=Stage.IMPORT,
        meaning="A value of the source is an environment variable, which an import does not read.",
        reason="The policy lacks the value.",
        fix="Write the value at the place that the message names.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:8:17: warning VSR534: the address of `small` is in the environment (`SMALL_URL`), which "
                "an import does not read"
            ),
        ),
    ),
    "VSR535": Code(
        title="detector to pin",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "A detector of the policy needs the repository and the commit of its checkpoint, which the source "
            "does not have."
        ),
        reason="Until they are written, the router does not start, so nothing passes unprotected.",
        fix="Write `repo` and `revision` of the checkpoint that you have tested.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=("config.yaml:30:7: warning VSR535: the detector of `pii` needs the commit of its checkpoint"),
        ),
    ),
    "VSR536": Code(
        title="categories with other examples",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=(
            "The stock router's classifier of categories is a checkpoint; the policy trains its own from examples."
        ),
        reason="Some prompts get another category.",
        fix="Replace the examples by prompts of your users, and run `vsr-compile eval`.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:12:7: warning VSR536: categories with built-in examples, because the stock router's "
                "classifier is a checkpoint: `math`"
            ),
        ),
    ),
    "VSR537": Code(
        title="imported policy does not compile",
        severity="error",
        stage=Stage.IMPORT,
        meaning="The policy that an import wrote has an error.",
        reason="It cannot be used as it is.",
        fix="Change the place that the message names, and report it if the source is valid.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=("policy.yaml:9:5: error VSR537: the imported policy does not compile: VSR205: duplicate entry `a`"),
        ),
    ),
    "VSR538": Code(
        title="selection of a model differs",
        severity="warning",
        stage=Stage.IMPORT,
        meaning=("The source selects among several models by an algorithm that the policy language does not have."),
        reason="Requests are shared otherwise, or all go to the first model.",
        fix="Change the `split` of the route, or name one model.",
        example=Example(
            "vsr-compile import config.yaml",
            Kind.COMMAND,
            output=(
                "config.yaml:25:7: warning VSR538: decision `code` selects its model by `latency_aware`; the policy "
                "shares requests equally"
            ),
        ),
    ),
}
