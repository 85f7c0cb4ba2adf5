"""A real Chromium that shows a page: what it complains about, and what axe finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from support.common import required

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Also those without which Chromium calls home at every start."""


@contextmanager
def shown(file: Path, width: int, scheme: str) -> Iterator[tuple[Page, list[str]]]:
    """Open a file in a window of a width. Yield the page, and what it has complained about so far."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    required(path, "Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(file.as_uri())
        yield page, complaints
        browser.close()


def violations(page: Page) -> list[str]:
    """The rules of accessibility that a page breaks, by axe."""
    found = Axe().run(page).response["violations"]
    assert isinstance(found, list)
    return [f"{one['id']}: {one['help']}" for one in found]
