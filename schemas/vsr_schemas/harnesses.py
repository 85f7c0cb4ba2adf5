"""What coding agents, chat front ends and retrieval frameworks put around a person's words in user messages.

The rules by structure need no entry here. An entry settles what a name alone leaves open: ``task`` is the ask in Cline
and an instruction elsewhere. Each entry has its source, a file of the project unless noted otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Harness:
    """Markers of one program.

    Attributes:
        title: the program's name.
        source: where its markers are defined or seen.
        asks: tags around the person's words.
        context: tags around everything else.
        lines: lines, headings and labels that it writes, for messages about keywords.
    """

    title: str
    source: str
    asks: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


_CLINE_ASKS = ("task", "feedback", "answer", "user_message")
_CLINE_CONTEXT = (
    "environment_details",
    "file_content",
    "folder_content",
    "url_content",
    "workspace_diagnostics",
    "terminal_output",
    "git_working_state",
)
"""Tags of Cline and of Roo Code, which began as a copy of it."""
HARNESSES: Mapping[str, Harness] = {
    "aider": Harness(
        "Aider",
        "Aider-AI/aider: aider/coders/editblock_prompts.py, base_prompts.py",
        lines=("I have *added these files to the chat*", "SEARCH/REPLACE block", "repo-map"),
    ),
    "anything-llm": Harness(
        "AnythingLLM",
        "Mintplex-Labs/anything-llm: server/utils/chats/index.js",
        context=("attached_documents",),
        lines=("Context:", "[CONTEXT 0]:", "[END CONTEXT 0]"),
    ),
    "claude-code": Harness(
        "Claude Code",
        "session files of Claude Code (~/.claude/projects)",
        asks=("command-args", "bash-input", "user-memory-input"),
        context=(
            "system-reminder",
            "command-name",
            "command-message",
            "command-contents",
            "local-command-stdout",
            "local-command-stderr",
            "local-command-caveat",
            "bash-stdout",
            "bash-stderr",
            "ide_opened_file",
            "ide_selection",
            "ide_diagnostics",
            "new-diagnostics",
            "user-prompt-submit-hook",
            "session-start-hook",
            "task-notification",
            "background-task-output",
            "env",
        ),
        lines=("[Request interrupted by user]", "This session is being continued from a previous conversation"),
    ),
    "cline": Harness(
        "Cline",
        "cline/cline: src/core/task/index.ts, src/core/prompts/responses.ts",
        asks=_CLINE_ASKS,
        context=(
            *_CLINE_CONTEXT,
            "explicit_instructions",
            "task_resumption",
            "task_progress",
            "mistake_limit",
        ),
        lines=("# VSCode Visible Files", "# VSCode Open Tabs", "# Current Mode", "# Current Working Directory"),
    ),
    "codex": Harness(
        "Codex",
        "openai/codex: codex-rs/protocol/src/protocol.rs, codex-rs/core/src/user_instructions.rs",
        context=(
            "environment_context",
            "user_instructions",
            "INSTRUCTIONS",
            "turn_aborted",
            "user_shell_command",
            "skill",
            "app-context",
            "collaboration_mode",
            "skills_instructions",
            "subagent_notification",
            "personality_spec",
        ),
        lines=(
            "# Context from my IDE setup:",
            "## Open tabs:",
            "## My request for Codex:",
            "# Files mentioned by the user:",
        ),
    ),
    "continue": Harness(
        "Continue",
        "continuedev/continue: core/context/retrieval/retrieval.ts",
        lines=("Use the above code to answer the following question",),
    ),
    "copilot-chat": Harness(
        "GitHub Copilot Chat",
        "microsoft/vscode-copilot-chat: src/extension/prompts/node/agent/agentPrompt.tsx",
        asks=("userRequest", "prompt"),
        context=(
            "attachments",
            "attachment",
            "context",
            "editorContext",
            "repoContext",
            "environment_info",
            "workspace_info",
            "reminderInstructions",
            "toolReferences",
            "conversation-summary",
            "instructions",
            "todoList",
            "additional_skills_reminder",
        ),
    ),
    "crewai": Harness(
        "CrewAI",
        "crewAIInc/crewAI: src/crewai/translations/en.json",
        lines=("Current Task:", "This is the expected criteria for your final answer:", "Begin!", "Thought:"),
    ),
    "cursor": Harness(
        "Cursor",
        "requests of Cursor to an endpoint of one's own",
        asks=("user_query",),
        context=(
            "additional_data",
            "attached_files",
            "code_selection",
            "current_file",
            "open_and_recently_viewed_files",
            "project_layout",
            "rules",
            "cursor_rules_context",
            "git_status",
            "system_reminder",
            "user_info",
            "agent_transcripts",
            "linter_errors",
            "recently_viewed_files",
            "manually_added_selection",
        ),
    ),
    "dify": Harness(
        "Dify",
        "langgenius/dify: api/core/prompt/prompt_templates, api/core/prompt/simple_prompt_transform.py",
        context=("context", "histories", "instruction"),
        lines=("Use the following context as your learned knowledge, inside <context></context> XML tags.",),
    ),
    "gemini-cli": Harness(
        "Gemini CLI",
        "google-gemini/gemini-cli: packages/core/src/utils/environmentContext.ts, tools/read-many-files.ts",
        context=("session_context", "hook_context", "state_snapshot", "loaded_context"),
        lines=("--- Content from referenced files ---", "--- End of content ---", "This is the Gemini CLI."),
    ),
    "goose": Harness(
        "Goose", "block/goose: crates/goose/src/agents/moim.rs", context=("info-msg",), lines=("Working directory:",)
    ),
    "haystack": Harness(
        "Haystack",
        "deepset-ai/haystack: haystack/components/builders/prompt_builder.py, examples of the documentation",
        lines=(
            "Given the following information, answer the question.",
            "Documents:",
            "Context:",
            "Question:",
            "Answer:",
        ),
    ),
    "langchain": Harness(
        "LangChain",
        "langchain-ai/langchain: langchain_classic/chains/retrieval_qa/prompt.py, agents/mrkl/prompt.py",
        lines=(
            "Helpful Answer:",
            "Standalone question:",
            "Chat History:",
            "Action Input:",
            "Observation:",
            "Final Answer:",
        ),
    ),
    "librechat": Harness(
        "LibreChat", "danny-avila/LibreChat: packages/api/src/files/context.ts", lines=("Attached document(s):",)
    ),
    "llamaindex": Harness(
        "LlamaIndex",
        "run-llama/llama_index: llama-index-core/llama_index/core/prompts/default_prompts.py",
        lines=("Context information is below.", "Query:", "Existing answer:", "Refined Answer:"),
    ),
    "n8n": Harness(
        "n8n",
        "n8n-io/n8n: packages/@n8n/nodes-langchain/nodes/chains/ChainRetrievalQA",
        lines=("Use the following pieces of context to answer the users question.", "Context:"),
    ),
    "open-webui": Harness(
        "Open WebUI",
        "open-webui/open-webui: backend/open_webui/config.py (DEFAULT_RAG_TEMPLATE)",
        asks=("user_query",),
        context=("context", "source", "chat_history", "memory_user_context"),
        lines=("### Task:", "### Guidelines:", "### Output:", "### Chat History:"),
    ),
    "opencode": Harness(
        "opencode",
        "sst/opencode: packages/opencode/src/session/prompt.ts",
        context=("system-reminder", "results", "file", "path", "content", "type", "entries", "env", "files"),
        lines=("Called the Read tool with the following input:",),
    ),
    "openhands": Harness(
        "OpenHands",
        "All-Hands-AI/OpenHands: openhands/agenthub/codeact_agent/prompts/additional_info.j2",
        context=(
            "REPOSITORY_INFO",
            "REPOSITORY_INSTRUCTIONS",
            "RUNTIME_INFORMATION",
            "CONVERSATION_INSTRUCTIONS",
            "EXTRA_INFO",
            "WORKSPACE_FILES",
            "uploaded_files",
        ),
    ),
    "roo-code": Harness(
        "Roo Code",
        "RooCodeInc/Roo-Code: src/core/environment/getEnvironmentDetails.ts, src/core/mentions/index.ts",
        asks=_CLINE_ASKS,
        context=(
            *_CLINE_CONTEXT,
            "git_commit",
            "command",
            "slug",
            "name",
            "model",
        ),
        lines=("# VSCode Visible Files", "# VSCode Open Tabs", "# Current Mode", "# Current Cost"),
    ),
    "zed": Harness(
        "Zed",
        "zed-industries/zed: crates/agent/src/thread.rs",
        context=(
            "context",
            "files",
            "directories",
            "symbols",
            "selections",
            "threads",
            "rules",
            "user_rules",
            "fetched_urls",
        ),
    ),
}
