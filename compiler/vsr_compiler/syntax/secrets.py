"""Detection of secrets in policies, before they reach the history of a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.syntax.document import Document, Path
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

_SHAPES = (
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("an OpenAI-style API key", re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")),
    ("a GitHub token", re.compile(r"\b(?:ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{30,}\b")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,80}:[^\s/:@]{1,80}@")),
)


def secrets(document: Document) -> dict[Path, Diagnostic]:
    """Return VSR227 by the path of the value. Categories, signals and tests may contain examples of secrets.

    This runs for invalid policies, too: a secret in place of a reference is also a wrong type.
    """
    return dict(_walk(document, document.root, ()))


def _walk(document: Document, node: Node, path: Path) -> Iterator[tuple[Path, Diagnostic]]:
    if path and path[0] in {"categories", "tests", "signals"}:
        return
    if isinstance(node, Scalar):
        for what, shape in _SHAPES:
            if shape.search(node.text):
                own = (
                    "write that Secret's name here"
                    if path[-1:] == ("token",)
                    else "refer to it: `{secret: NAME, key: KEY}`"
                )
                hint = f"Store it in a Secret and {own}. If it was real, revoke it."
                yield path, Diagnostic("VSR227", f"this looks like {what}", document.span(path), hint, hides=True)
                return
    elif isinstance(node, Mapping):
        for key, (_, child) in node.entries.items():
            yield from _walk(document, child, (*path, key))
    else:
        for index, child in enumerate(node.items):
            yield from _walk(document, child, (*path, index))
