"""Words by which tags, headings and labels of any program name what they hold, in several languages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Meaning = Literal["ask", "maybe", "context", "answer", "person", "assistant", "tool", "history", "summary"]
"""What a name announces: an ask for certain or perhaps, context, an answer, a speaker, a conversation, or notes."""

_ASK = """
query question questions request ask asks prompt utterance enquiry inquiry
frage fragen anfrage nutzerfrage benutzerfrage anliegen pregunta preguntas consulta peticion petición solicitud
demande requete requête domanda richiesta pergunta pedido vraag verzoek pytanie zapytanie prosba prośba
вопрос запрос питання soru istek fråga förfrågan spørgsmål spørsmål kysymys otázka dotaz întrebare kérdés câu
"""
_MAYBE = """
task tasks message input instruction feedback answer reply goal objective objectives problem issue command args
arguments comment turn user human person customer caller wish assignment job ticket intent says say words text
content need todo exercise me mine
aufgabe nachricht eingabe auftrag ziel tarea mensaje objetivo entrada tâche tache message objectif saisie compito
messaggio obiettivo tarefa mensagem taak bericht opdracht zadanie wiadomość polecenie cel задача задание сообщение
görev uppgift opgave oppgave úloha
"""
_CONTEXT = """
context contexts reminder reminders system environment env environments info information infos detail details rule
rules guideline guidelines instructions example examples tools file files document documents doc docs source sources
attachment attachments attached additional data dataset workspace project projects repo repository folder folders
directory directories layout structure tree tab tabs editor selection selected cursor open opened recent recently
viewed visible active terminal terminals shell stdout stderr log logs status git branch diff diffs patch code snippet
snippets excerpt excerpts passage passages chunk chunks knowledge memory memories profile preferences settings config
configuration mode modes capabilities permissions policy policies format formats schema template style tone persona
role background backstory notes note metadata meta date time today usage budget token tokens linter lint diagnostics
warning warnings error errors aborted interrupted cancelled canceled hook hooks plan planning todos checklist skill
skills agent agents server servers plugin plugins extension extensions url urls link links web search results references
reference citation citations evidence facts related retrieved previous prior preceding earlier old initial fetched
browser page pages screen screenshot clipboard image images existing page ide os platform version cwd constraints
requirements criteria expected steps step procedure limits safety security output outputs observation observations
material materials article articles book manual transcript_metadata locale timezone session state caveat
kontext auszug auszüge auszuege quelle quellen dokument dokumente datei dateien unterlagen hinweis hinweise regeln
anweisungen beispiel beispiele contexto fragmento fragmentos fuente fuentes documento documentos archivo archivos
instrucciones reglas ejemplo ejemplos contexte extrait extraits documents fichiers consignes règles exemple exemples
contesto estratto estratti fonti documenti istruzioni regole esempio esempi trecho trechos fontes documentos instruções
regras exemplo context bronnen bestanden fragmenty fragment źródła zrodla dokumenty instrukcje zasady przykład
källor källa sammanhang dokumentet underlag kilder kilde kontekst lähteet konteksti asiakirjat zdroje kontext nguồn
контекст источники документы отрывки правила инструкции пример bağlam kaynaklar
"""
_ANSWER = """
answer answers answering response responses réponse reponse respuesta antwort antworten risposta resposta antwoord
odpowiedź odpowiedz ответ cevap yanıt svar vastaus odpověď thought thoughts action final solution conclusion reasoning
scratchpad analysis output
"""
_PERSON = """
user human person customer client me visitor caller student guest benutzer nutzer mensch kunde usuario cliente
utilisateur humain client utente usuário gebruiker klant użytkownik uzytkownik klient пользователь человек kullanıcı
användare bruger bruker
"""
_ASSISTANT = """
assistant ai bot agent model chatbot chatgpt gpt claude gemini copilot llm helper assistent asistente ki ia assistente
asystent ассистент бот asistan
"""
_TOOL = "tool function observation system developer ipython werkzeug herramienta outil narzędzie"
_HISTORY = """
history conversation chat transcript dialogue dialog talk messages thread log verlauf gespräch gespraech historial
conversación conversacion historique conversation cronologia histórico historia rozmowa история диалог
"""
_SUMMARY = "summary snapshot compaction compacted handoff handover recap zusammenfassung resumen résumé podsumowanie"
_OWNER = """
user users human my current latest new actual customer client last person follow followup real the present
incoming live chat nutzer benutzer usuario utilisateur użytkownika actual aktuelle
"""
"""Words that make an uncertain name certain: ``user message``, ``current task``."""
_CJK: tuple[tuple[str, Meaning], ...] = (
    ("上下文", "context"),
    ("背景", "context"),
    ("参考", "context"),
    ("參考", "context"),
    ("资料", "context"),
    ("資料", "context"),
    ("文档", "context"),
    ("文件", "context"),
    ("片段", "context"),
    ("コンテキスト", "context"),
    ("문서", "context"),
    ("历史", "history"),
    ("歷史", "history"),
    ("对话", "history"),
    ("履歴", "history"),
    ("회답", "answer"),
    ("답변", "answer"),
    ("回答", "answer"),
    ("答案", "answer"),
    ("答え", "answer"),
    ("问题", "ask"),
    ("問題", "ask"),
    ("提问", "ask"),
    ("請求", "ask"),
    ("请求", "ask"),
    ("質問", "ask"),
    ("질문", "ask"),
    ("요청", "ask"),
    ("任务", "maybe"),
    ("输入", "maybe"),
    ("用户", "person"),
    ("用戶", "person"),
    ("ユーザー", "person"),
    ("사용자", "person"),
    ("助手", "assistant"),
    ("助理", "assistant"),
    ("アシスタント", "assistant"),
    ("어시스턴트", "assistant"),
)
"""Parts of names in languages without blanks; the first that occurs decides."""
_SETS = {
    "ask": frozenset(_ASK.split()),
    "maybe": frozenset(_MAYBE.split()),
    "context": frozenset(_CONTEXT.split()),
    "answer": frozenset(_ANSWER.split()),
    "person": frozenset(_PERSON.split()),
    "assistant": frozenset(_ASSISTANT.split()),
    "tool": frozenset(_TOOL.split()),
    "history": frozenset(_HISTORY.split()),
    "summary": frozenset(_SUMMARY.split()),
    "owner": frozenset(_OWNER.split()),
    "about": frozenset({"about", "remember", "know", "über", "sobre", "sur"}),
    "input": frozenset({"input", "message", "text"}),
}
_CONVERSATION: tuple[Meaning, ...] = ("summary", "history")
_SPEAKERS: tuple[Meaning, ...] = ("person", "assistant", "tool")
_ENDS: tuple[Meaning, ...] = ("answer", "history")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_POSSESSIVE = re.compile("['\u2019]s")
_MOST_WORDS = 6


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in any spelling: ``userQuery``, ``user_query``, ``User's query``."""
    return tuple(word.lower() for word in _WORD.findall(_POSSESSIVE.sub("", name)))


