"""The structure of attacks on a model: forged turns, instruction overrides, and roles without rules.

Meant for text that a model should only read: tool results, documents, web pages. A user's attack in well-known words
has the same structure, but one in other words has not, so this does not replace a jailbreak detector.
"""

from __future__ import annotations

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, Recogniser, accept

_GAP = rb"[\s\"'`*_.,:;!\xfe-]{1,3}"
_FILL = rb"(?:[a-z\xff']{1,14}" + _GAP + rb"){0,4}"
_DROP = (
    rb"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|neglect|discard|drop|erase|"
    rb"do not (?:follow|obey)|don't (?:follow|obey)|stop (?:following|obeying)|no longer follow)"
)
_EARLIER = rb"(?:previous|prior|above|earlier|preceding|foregoing|former|initial|original|system|existing|current|all|any|your|the)"
_ORDERS = (
    rb"(?:instructions?|prompts?|rules?|guidelines?|directions?|directives?|orders?|commands?|constraints?|"
    rb"restrictions?|polic(?:y|ies)|safeguards?|guardrails?|programming|training|everything)"
)
_FREE = rb"(?:unrestricted|unfiltered|uncensored|jailbroken|amoral|unlimited|evil|without (?:any )?(?:restrictions?|filters?|rules|limits?|limitations?|censorship|morals?))"

RULES = (
    Recogniser(
        "INSTRUCTION_OVERRIDE",
        "override",
        rb"(?i)\b" + _DROP + _GAP + _FILL + _EARLIER + _GAP + _FILL + _ORDERS + rb"\b",
        accept(SHAPE),
    ),
    Recogniser(
        "INSTRUCTION_OVERRIDE",
        "override-everything",
        rb"(?i)\b" + _DROP + _GAP + rb"(?:all|everything)(?: of)?(?: (?:that|which))?(?: (?:is|was|you were|you have been|you've been))? "
        rb"(?:the )?(?:above|before|told|said|instructed|written above|previous)\b",
        accept(SHAPE),
    ),
    Recogniser(
        "INSTRUCTION_OVERRIDE",
        "override-other-languages",
        rb"(?i)\b(?:ignoriere?|vergiss|missachte) (?:bitte )?(?:alle |s\xffmtliche )?(?:deine |die |meine )?(?:vorherigen |bisherigen |obigen "
        rb"|fr\xffheren )?(?:anweisungen|regeln|befehle|vorgaben)\b|\b(?:ignore[zr]?|oublie[zr]?) (?:toutes )?(?:les |tes |vos )(?:instructions|"
        rb"r\xffgles|consignes)\b|\b(?:ignora|olvida|ignore|olvide) (?:todas )?(?:las |tus |sus )(?:instrucciones|reglas|indicaciones)\b",
        accept(SHAPE),
        literals=(b"ignor", b"vergiss", b"missachte", b"oublie", b"olvid"),
    ),
    Recogniser(
        "INSTRUCTION_OVERRIDE",
        "prompt-leak",
        rb"(?i)\b(?:reveal|print|repeat|show|output|display|leak|dump|tell me|give me|what (?:is|are|was|were))" + _GAP + _FILL
        + rb"(?:system|initial|hidden|secret|original|developer)" + _GAP + rb"(?:prompts?|instructions?|messages?)\b",
        accept(CONTEXT),
        literals=(b"prompt", b"instruction", b"message"),
    ),
    Recogniser(
        "ROLE_MARKER",
        "chat-template",
        rb"(?i)<\|(?:im_start|im_end|im_sep|system|user|assistant|start_header_id|end_header_id|eot_id|begin_of_text|endoftext|end_of_text|"
        rb"end_of_turn|start_of_turn|channel|start|end|message)\|>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|\[/?SYSTEM_PROMPT\]|"
        rb"<\xfe(?:system|user|assistant)\xfe>",
        accept(SHAPE),
        literals=(b"<", b"["),
    ),
    Recogniser(
        "ROLE_MARKER",
        "role-header",
        rb"(?i)(?:^|\n)[ \t>]{0,8}(?:#{1,6} ?|\*\*|\[|<|\(|-{2,5} ?){0,2}(?:system|assistant|developer)(?: (?:prompt|message|instructions?|"
        rb"override|note))?(?:\*\*|\]|>|\)|:| ?-{2,5}){1,3}",
        accept(CONTEXT),
        literals=(b"system", b"assistant", b"developer"),
    ),
    Recogniser(
        "ROLE_PLAY",
        "no-rules",
        rb"(?i)\b(?:you are|you're|act as|acting as|pretend|imagine|role-?play|become|simulate|play the role|be)" + _GAP + _FILL + _FREE
        + rb"|\bdo anything now\b|\b(?:developer|god|dan|sudo|admin|debug|jailbreak) mode (?:enabled|activated|on)\b|\byou are (?:now )?(?:DAN|"
        rb"DUDE|STAN|AIM)\b|\bnormal restrictions? (?:don't|do not) apply\b",
        accept(SHAPE),
    ),
)  # fmt: skip
