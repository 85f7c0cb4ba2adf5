"""Keys, tokens and passwords."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, SURE, Recogniser, accept

_ISSUED: tuple[tuple[str, bytes], ...] = (
    ("AWS_ACCESS_KEY", rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    ("GCP_API_KEY", rb"AIza[0-9A-Za-z_-]{35}"),
    ("GCP_OAUTH_TOKEN", rb"ya29\.[0-9A-Za-z_-]{20,}"),
    ("AZURE_KEY", rb"[0-9A-Za-z_~.-]{3}8Q~[0-9A-Za-z_~.-]{31,34}"),
    ("GITHUB_TOKEN", rb"gh[pousr]_[0-9A-Za-z]{36,}"),
    ("GITHUB_TOKEN", rb"github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
    ("GITLAB_TOKEN", rb"gl(?:pat|dt|rt|cbt|ptt|ft|agent|soat)-[0-9A-Za-z_-]{20,}"),
    ("SLACK_TOKEN", rb"xox[abeoprs]-[0-9A-Za-z-]{10,}"),
    ("SLACK_TOKEN", rb"xapp-\d-[0-9A-Z]{8,16}-\d{8,16}-[0-9a-f]{32,}"),
    ("ANTHROPIC_API_KEY", rb"sk-ant-[0-9A-Za-z_-]{20,}"),
    ("OPENAI_API_KEY", rb"sk-(?:proj|svcacct|admin|None)-[0-9A-Za-z_-]{20,}"),
    ("OPENAI_API_KEY", rb"sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}"),
    ("OPENROUTER_API_KEY", rb"sk-or-v1-[0-9a-f]{64}"),
    ("API_KEY", rb"sk-[0-9A-Za-z]{32,}"),
    ("HUGGINGFACE_TOKEN", rb"(?:hf|api_org)_[0-9A-Za-z]{30,}"),
    ("STRIPE_KEY", rb"(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}"),
    ("STRIPE_KEY", rb"whsec_[0-9A-Za-z+/=]{32,}"),
    ("GROQ_API_KEY", rb"gsk_[0-9A-Za-z]{40,}"),
    ("XAI_API_KEY", rb"xai-[0-9A-Za-z]{40,}"),
    ("PERPLEXITY_API_KEY", rb"pplx-[0-9A-Za-z]{40,}"),
    ("REPLICATE_TOKEN", rb"r8_[0-9A-Za-z]{37,40}"),
    ("SENDGRID_KEY", rb"SG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{32,}"),
    ("MAILGUN_KEY", rb"key-[0-9a-f]{32}"),
    ("TWILIO_KEY", rb"(?:SK|AC)[0-9a-f]{32}"),
    ("NPM_TOKEN", rb"npm_[0-9A-Za-z]{36}"),
    ("PYPI_TOKEN", rb"pypi-AgE[0-9A-Za-z_-]{40,}"),
    ("DOCKER_TOKEN", rb"dckr_(?:pat|oat)_[0-9A-Za-z_-]{20,}"),
    ("DIGITALOCEAN_TOKEN", rb"do[opr]_v1_[0-9a-f]{64}"),
    ("SHOPIFY_TOKEN", rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("SQUARE_TOKEN", rb"(?:EAAA|sq0[a-z]{3}-)[0-9A-Za-z_-]{22,}"),
    ("TELEGRAM_TOKEN", rb"\d{8,10}:AA[0-9A-Za-z_-]{33}"),
    ("DISCORD_TOKEN", rb"[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,38}"),
    ("DATABRICKS_TOKEN", rb"dapi[0-9a-f]{32}"),
    ("VAULT_TOKEN", rb"hv[sbr]\.[0-9A-Za-z_-]{24,}"),
    ("GRAFANA_TOKEN", rb"gl(?:c|sa)_[0-9A-Za-z_+/=]{32,}"),
    ("NEW_RELIC_KEY", rb"NRAK-[0-9A-Z]{27}"),
    ("LINEAR_KEY", rb"lin_api_[0-9A-Za-z]{40}"),
    ("ATLASSIAN_TOKEN", rb"ATATT3[0-9A-Za-z_=-]{50,}"),
    ("JWT", rb"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*"),
)

_NAMES = (
    rb"pass(?:word|wd|phrase|code)?|pwd|passwort|kennwort|mot de passe|contrase\xffa|secret|(?:api|access|auth|account|"
    rb"secret|private|encryption|signing|client|shared|subscription)[ _-]?(?:key|token|secret)|apikey|token|bearer|"
    rb"credentials?|network access code|access code"
)
_NAME_PARTS = (
    b"pass",
    b"pwd",
    b"kennwort",
    b"mot de",
    b"contrase",
    b"secret",
    b"key",
    b"token",
    b"bearer",
    b"credential",
    b"code",
)
_PLACEHOLDER = re.compile(
    rb"(?i)^(?:x+|\*+|\.+|-+|_+|<.*|\$.*|\{.*|%.*|your.*|my.*|example.*|changeme|redacted|none|null|true|false|test|\[.*)$"
)
_LEAST_BITS = 2.5
"""Minimum entropy per character of a random text of eight or more characters; words mostly have less."""


def _issued(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """Accept a token by its prefix unless it consists of few different characters, as examples do."""
    del data
    if len(set(match[0][-16:])) > 4:  # noqa: PLR2004 - of sixteen
        yield match.start() + match[0].startswith(b"_"), match.end(), SURE


def _assigned(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept the value after a name such as ``password`` if it looks random."""
    del data
    value = match[1].rstrip(b".,;:!?)")
    if _looks_random(value):
        yield match.start(1), match.start(1) + len(value), CONTEXT