@lru_cache(maxsize=4096)
def meaning_of_tag(name: str) -> Meaning | None:
    """Return what a tag or a heading of this name holds; None if the name does not tell."""
    if not name.isascii() and (cjk := _cjk(name)):
        return cjk
    words = words_of(name)
    if not words or len(words) > _MOST_WORDS:
        return None
    if not _has("ask", words):
        for meaning in _CONVERSATION:
            if _has(meaning, words) and not (meaning == "history" and _has("input", words)):
                return meaning
    return "context" if _has("context", words) else _asking(words)


@lru_cache(maxsize=4096)
def meaning_of_label(label: str) -> Meaning | None:
    """Return what follows a label such as ``Question:`` at the beginning of a line; None if it does not tell."""
    if not label.isascii() and (cjk := _cjk(label)):
        return cjk
    words = words_of(label)
    if not words or len(words) > _MOST_WORDS:
        return None
    asking = _has("ask", words)
    for meaning in (*_SPEAKERS, "answer") if len(words) == 1 else () if asking else _ENDS:
        if _has(meaning, words):
            return meaning
    return "context" if _has("context", words) else _asking(words)


def _has(meaning: str, words: tuple[str, ...]) -> bool:
    return any(word in _SETS[meaning] for word in words)


def _asking(words: tuple[str, ...]) -> Meaning | None:
    if _has("ask", words):
        return "ask"
    if not _has("maybe", words):
        return None
    if _has("about", words):
        return None  # notes on a person
    owners = [word for word in words if word in _SETS["owner"]]
    several = len(owners) > 1 or any(word not in owners for word in words if word in _SETS["maybe"])
    return "ask" if owners and several else "maybe"


def _cjk(name: str) -> Meaning | None:
    hits = [(name.find(part), meaning) for part, meaning in _CJK if part in name]
    kinds = {meaning for _, meaning in hits}
    if "ask" in kinds and "context" not in kinds:
        return "ask"
    return hits[0][1] if hits else None
