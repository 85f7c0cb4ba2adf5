"""Names under which documented servers read images, audio, video, files, embeddings and token ids, with sources.

A name that a server reads and this table lacks lets media pass unread, so names are only added. ``vLLM`` stands for
``vllm/entrypoints/chat_utils.py`` and ``vllm/entrypoints/openai/protocol.py``; ``OpenAI`` for its OpenAPI document;
``Anthropic`` for the reference of its Messages API.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TYPES = {
    "OpenAI, chat completions": "image_url input_audio file",
    "OpenAI, responses": "input_image input_file input_audio input_video computer_screenshot image_generation_call "
    "output_image output_audio",
    "OpenAI, assistants": "image_file",
    "Anthropic": "image document container_upload",
    "vLLM": "image_url image_pil image_embeds audio_url audio_embeds input_audio video_url video_embeds prompt_embeds",
    "Transformers, chat templates (docs, multimodal templating)": "image audio video",
    "Mistral, chat completions": "document_url image_url input_audio file",
    "SGLang, openai_api protocol": "image_url video_url audio_url",
    "Gemini and LangChain, standard content blocks": "media image_base64 audio_base64",
    "OpenRouter": "video_url file",
}
_KEYS = {
    "OpenAI": "file_data file_id file_url image_url input_audio input_image image_file",
    "vLLM": "image_url image_pil image_embeds audio_url audio_embeds input_audio video_url video_embeds prompt_embeds "
    "multi_modal_data",
    "Mistral": "document_url",
    "SGLang, native API": "image_data audio_data video_data input_embeds",
    "llama.cpp, server README": "image_data multimodal_data",
    "Gemini, generateContent": "inline_data inlineData file_uri fileUri",
    "Text Generation Inference and Triton": "pixel_values inputs_embeds",
}
_PART_KEYS = {
    "Ollama, chat": "images",
    "Transformers and DashScope, parts without a type": "image audio video images audios videos",
    "OpenAI, chat completions (a file part)": "file",
    "Bedrock, converse": "image document video bytes",
}


def _names(table: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: source for source, names in table.items() for name in names.split()})


MEDIA_TYPES = _names(_TYPES)
"""The ``type`` of parts and items that hold or refer to something other than text; the source of each."""
MEDIA_KEYS = _names(_KEYS)
"""Keys with the same meaning that need no type; the source of each."""
PART_MEDIA_KEYS = _names(_PART_KEYS)
"""Keys with the same meaning in messages and their parts only, since tools use the same words for other things."""
TOKEN_KEYS = frozenset({"input_ids", "prompt_token_ids", "token_ids"})
"""Keys that hold text as token ids."""
TOKEN_FIELDS = frozenset(
    {"data_1", "data_2", "documents", "input", "items", "prompt", "queries", "query", "text_1", "text_2", "tokens"}
)
"""Top-level fields that may hold token ids as well."""
READABLE_SOURCES = frozenset({"content", "text"})
"""Document source types whose text is part of the request."""
