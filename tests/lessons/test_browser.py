"""The lessons in a real JupyterLab, driven through headless Chromium (marker browser)."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from chromium import BROWSER, chromium, wait
from lesson_tools import BOOKS, TAUGHT, copied

pytestmark = BROWSER
SHOTS = os.environ.get("ARMLAB_SCREENSHOTS")  # a folder to keep the screenshots in, to look at
SECONDS = 240  # for any one thing to happen, on a slow machine that others use too

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
const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
panel.content.scrollToItem(arguments[0], 'start').then(drawn);
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
            wait("JupyterLab to answer", SECONDS, answers)
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
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def open_notebook(driver: Any, server: tuple[str, str], lesson: str) -> None:
    address, token = server
    driver.get(f"{address}/lab/tree/lessons/{lesson}.ipynb?token={token}&reset")
    wait(f"{lesson} to open with its kernel", SECONDS, lambda: driver.execute_script(READY))


def choose(driver: Any, menu: str, command: str) -> None:
    """Click an entry of the menu bar, as a reader does."""
    from selenium.webdriver.common.by import By

    bar = driver.find_elements(By.CSS_SELECTOR, ".lm-MenuBar-item")
    next(item for item in bar if item.text == menu).click()
    entry = f'.lm-Menu-item[data-command="{command}"]'
    wait(f"the menu {menu}", SECONDS, lambda: driver.find_elements(By.CSS_SELECTOR, entry))[
        0
    ].click()


def expect_no_errors(cells: list[dict[str, Any]]) -> None:
    parts = [out for cell in cells for out in cell["outputs"]]
    assert not [out["evalue"] for out in parts if out["output_type"] == "error"]
    assert not [out["text"] for out in parts if out.get("name") == "stderr"]


def run_all(driver: Any) -> list[dict[str, Any]]:
    """Run All Cells through the menu; the code cells once each has a number.

    Each cell has its own time, so a slow machine is waited for and a stuck one is not.
    """
    choose(driver, "Run", "runmenu:run-all")

    def has_run(at: int) -> bool:
        cells = driver.execute_script(CODE_CELLS)
        expect_no_errors(cells)
        return bool(cells[at]["count"])

    for at in range(len(driver.execute_script(CODE_CELLS))):
        wait(f"code cell {at} to have a number", SECONDS, lambda at=at: has_run(at))
    wait("the kernel to be idle", SECONDS, lambda: driver.execute_script(READY))
    cells = driver.execute_script(CODE_CELLS)
    assert cells
    return cells


def expect_mathematics(driver: Any, lesson: str) -> None:
    """Every formula is drawn: none is an error, and no dollar sign is left in the text."""
    formulas, written = 0, 0
    for at, cell in enumerate(BOOKS[lesson].cells):
        if cell.cell_type != "markdown":
            continue
        driver.execute_async_script(SHOW, at)
        dollars = cell.source.count("$") > 0

        def drawn(at: int = at, dollars: bool = dollars) -> Any:
            found = driver.execute_script(MARKDOWN, at)
            return found if found and (found["formulas"] or not dollars) else None

        found = wait(f"cell {at} of {lesson} to be drawn", SECONDS, drawn)
        assert not found["wrong"], f"cell {at} has a formula that cannot be drawn"
        assert "$" not in found["text"], f"cell {at}: {found['text']}"
        assert "\\" not in found["text"], f"cell {at}: {found['text']}"
        formulas += found["formulas"]
        written += cell.source.count("$$") // 2  # the displayed ones, and lines count beside them
    assert formulas >= written
    assert lesson == "index" or formulas


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


def expect_moving_slider(driver: Any, lesson: str) -> None:
    """One step of the slider, by the keyboard, draws another picture."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    at = next(i for i, c in enumerate(BOOKS[lesson].cells) if "ipywidgets.interact" in c.source)
    driver.execute_async_script(SHOW, at)

    def picture() -> str | None:  # in one script, as the page may redraw between two questions
        return driver.execute_script(
            "const image = document.querySelector('.widget-interact .jp-OutputArea img');"
            "return image && image.src;"
        )

    def move() -> bool:
        handle = driver.find_element(By.CSS_SELECTOR, ".widget-interact .noUi-handle")
        try:
            now, least = (handle.get_attribute(f"aria-value{which}") for which in ("now", "min"))
            handle.send_keys(Keys.ARROW_RIGHT if now == least else Keys.ARROW_LEFT)
        except StaleElementReferenceException:
            return False
        return True

    before = wait("the picture of the slider", SECONDS, picture)
    wait("the slider to move", SECONDS, move)
    wait("another picture", SECONDS, lambda: picture() not in (None, before))


@pytest.mark.parametrize("lesson", TAUGHT)
def test_lesson_in_jupyterlab(
    lesson: str, server: tuple[str, str], driver: Any, tmp_path: Path
) -> None:
    open_notebook(driver, server, lesson)
    cells = run_all(driver)
    expected = [c.source for c in BOOKS[lesson].cells if c.cell_type == "code"]
    assert [cell["source"] for cell in cells] == expected
    expect_mathematics(driver, lesson)
    for shot in screenshots(driver, lesson, tmp_path):
        assert shot.stat().st_size > 10_000
    if any("ipywidgets.interact" in source for source in expected):
        expect_moving_slider(driver, lesson)
    expect_no_errors(driver.execute_script(CODE_CELLS))


@pytest.mark.parametrize(
    ("link", "title"),
    [("04a_sigmoid_gate.ipynb", "04a_sigmoid_gate.ipynb"), ("hand/__init__.py", "__init__.py")],
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
    wait(f"{title} to open from the index", SECONDS, lambda: driver.execute_script(shown) == title)
