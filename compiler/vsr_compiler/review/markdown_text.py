"""Text that others wrote, within Markdown: none of it becomes markup, a mention or the end of a block."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review.diff_text import WIDTH

_MARKUP = re.compile(r"[\\`*_\[\]#!|~<>&]")


def escaped(words: str, width: int = WIDTH) -> str:
    """Return text on one line, escaped for Markdown and HTML, with mentions broken up."""
    calm = clip(words, width).replace("@", "@\N{ZERO WIDTH SPACE}")
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", calm)
