"""Hypothesis profiles, why GPU tests are skipped, and how many examples were judged."""

import os
import re
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
    """Tests, and the processes they start, leave the user's cache alone."""
    os.environ["ARMLAB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def why_no_gpu() -> str:
    """The reason why tests marked gpu cannot run here; empty where they can."""
    from armlab.arrays import place

    try:
        place("cuda")
        import torch
    except (RuntimeError, ImportError) as error:
        return str(error)
    return "" if torch.cuda.is_available() else "torch finds no CUDA device"


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "only the tests of this function or module of armlab.hand; may be given again"
    parser.addoption("--module", metavar="NAME", action="append", default=[], help=words)


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
    marked = [item for item in items if item.get_closest_marker("gpu")]
    reason = why_no_gpu() if marked else ""
    for item in marked if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


judged = 0  # examples held to float64, in this process and, once they end, in its workers


def pytest_sessionstart() -> None:
    from armlab.check import agreement

    judge = agreement.judge

    def counted(*args: Any, **kwargs: Any) -> Any:
        global judged
        judged += 1
        return judge(*args, **kwargs)

    agreement.judge = counted


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # of pytest-xdist
        session.config.workeroutput["judged"] = judged


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    global judged
    judged += getattr(node, "workeroutput", {}).get("judged", 0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"{judged:,} examples judged against float64")


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
