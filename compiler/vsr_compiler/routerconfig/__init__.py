"""Router files from the linked policy: one module per router implementation, and what both share."""

from __future__ import annotations

CONFIG, SETTINGS = "config.yaml", "runtime.yaml"
"""File names in ``router/``. Classifier heads are called ``<classifier>.safetensors``."""