def _looks_random(value: bytes) -> bool:
    """Return whether a text has letters and digits or punctuation, and too many different ones for a word."""
    if len(value) < 8 or _PLACEHOLDER.match(value):  # noqa: PLR2004 - the shortest password that many accept
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^0-9A-Za-z]"))
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value[:128]).values())
    return bits >= _LEAST_BITS and kinds > 1 and (re.search(rb"[0-9]", value) is not None or kinds > 2)  # noqa: PLR2004


def _connection(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept the password in a URL unless it is a placeholder such as ``${PASSWORD}``."""
    del data
    if not _PLACEHOLDER.match(match[1]):
        yield match.start(1), match.end(1), SHAPE


_BEGIN = rb"(?:\b|_)"
"""An underscore before a key is emphasis, or joins it to a name."""
ISSUED = tuple(Recogniser(kind, kind.lower().replace("_", "-"), _BEGIN + pattern, _issued) for kind, pattern in _ISSUED)
GATE = (
    _BEGIN
    + rb"(?:A(?:KIA|SIA|BIA|CCA|Iza|TATT3)|AC[0-9a-f]|AIza|ya29\.|gh[pousr]_|github_pat_|gl[a-z]{1,5}-|gl(?:c|sa)_|xox|xapp-|sk-|hf_|"
    rb"api_org_|[srp]k_|whsec_|gsk_|xai-|pplx-|r8_|SG\.|key-|SK[0-9a-f]|npm_|pypi-|dckr_|do[opr]_v1_|shp|EAAA|sq0|dapi|"
    rb"hv[sbr]\.|NRAK-|lin_api_|eyJ)|8Q~|:AA|[MNO][0-9A-Za-z_-]{23}"
)
"""The beginnings of all issued tokens. Every finding matches this, and most texts do not."""
RULES = (
    Recogniser(
        "PRIVATE_KEY",
        "private-key",
        rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]*(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY"
        rb"(?: BLOCK)?-----)?",
        accept(SURE),
        literals=(b"-----begin ",),
    ),
    Recogniser(
        "CONNECTION_STRING",
        "password-in-url",
        rb"(?i)\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@]{0,128}:([^\s/@]{1,256})@[a-z0-9\xff\[-]",
        _connection,
        literals=(b"://",),
    ),
    Recogniser(
        "PASSWORD",
        "assigned",
        rb"(?i)(?:"
        + _NAMES
        + rb")[\"'`\])]{0,2}(?: {0,3}(?:[:=]{1,2}|=>|is|ist|to|est|es)[ \n]{0,3}| )[\"'`]?([^\s\"'`,;<>]{8,256})",
        _assigned,
        literals=_NAME_PARTS,
    ),
)
