"""What content parts hold besides text, by their type."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_schemas.modalities import Modality

_TYPES: Mapping[Modality, str] = {
    "image": "computer_screenshot image image_embeds image_file image_pil image_url input_image",
    "audio": "audio audio_embeds audio_url input_audio",
    "video": "input_video video video_url",
    "file": "container_upload document file input_file",
}
MODALITIES: Mapping[str, Modality] = MappingProxyType(
    {kind: modality for modality, kinds in _TYPES.items() for kind in kinds.split()}
)
"""The modality of each part type of the APIs and of vLLM that is no text."""
