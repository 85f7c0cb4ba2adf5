"""What other releases change for a policy: objects, requests, what breaks before and after, and the order of steps."""

from __future__ import annotations

from vsr_compiler.review.upgrade.report import upgrade_report
from vsr_compiler.review.upgrade.wanted import Wanted, wanted_releases

__all__ = ["Wanted", "upgrade_report", "wanted_releases"]
