"""Tells questions, tasks and instructions to an assistant from other sentences, by their first words."""

from __future__ import annotations

import re

_QUESTION = """
what which who whom whose where when why how is are does do did can could should would will was were has have
welche welcher welches wer wie warum wann wo weshalb kannst könntest qué cuál cuáles cómo quién dónde cuándo quel quelle
quels quelles comment pourquoi qui où quand combien che quale quali come perché chi dove quando qual como quem onde wat
welke hoe waarom co jak jaki jaka jakie dlaczego kto gdzie czy kiedy что какой какая как почему кто где когда зачем
vad hur varför hvad hvordan hvorfor hva mitä miten miksi jak proč ne nasıl neden kim
"""
_TASK = """
add analyse analyze build calculate change check classify compare compose compute consider construct convert create
debug define derive describe design determine differentiate discuss distinguish draft draw estimate evaluate explain
find fix generate identify implement improve list make migrate name outline plan predict prove refactor remove rename
replace review rewrite show sketch solve state suggest suppose summarise summarize tell translate update verify write
assume given let help i i'd i'm my we our
berechne erkläre schreibe finde erstelle behebe ändere beschreibe vergleiche übersetze ich wir mein calcula explica
escribe encuentra crea corrige describe compara traduce quiero necesito calcule explique écris trouve crée corrige
décris compare traduis je nous calcola spiega scrivi trova crea descrivi oblicz wyjaśnij napisz znajdź opisz
"""
_DIRECTIVE = """
don't never always only answer respond reply use keep stay cite ensure remember be prefer avoid follow give say begin
start stop return output format treat refer speak mark put mention include look call ask search refuse before without
base ground limit quote reference consult rely ignore act think work wrap end do
antworte nutze verwende nenne benutze wenn falls gib halte beantworte bleib stütze zitiere responde usa úsalos utiliza
utilice no eres cita básate mantén réponds utilise n'utilise ne tu sers voici cite appuie rispondi non sei basati
responda não você baseie antwoord gebruik odpowiadaj odpowiedz użyj skorzystaj nie jesteś отвечай используй не ты
svara använd svar brug
"""
_DIRECTIVE_PAIRS = frozenset(
    (first, second)
    for first, seconds in (
        ("you", "are must should will may can have get need answer help work act"),
        ("your", "task job answer goal response final role place reply"),
        ("if", "you the a an it no there some they"),
        ("when", "you a the answering"),
        ("where", "you the a"),
        ("make", "sure"),
        ("note", "that"),
        ("do", "not"),
        ("write", "in plain short"),
        ("du", "bist sollst"),
        ("si", "no tu vous"),
        ("se", "non não"),
        ("als", "je"),
        ("jeśli", "nie czegoś"),
        ("если", "не"),
    )
    for second in seconds.split()
)
_QUESTIONS, _TASKS, _DIRECTIVES = (frozenset(words.split()) for words in (_QUESTION, _TASK, _DIRECTIVE))
_LEADING = frozenset(
    [
        "so",
        "and",
        "but",
        "now",
        "please",
        "also",
        "then",
        "ok",
        "okay",
        "hi",
        "hello",
        "hey",
        "bitte",
        "und",
        "por",
        "favor",
        "merci",
    ]
)
_QUESTION_PAIRS = frozenset(
    {("por", "qué"), ("por", "que"), ("a", "quoi"), ("est-ce", "que"), ("in", "which"), ("of", "what")}
)
_DIRECTIVE_STARTS = ("请", "請", "不要", "如果", "使用", "只", "根据", "以下", "你是", "回答は", "必ず", "답변은")
_SPLIT = re.compile(r"[.!?;:]\s+|[。！？]|\n+")
_BULLETS = "-*•#>0123456789.)( \t\"'“„«¿¡_[*"
_EXAMINED, _MOST, _SEVERAL = 1200, 16, 3
_OWN = frozenset(
    [
        "i",
        "i'm",
        "i've",
        "my",
        "me",
        "we",
        "our",
        "us",
        "ich",
        "mein",
        "meine",
        "wir",
        "unser",
        "je",
        "mon",
        "ma",
        "yo",
        "mi",
    ]
)
_WORK = frozenset(
    [
        "tool",
        "tools",
        "commit",
        "commits",
        "test",
        "tests",
        "file",
        "files",
        "output",
        "user",
        "task",
        "tasks",
        "answer",
        "answers",
        "replies",
        "comment",
        "comments",
        "command",
        "commands",
        "path",
        "paths",
        "line",
        "lines",
        "branches",
        "code",
        "edit",
        "secrets",
        "log",
        "logs",
        "words",
        "script",
        "scripts",
        "step",
        "steps",
        "documents",
        "sources",
        "emojis",
        "emoji",
        "message",
        "messages",
    ]
)
"""Words of instructions about work on files, which speak of nobody's own."""


def is_question(text: str) -> bool:
    """Return whether a text asks something, by its punctuation or its first word."""
    if "?" in text or "？" in text or "؟" in text:
        return True
    words = _first_words(text)
    return bool(words) and (words[0] in _QUESTIONS or words in _QUESTION_PAIRS)


def is_task(text: str) -> bool:
    """Return whether a text begins like a task, or speaks of the person."""
    words = _first_words(text)
    return bool(words) and words[0] in _TASKS


def is_directive(text: str) -> bool:
    """Return whether at least half of the sentences instruct an assistant."""
    if "?" in text:
        return False
    head = text[:_EXAMINED]
    sentences = [sentence for sentence in _SPLIT.split(head, _MOST) if len(sentence) > 1]
    if 2 * sum(map(_instructs, sentences)) >= len(sentences) > 0:
        return True
    if len(sentences) < _SEVERAL or not _OWN.isdisjoint(head.lower().split()):
        return False
    return 5 * sum(map(_speaks_of_work, sentences)) >= 3 * len(sentences)


def _speaks_of_work(sentence: str) -> bool:
    return "`" in sentence or not _WORK.isdisjoint(sentence.lower().replace(",", " ").split())


def _instructs(sentence: str) -> bool:
    if not sentence.isascii() and sentence.lstrip(_BULLETS).startswith(_DIRECTIVE_STARTS):
        return True
    words = _first_words(sentence)
    return bool(words) and (words[0] in _DIRECTIVES or words in _DIRECTIVE_PAIRS)


def _first_words(text: str) -> tuple[str, ...]:
    """Return the first two words in lower case, without greetings and connectives."""
    words = text[:80].lstrip(_BULLETS).lower().split(None, 4)[:4]
    while len(words) > 1 and words[0].rstrip(",") in _LEADING:
        del words[0]
    return tuple([word.rstrip(",.:;!?") for word in words[:2]])
