"""Secrets do not stand in policies: what looks like one is refused before it reaches a repository's history."""

from __future__ import annotations

import re

from compiler.link.scope import Scope
from compiler.source import Mapping, Node, Scalar
from compiler.source.document import Path

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


def check_secrets(scope: Scope) -> None:
    """Look at every value; examples and tests are left out, since they may show what people must not send."""
    _walk(scope, scope.document.root, ())


def _walk(scope: Scope, node: Node, path: Path) -> None:
    if path and path[0] in {"categories", "tests", "signals"}:
        return
    if isinstance(node, Scalar):
        for what, shape in _SHAPES:
            if shape.search(node.text):
                hint = "Put it into a Secret and refer to it: `{secret: name, key: token}`; if it was real, revoke it."
                scope.report("VSR227", f"this looks like {what}", path, hint)
                return
    elif isinstance(node, Mapping):
        for key, (_, child) in node.entries.items():
            _walk(scope, child, (*path, key))
    else:
        for index, child in enumerate(node.items):
            _walk(scope, child, (*path, index))
