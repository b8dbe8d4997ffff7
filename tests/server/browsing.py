"""A real Chromium for the console's tests; they are skipped where there is none."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A contended machine is slow to draw; nothing waits this long where it works.
PATIENCE_MS = 60_000


@contextmanager
def browsing(**context: Any) -> Generator[Any]:
    """A page in a browser of its own; what goes wrong in it is an error of the test."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(PATIENCE_MS)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console", lambda line: problems.append(line.text) if "Content Security" in line.text else None
        )
        yield page
        browser.close()
        assert problems == []
