"""The lessons in a real JupyterLab, driven through headless Chromium (marker browser)."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from lesson_tools import BOOKS, NUMBERED, copied

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = [n for n, p in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if p is None]
pytestmark = [
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
WITH_SLIDER = [
    n for n in NUMBERED if any("ipywidgets.interact" in c.source for c in BOOKS[n].cells)
]
SHOTS = os.environ.get("ARMLAB_SCREENSHOTS")  # a folder to keep the screenshots in, to look at

# What is read from the page. `panel` is the open notebook; a cell's state is read from its model,
# as cells far from the screen may not be drawn.
CODE_CELLS = """
const panel = window.jupyterapp.shell.currentWidget;
return panel.content.widgets.filter(c => c.model.type === 'code').map(c => ({
    count: c.model.executionCount,
    source: c.model.sharedModel.getSource(),
    outputs: c.model.outputs.toJSON(),
}));
"""
READY = """
const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
return Boolean(panel && panel.content && panel.content.widgets
    && panel.sessionContext && panel.sessionContext.isReady
    && panel.sessionContext.session && panel.sessionContext.session.kernel
    && panel.sessionContext.session.kernel.status === 'idle');
"""
SHOW = """
const panel = window.jupyterapp.shell.currentWidget;
const done = arguments[arguments.length - 1];
panel.content.scrollToItem(arguments[0], 'start').then(() => setTimeout(() => done(true), 150));
"""
MARKDOWN = """
const panel = window.jupyterapp.shell.currentWidget;
const cell = panel.content.widgets[arguments[0]];
const node = cell.node.querySelector('.jp-RenderedMarkdown');
if (!node) { return null; }
const copy = node.cloneNode(true);
const formulas = copy.querySelectorAll('mjx-container').length;
const wrong = copy.querySelectorAll('mjx-merror, [data-mjx-error]').length;
copy.querySelectorAll('code, pre, mjx-container').forEach(n => n.remove());
return {formulas, wrong, text: copy.textContent};
"""


def wait(what: str, seconds: float, answer: Callable[[], Any]) -> Any:
    """Ask until the answer is true; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """JupyterLab on a copy of the lessons, with settings and folders of its own: address, token."""
    root = tmp_path_factory.mktemp("lab")
    copied(root)
    own = {name: str(root / ".own" / name) for name in ("config", "data", "runtime", "ipython")}
    page_config = Path(own["config"]) / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    page_config.write_text(json.dumps(quiet))
    port, token = free_port(), secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"),
        "--LabApp.expose_app_in_browser=True",
    ]
    places = {
        "JUPYTER_CONFIG_DIR": own["config"],
        "JUPYTER_DATA_DIR": own["data"],
        "JUPYTER_RUNTIME_DIR": own["runtime"],
        "JUPYTERLAB_SETTINGS_DIR": str(root / ".own" / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / ".own" / "workspaces"),
        "IPYTHONDIR": own["ipython"],
    }
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (root / "server.log").read_text()
        try:
            with urlopen(f"{address}/api?token={token}", timeout=5) as reply:
                return bool(reply.status == 200)
        except (URLError, TimeoutError):
            return False

    with (root / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, env=os.environ | places, stdout=log, stderr=log
        )
        try:
            wait("JupyterLab to answer", 60, answers)
            yield address, token
        finally:
            process.send_signal(signal.SIGTERM)  # it shuts its kernels down
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    browser = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    browser.set_script_timeout(60)
    try:
        yield browser
    finally:
        browser.quit()


def open_notebook(driver: Any, server: tuple[str, str], lesson: str) -> None:
    address, token = server
    driver.get(f"{address}/lab/tree/lessons/{lesson}.ipynb?token={token}&reset")
    wait(f"{lesson} to open with its kernel", 90, lambda: driver.execute_script(READY))


def choose(driver: Any, menu: str, command: str) -> None:
    """Click an entry of the menu bar, as a reader does."""
    from selenium.webdriver.common.by import By

    bar = driver.find_elements(By.CSS_SELECTOR, ".lm-MenuBar-item")
    next(item for item in bar if item.text == menu).click()
    entry = f'.lm-Menu-item[data-command="{command}"]'
    wait(f"the menu {menu}", 10, lambda: driver.find_elements(By.CSS_SELECTOR, entry))[0].click()


def expect_no_errors(cells: list[dict[str, Any]]) -> None:
    parts = [out for cell in cells for out in cell["outputs"]]
    assert not [out["evalue"] for out in parts if out["output_type"] == "error"]
    assert not [out["text"] for out in parts if out.get("name") == "stderr"]


