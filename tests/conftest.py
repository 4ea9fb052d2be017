"""Hypothesis profiles, the device that CuPy runs on, and how many examples were judged."""

import os
import re
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

# Before NumPy and torch load: on small arrays their waiting threads only starve each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings

COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **COMMON)
# A mutant is to be noticed; to find its smallest counterexample takes a hundred times as long.
settings.register_profile(
    "mutation",
    max_examples=100,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    **COMMON,
)
settings.register_profile("dev", max_examples=50, **COMMON)
settings.register_profile("thorough", max_examples=5000, **COMMON)
settings.register_profile("gpu", max_examples=300, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests, and the processes they start, leave the user's cache alone.

    The emulator's is used as it is: what is compiled once serves all runs.
    """
    from armlab.data.cache import cache_folder

    os.environ.setdefault("ARMLAB_EMULATOR_CACHE", str(cache_folder() / "emulator"))
    os.environ["ARMLAB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


# -- the device of this run: a GPU where CuPy finds one, else the emulated one, else none ------

DEVICE = pytest.StashKey[str]()  # "cuda", "emulated", or "" where CuPy has no device here


def device_of_this_run(forced: str | None) -> tuple[str, str]:
    """The name of CuPy's device in this process, "" where there is none, and then why."""
    from armlab import emulator
    from armlab.exercises.cuda import card_answers

    if forced == "cuda" or (not forced and card_answers()):
        return "cuda", ""
    if why := emulator.why_not():
        return "", why
    emulator.install_on_import()
    return "emulated", ""


def why_no_gpu(device: str) -> str:
    """The reason why tests marked gpu cannot run here; empty where they can."""
    if device != "cuda":
        return "needs a GPU, and this run has none"
    from armlab.places import place

    try:
        place("cuda")
        import torch
    except (RuntimeError, ImportError) as error:
        return str(error)
    return "" if torch.cuda.is_available() else "torch finds no CUDA device"


def mark_for_the_device(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked cupy are marked with their device as well; skipped is what has none here."""
    on_cupy, on_gpu, on_emulator = (
        [item for item in items if item.get_closest_marker(name)]
        for name in ("cupy", "gpu", "emulated")
    )
    if not on_cupy + on_gpu + on_emulator:
        return
    forced = config.getoption("--device")
    device, why = device_of_this_run(forced)
    config.stash[DEVICE] = device
    no_gpu = why_no_gpu(device) if on_gpu or device == "cuda" else ""
    if forced and (why or (device == "cuda" and no_gpu)):
        raise pytest.UsageError(f"--device {forced}: {why or no_gpu}")
    for item in on_cupy:
        item.add_marker("gpu" if device == "cuda" else "emulated")
    skip(on_cupy, why)
    skip(on_gpu, no_gpu)
    skip(on_emulator, "this run is on a GPU: give --device emulated" if device == "cuda" else why)


def skip(items: list[pytest.Item], reason: str) -> None:
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def small_and_without_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs in an empty folder, on two test scenes, that draw nothing: for what else a run does."""
    from armlab import plots
    from armlab.data import generated

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generated, "TEST_SCENES", 2)
    for name in ("curves", "confusion", "gates", "attention"):
        monkeypatch.setattr(plots, name, lambda *arguments: None)


@pytest.fixture(scope="session")
def cupy_device(pytestconfig: pytest.Config) -> str:
    """The name of CuPy's device, for a test marked cupy: "cuda" or "emulated"."""
    return pytestconfig.stash[DEVICE]


@pytest.fixture(scope="session")
def cupy_place(cupy_device: str) -> Any:
    """CuPy on that device."""
    from armlab.places import place

    return place(cupy_device)


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "only the tests of this function or module of armlab.hand; may be given again"
    parser.addoption("--module", metavar="NAME", action="append", default=[], help=words)
    words = (
        "what CuPy runs on: a GPU, or a CUDA device in software; by default a GPU if there is one"
    )
    parser.addoption("--device", choices=["cuda", "emulated"], help=words)


def is_about(item: pytest.Item, names: list[str]) -> bool:
    """Whether the parameters in a test's name have one of these: SAR is not ListedSAR."""
    _, _, parameters = item.name.partition("[")
    return not set(names).isdisjoint(re.findall(r"\w+", parameters))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if names := config.getoption("--module"):
        others = [item for item in items if not is_about(item, names)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if is_about(item, names)]
        if not items:
            raise pytest.UsageError(f"no test is about {names[0]!r}: give a name of armlab.hand")
    mark_for_the_device(config, items)


judged: Counter[str] = Counter()  # examples held to float64, here and, once they end, in workers


def pytest_sessionstart() -> None:
    from armlab.check import agreement

    judge = agreement.judge

    def counted(*args: Any, **kwargs: Any) -> Any:
        where = args[3] if len(args) > 3 else kwargs.get("place")
        judged["all"] += 1
        judged["on CuPy"] += where is not None and "cupy" in where.xp.__name__
        return judge(*args, **kwargs)

    agreement.judge = counted


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # of pytest-xdist
        session.config.workeroutput["judged"] = dict(judged)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    judged.update(getattr(node, "workeroutput", {}).get("judged", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    more = f", {judged['on CuPy']:,} of them on CuPy" if judged["on CuPy"] else ""
    terminalreporter.write_line(f"{judged['all']:,} examples judged against float64{more}")


@pytest.fixture
def strict_cuda_precision() -> Any:
    """float32 on the GPU means float32: TF32 off and asserted off, deterministic kernels."""
    import torch

    before = torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    assert "CUPY_TF32" not in os.environ, "unset CUPY_TF32: it makes float32 products inexact"
    yield
    torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision = before


@pytest.fixture(params=["kernels", "specification"])
def fast_and_plain(request: pytest.FixtureRequest) -> Any:
    """The test runs twice: with the kernels of NumPy, and with none."""
    from armlab.hand import kernels

    with kernels.specification() if request.param == "specification" else nullcontext():
        yield
