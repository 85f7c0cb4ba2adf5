"""Kubernetes' expansion of variables: `$(NAME)` in `command`, `args` and the values of `env`.

The kubelet replaces a reference to a variable that the container has, and reads `$$` as `$`
(kubernetes/kubernetes, third_party/forked/golang/expansion/expand.go).
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"\$(?=[$(])")
_READ = re.compile(r"\$\$|\$\([^)]*\)")


def escape_references(text: str) -> str:
    """Write a text so that the container gets it as it is.

    >>> escape_references("cost: $5, $(HOME), $$")
    'cost: $5, $$(HOME), $$$'
    """
    return _SPECIAL.sub("$$", text)


def without_escapes(text: str) -> str:
    """Return the text that the container gets. References to variables stay as they are.

    >>> without_escapes("cost: $5, $$(HOME), $$$, $(HOME)")
    'cost: $5, $(HOME), $$, $(HOME)'
    """
    return _READ.sub(lambda match: "$" if match[0] == "$$" else match[0], text)
