"""Names of Kubernetes objects, derived from the free text of a policy in one place."""

from __future__ import annotations

import hashlib
import re

MAX_SLUG = 50


def object_name(name: str) -> str:
    """Return the DNS label for a name in the policy: its slug, plus 8 hex digits of its sha256 if the slug differs.

    >>> object_name("phi4-mini")
    'phi4-mini'
    >>> object_name("mistral:latest")
    'mistral-latest-d146c3e4'

    >>> object_name("7b")
    'x-7b-925a7bf1'

    A label begins with a letter, as Services require. Different names get different labels: either both are their own
    slugs, or the hash differs.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if slug == name and len(slug) <= MAX_SLUG and slug[0].isalpha():
        return slug
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    prefix = slug if slug[:1].isalpha() else f"x-{slug}"
    return f"{prefix[: MAX_SLUG - 9].strip('-')}-{digest}"
