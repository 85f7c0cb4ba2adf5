"""The growth of every regular expression and decoder that reads text of clients or models, and why it is linear.

`found` finds them in the source; a test compares. A new one needs a line here, and is then tried by the scaling test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import vsr_runtime

ROOT = Path(vsr_runtime.__file__).parent
READERS = ("decision", "inference/text_segments.py")
"""What reads text of a client or a model."""
LINEAR: Mapping[str, str] = {
    "decision/apis/endpoints.py": "_STORED",
    "decision/ask/blocks.py": "_TAG _SQUARE _RULED _BRACKETED",
    "decision/ask/candidates.py": "_RULE",
    "decision/ask/courtesy.py": "_ATTACHED _GREETING _NOW _PAIR _PIECE _SIGN_OFF",
    "decision/ask/dialogue.py": "_JSON _STAMP _ROW",
    "decision/ask/extract.py": "_STAMP _NOTE _RESULT _CALL _ALERT _FILE",
    "decision/ask/fields.py": "_FIELD _KEY",
    "decision/ask/marks.py": "_LABEL _HEADING _RULED _BRACKETED _TOKEN _END_TOKEN _MAIL",
    "decision/ask/paragraphs.py": "_BLANK _MATERIAL_LINE _MAIL_LINE _QUOTE_INTRO _SIGN_OFF _BULLET _SHAPE",
    "decision/ask/sentences.py": "_SPLIT",
    "decision/ask/signs.py": "_SIGN",
    "decision/ask/summary.py": "_HEADING _NUMBERED _LIST_ITEM",
    "decision/ask/tags.py": "_ROLE _SENTENCE _WORD",
    "decision/ask/vocabulary.py": "_WORD _POSSESSIVE",
    "decision/conversation/follow_up.py": "_WORD _ASCII_WORD _UNSPACED _HANGUL _UNSPACED_WORDS _FORMULA _FORMULA_SIGN",
    "decision/guards/decoding.py": "_ESCAPE",
    "decision/guards/detection.py": "_SCHEME",
    "decision/guards/encoded_words.py": "_HEX _LINE _PIECE _QUADS _BETWEEN_BYTES _CONTROL",
    "decision/guards/json_texts.py": "ESCAPE _ESCAPES UNICODE_ESCAPE _LONE_SURROGATE _TOKEN _QUOTED",
    "decision/guards/lookalikes.py": "_PHONETIC _ANY _WORD _OWN _IN _LATIN_LETTER",
    "decision/guards/masking.py": "_FORM _BEGINNING",
    "decision/guards/media.py": "_DATA_URL _BASE64 _PART_TYPE",
    "decision/guards/message_texts.py": "_STRING",
    "decision/guards/normalise.py": "_HIDING _ASCII_INVISIBLE _SPACED _APART _ASTRAL",
    "decision/guards/recogniser.py": "_FIRST_WORD",
    "decision/guards/rules/numbers.py": "_ISSUERS _DIGITS",
    "decision/guards/rules/secrets.py": "_PLACEHOLDER",
    "decision/guards/rules/technical.py": "_FORM",
    "decision/program/build.py": "_MODEL_NAME",
    "decision/program/build_effects.py": "_HEADER_NAME _HEADER_VALUE",
    "decision/program/build_providers.py": "_HEADER _PATH _QUERY _VALUE",
    "decision/request/cache_recording.py": "_CONTENT_TYPES",
    "decision/request/cors.py": "_ORIGIN _HEADER_LIST",
    "decision/request/distinctions.py": "_WORD",
    "decision/request/edits.py": "_VERSIONED_TYPE",
    "decision/request/error_reply.py": "_ERROR_STATUS _LENGTH _CHARSET",
    "decision/request/form_body.py": "_CONTENT_TYPE _DISPOSITION _FIELD_TYPE",
    "decision/request/headers.py": "_JSON_TYPE _LENGTH",
    "decision/request/json_body.py": "_TEXT_VALUE _BLANK _STRING _SURROGATE",
    "decision/request/response_document.py": "_WORD",
    "decision/request/response_headers.py": "_FIXED",
    "decision/request/response_machine.py": "_JSON_TYPE",
    "decision/request/sse.py": "_EVENT_END _LINE",
    "decision/request/text_channel.py": "_SENTENCE_END _KEY_BEGIN _KEY_END _BLANK",
    "decision/signals/heuristic.py": "_TOKENS",
    "decision/signals/keywords/english.py": "_WORD",
    "decision/signals/keywords/fuzzy.py": "_WORD",
    "decision/signals/keywords/ngrams.py": "_WORD",
    "decision/signals/keywords/stemming.py": "_REGION",
    "decision/signals/structure.py": "_UNIT",
    "decision/signals/words.py": "_EMPTY _NO_SPACES",
    "inference/text_segments.py": "_LONG_RUN _BLANK _NO_BLANK _WORD_END",
}
"""Names by file of the patterns whose search takes time in proportion to the text, whatever it is: they match one
character, a bounded number of them, or a run that ends with the match, and alternatives give nothing back. Others may
only be added to `ANCHORED`."""
ANCHORED = frozenset(
    f"decision/ask/{name}"
    for name in (
        "extract.py:_ALERT",
        "extract.py:_CALL",
        "extract.py:_FILE",
        "extract.py:_NOTE",
        "extract.py:_RESULT",
        "extract.py:_STAMP",
        "paragraphs.py:_BULLET",
        "summary.py:_LIST_ITEM",
        "marks.py:_END_TOKEN",
        "marks.py:_MAIL",
        "paragraphs.py:_MAIL_LINE",
        "paragraphs.py:_QUOTE_INTRO",
        "paragraphs.py:_SIGN_OFF",
    )
)
ANCHORED |= {
    "decision/guards/encoded_words.py:_HEX",
    "decision/guards/encoded_words.py:_QUADS",
    "decision/guards/json_texts.py:_TOKEN",
    "decision/guards/message_texts.py:_STRING",
    "decision/request/json_body.py:_TEXT_VALUE",
}
"""Patterns that are tried at one place and never searched for: one match takes time in proportion to the text."""
BOUNDED = frozenset({"decision/ask/paragraphs.py:_MATERIAL_LINE"})
"""Patterns whose text is cut to some hundred characters."""
DECODERS: Mapping[str, str] = {
    "decision/guards/json_texts.py:unescape": "one pass; the sum over all levels is bounded by MAX_GROWTH",
    "decision/guards/json_texts.py:offsets": "one pass",
    "decision/guards/json_texts.py:json_texts": "one pass, in steps of the budget",
    "decision/guards/normalise.py:normalise": "one pass",
    "decision/guards/decoding.py:decode": "one pass",
    "decision/request/json_body.py:read_body": "C scanner, after a look at the number of values and the depth",
    "decision/guards/encoded_words.py:encoded_words": "each word is tried whole, by lines and by pieces",
    "decision/request/sse.py:SseSplitter": "each byte is searched once, and once more at the edge of two chunks",
}
"""Decoders and walkers, tried by the scaling test as well."""


def found() -> Iterator[str]:
    """Yield the place of every regular expression: file and name, or the file and line of one without a name."""
    for reader in READERS:
        path = ROOT / reader
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield from _patterns(file)


def _patterns(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(map(_compiles, ast.walk(node.value))):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                yield from (f"{file.relative_to(ROOT)}:{name.id}" for name in names if isinstance(name, ast.Name))


def _compiles(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "compile"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )
