"""Codes about files and output, and internal errors: VSR5xx and VSR9xx."""

from __future__ import annotations

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

CODES = {
    "VSR500": Code(
        title="output cannot be written",
        severity="error",
        stage=Stage.OUTPUT,
        meaning="A file or folder of the output cannot be read or written, or has an unexpected type.",
        reason="Nothing was changed; a partially written output would not match its lock.",
        fix="Check the path and its permissions, and run the command again.",
        example=Example(
            "vsr-compile policies/quickstart.yaml --out /proc/out",
            Kind.COMMAND,
            output="/proc/out: error VSR500: /proc/out cannot be read or written: No such file or directory",
        ),
    ),
    "VSR501": Code(
        title="file not written by vsr-compile",
        severity="error",
        stage=Stage.OUTPUT,
        meaning=(
            "A file of the output was edited by hand, or a file that the compiler has not written is in its place."
        ),
        reason="Overwriting it would lose somebody's work.",
        fix="Make the change in the policy, move the file away, or pass `--force` to overwrite it.",
        example=Example(
            "vsr-compile policies/quickstart.yaml",
            Kind.COMMAND,
            output=(
                "out/quickstart/router/config.yaml: error VSR501: out/quickstart/router/config.yaml was edited by hand"
            ),
        ),
    ),
    "VSR502": Code(
        title="outdated output",
        severity="error",
        stage=Stage.OUTPUT,
        meaning="`--check` found that the output differs from what the policy compiles to.",
        reason="The committed manifests no longer correspond to the policy.",
        fix="Run `vsr-compile` and commit the result.",
        example=Example(
            "vsr-compile policies/quickstart.yaml --check",
            Kind.COMMAND,
            output="out/quickstart/router/config.yaml: error VSR502: out/quickstart/router/config.yaml is out of date",
        ),
    ),
    "VSR503": Code(
        title="path outside the output folder",
        severity="error",
        stage=Stage.OUTPUT,
        meaning="A path of the output leads outside its folder, for example through a symbolic link.",
        reason="Writing there could overwrite files that do not belong to the output.",
        fix="Remove the symbolic link, or rename the policy.",
        example=Example(
            "ln -s /etc out/quickstart && vsr-compile policies/quickstart.yaml",
            Kind.COMMAND,
            output="out: error VSR503: out/quickstart is a symbolic link, and nothing is read or written through one",
        ),
    ),
    "VSR504": Code(
        title="concurrent compile",
        severity="error",
        stage=Stage.OUTPUT,
        meaning="Another process is writing to the same output root.",
        reason="Two writers could leave a mixture of both outputs.",
        fix="Wait until it ends, and run the command again.",
        example=Example(
            "vsr-compile policies/", Kind.COMMAND, output="out: error VSR504: another compile is writing to out"
        ),
    ),
    "VSR506": Code(
        title="classifier head cannot be trained",
        severity="error",
        stage=Stage.HEADS,
        meaning=(
            "The policy has categories or sentences, and the encoder that turns them into vectors is missing or "
            "damaged."
        ),
        reason="Without the encoder the compiler cannot produce the classifier that the router loads.",
        fix="Run the install command that the message prints, and compile again.",
        example=Example(
            "vsr-compile policies/quickstart.yaml",
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:30:3: error VSR506: the encoder sentence-transformers/all-MiniLM-L6-v2 is "
                "not on this machine; run `vsr-compile fetch-encoder`, or put its files into $VSR_MODELS"
            ),
        ),
    ),
    "VSR507": Code(
        title="text that YAML cannot represent",
        severity="error",
        stage=Stage.OUTPUT,
        meaning="A text contains a character, such as U+0085, that YAML readers or kustomize would change.",
        reason="The cluster would receive another text than the policy contains.",
        fix="Remove the character that the message names.",
        example=Example(
            "vsr-compile policies/quickstart.yaml",
            Kind.COMMAND,
            output="policies/quickstart.yaml: error VSR507: the text holds U+0085, which readers of YAML change",
        ),
    ),
    "VSR508": Code(
        title="router would not start",
        severity="error",
        stage=Stage.OUTPUT,
        meaning=(
            "The runtime's own loader rejects what the policy compiles to. Other codes report known causes with their "
            "place; this one makes sure that no policy compiles that the router does not load."
        ),
        reason="New pods would fail at start, and running ones would reject the new files.",
        fix="Change the value that the message names, and report the policy, so that the place can be reported.",
        example=Example(
            "vsr-compile check policies/quickstart.yaml",
            Kind.COMMAND,
            output=(
                "policies/quickstart.yaml:1:1: error VSR508: the router would not start: runtime.yaml: guards.ids: "
                "searches for nothing; add types, patterns, builtin or a detector"
            ),
        ),
    ),
    "VSR900": Code(
        title="internal error",
        severity="error",
        stage=Stage.INTERNAL,
        meaning="An exception occurred that `vsr-compile` does not expect.",
        reason="This is a bug in vsr-compile; the output, if any, is unchanged.",
        fix="Report it with the policy that caused it. Set `VSR_TRACEBACK=1` to print the traceback.",
        example=Example(
            "vsr-compile policies/quickstart.yaml",
            Kind.COMMAND,
            output="vsr-compile: error VSR900: KeyError: 'x' (linker.py:12)",
        ),
    ),
}
