from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runtime.serve.transport.nghttp2 import installed

sys.path.append(str(Path(__file__).parent))  # for bare_client and played_service

if not installed() and not os.environ.get("CI"):
    pytest.skip("libnghttp2 is not installed", allow_module_level=True)
