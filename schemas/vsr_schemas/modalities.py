"""What a request holds besides text."""

from __future__ import annotations

from typing import Literal, get_args

Modality = Literal["image", "audio", "video", "file"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
"""In the order of lists for users."""
