"""Headless Chromium for tests that look at pages, and waiting until something holds."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = [n for n, p in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if p is None]
BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"{' and '.join(MISSING)} not found: install Debian's chromium and chromium-driver",
    ),
]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--window-size=1300,1000",
)


@contextmanager
def chromium(profile: Path, *flags: str, **capabilities: Any) -> Iterator[Any]:
    """A browser with a profile of its own, closed at the end."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    for name, value in capabilities.items():
        options.set_capability(name.replace("_", ":", 1), value)
    browser = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    browser.set_script_timeout(180)
    try:
        yield browser
    finally:
        browser.quit()


def wait(what: str, seconds: float, answer: Callable[[], Any]) -> Any:
    """Ask until the answer is true; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)
    return found
