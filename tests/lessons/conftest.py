"""The site of the lessons, built once for all tests that look at it."""

from pathlib import Path

import pytest
from site_tools import RAN, built


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = built(out, RAN)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out / 'index.html'}\n"
    assert "Traceback" not in done.stderr
    assert "WARNING" not in done.stderr
    return out
