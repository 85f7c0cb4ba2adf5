"""A01 and A02: rules about dry runs at an API server, applied by ``api_server``."""

from __future__ import annotations

from vsr_compiler.verify.rules.rule import Rule

RULES = (
    Rule(
        name="A01",
        code="VSR460",
        title="object that the API server rejects",
        purpose="The API server accepts every object in a dry run (`--server`), without warnings.",
        why="Admission webhooks, quotas and policies of a cluster can reject an object that fits its schema.",
        example="""\
vsr-compile verify out/quickstart --server --context staging  # a webhook there requires a label
""",
        fix="Fix the field that the server names.",
    ),
    Rule(
        name="A02",
        code="VSR461",
        title="object that the API server was not asked about",
        purpose="The API server answers in time, allows the dry run, and has the namespace and kind of every object.",
        why="Objects without an answer are not checked. Namespaces and kinds that come with the same objects only "
        "produce notes.",
        example="""\
vsr-compile verify out/quickstart --server  # the user has no permission to patch Services
""",
        fix="Check the kubeconfig (`--context`), the network and the permission to patch the checked kinds.",
    ),
)
