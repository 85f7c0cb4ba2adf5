"""Words of the APIs that guards need not read."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYS = _words(
    """
    additionalProperties allOf allowed_tools anyOf annotations arguments assistant audio auto best_of budget_tokens
    cache_control call_id chat_template_kwargs choices code content content_index created created_at cutoff data
    default delta description detail developer dimensions effort encoding_format end_turn enum ephemeral error
    extra_body file file_data file_id file_url filename finish_reason format frequency_penalty function function_call
    function_call_output functions guided_json high id image image_url include include_usage index input input_audio
    input_file input_image input_schema input_text instructions item_id items json_object json_schema logit_bias
    logprobs low max_completion_tokens max_output_tokens max_tokens maxItems maximum maxLength media_type medium message
    messages metadata min_p minItems minimum minLength modalities model n name none null object oneOf output
    output_index output_text parallel_tool_calls parameters part partial_json pattern prediction presence_penalty
    previous_response_id prompt prompt_cache_key properties reasoning reasoning_content reasoning_effort refusal
    repetition_penalty required response response_format role safety_identifier schema seed sequence_number
    service_tier signature size source status stop stop_reason stop_sequence stop_sequences store stream
    stream_options strict suffix summary system temperature text text_delta thinking title tool tool_call_id tool_calls
    tool_choice tool_result tool_use tool_use_id tools top_k top_logprobs top_p transcript truncation type url usage
    user user_id value verbosity voice
    """
)
"""Keys that the APIs and JSON Schema document. A word of a fixed list cannot hide anything."""
VALUES = KEYS | _words(
    """
    any array base64 boolean chat.completion chat.completion.chunk completed content_filter custom
    default disabled
    enabled flex float in_progress incomplete integer length list max_tokens minimal number priority
    string text_completion tool_calls tools xhigh
    """
)
NAMING = _words(
    """
    detail effort encoding_format finish_reason format modalities object reasoning_effort required role service_tier
    status stop_reason tool_choice truncation type verbosity
    """
)
"""Keys whose value may be one of `VALUES`. Any other value of theirs is read like all text."""

TEXT_DATA = frozenset({"data", "file_data", "image_url", "url", "result"})
"""Keys whose value may be the base64 of a text."""