def run_all(driver: Any) -> list[dict[str, Any]]:
    """Run All Cells through the menu; the code cells once each has a number."""
    choose(driver, "Run", "runmenu:run-all")

    def numbered() -> list[dict[str, Any]]:
        cells = driver.execute_script(CODE_CELLS)
        expect_no_errors(cells)
        return cells if all(cell["count"] for cell in cells) else []

    cells = wait("each code cell to have a number", 180, numbered)
    wait("the kernel to be idle", 60, lambda: driver.execute_script(READY))
    assert cells
    return driver.execute_script(CODE_CELLS)


def expect_mathematics(driver: Any, lesson: str) -> None:
    """Every formula is drawn: none is an error, and no dollar sign is left in the text."""
    formulas = 0
    for at, cell in enumerate(BOOKS[lesson].cells):
        if cell.cell_type != "markdown":
            continue
        driver.execute_async_script(SHOW, at)
        dollars = cell.source.count("$") > 0

        def drawn(at: int = at, dollars: bool = dollars) -> Any:
            found = driver.execute_script(MARKDOWN, at)
            return found if found and (found["formulas"] or not dollars) else None

        found = wait(f"cell {at} of {lesson} to be drawn", 20, drawn)
        assert not found["wrong"], f"cell {at} has a formula that cannot be drawn"
        assert "$" not in found["text"], f"cell {at}: {found['text']}"
        assert "\\" not in found["text"], f"cell {at}: {found['text']}"
        formulas += found["formulas"]
    assert lesson == "index" or formulas > 20


def screenshots(driver: Any, lesson: str, folder: Path) -> list[Path]:
    """The screen at the first cell; at every cell where somebody wants to look at them."""
    folder = Path(SHOTS) if SHOTS else folder
    folder.mkdir(parents=True, exist_ok=True)
    shots = []
    for at in range(len(BOOKS[lesson].cells) if SHOTS else 1):
        driver.execute_async_script(SHOW, at)
        shots.append(folder / f"{lesson[:2]}_{at:02d}.png")
        assert driver.save_screenshot(str(shots[-1]))
    return shots


@pytest.mark.parametrize("lesson", NUMBERED)
def test_lesson_in_jupyterlab(
    lesson: str, server: tuple[str, str], driver: Any, tmp_path: Path
) -> None:
    open_notebook(driver, server, lesson)
    cells = run_all(driver)
    expected = [c.source for c in BOOKS[lesson].cells if c.cell_type == "code"]
    assert [cell["source"] for cell in cells] == expected
    expect_no_errors(cells)
    expect_mathematics(driver, lesson)
    for shot in screenshots(driver, lesson, tmp_path):
        assert shot.stat().st_size > 10_000


@pytest.mark.parametrize("lesson", WITH_SLIDER)
def test_slider_changes_its_picture(lesson: str, server: tuple[str, str], driver: Any) -> None:
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    open_notebook(driver, server, lesson)
    run_all(driver)
    at = next(i for i, c in enumerate(BOOKS[lesson].cells) if "ipywidgets.interact" in c.source)
    driver.execute_async_script(SHOW, at)

    def source() -> str | None:  # in one script, as the page may redraw between two questions
        return driver.execute_script(
            "const image = document.querySelector('.widget-interact .jp-OutputArea img');"
            "return image && image.src;"
        )

    def move() -> bool:
        handle = driver.find_element(By.CSS_SELECTOR, ".widget-slider .noUi-handle")
        try:
            handle.send_keys(Keys.ARROW_LEFT)
        except StaleElementReferenceException:
            return False
        return True

    before = wait("the picture of the slider", 30, source)
    wait("the slider to move", 30, move)
    wait("another picture", 30, lambda: source() not in (None, before))


@pytest.mark.parametrize(
    ("link", "title"),
    [("04_sigmoid_gate.ipynb", "04_sigmoid_gate.ipynb"), ("hand/__init__.py", "__init__.py")],
    ids=["lesson", "source"],
)
def test_index_leads_to_lessons_and_sources(
    link: str, title: str, server: tuple[str, str], driver: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By

    open_notebook(driver, server, "index")
    expect_mathematics(driver, "index")
    screenshots(driver, "index", tmp_path)
    driver.find_element(By.CSS_SELECTOR, f'.jp-RenderedMarkdown a[href*="{link}"]').click()
    shown = "return window.jupyterapp.shell.currentWidget.title.label"
    wait(f"{title} to open from the index", 30, lambda: driver.execute_script(shown) == title)
