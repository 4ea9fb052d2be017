"""How an answer is run: what it raises, prints and warns of, and what it leaves behind."""

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from armlab import hand
from armlab.exercises.grade import grade


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class OfItsOwn(BaseException):
    pass


def raising(error: BaseException) -> Callable[..., Any]:
    def answer(**given: Any) -> NoReturn:
        raise error  # this is the line

    return answer


@pytest.mark.parametrize("name", ["relu_backward", "sigmoid_gate_backward", "iou", "clip_gradient"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("shapes differ"), "it raised ValueError: shapes differ, at `raise error"),
        (SystemExit(1), "it called exit(), which ends Python, at `raise error"),
        (GeneratorExit(), "it raised GeneratorExit, at `raise error"),
        (OfItsOwn("!"), "it raised OfItsOwn: !, at `raise error"),
        (Unspeakable(), "it raised Unspeakable, at `raise error # this is the line`"),
        (ValueError("x" * 5000), "xxx…, at `raise error"),
        (ValueError("a\n\n  b"), "it raised ValueError: a b, at"),
        (MemoryError(), "it raised MemoryError, at"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_an_answer_raises_is_told(name: str, error: BaseException, words: str) -> None:
    outcome = grade(name, raising(error))
    assert not outcome.passed
    first = outcome.text.partition("\n")[0]
    assert words in first
    assert len(first) < 400
    assert "the smallest counterexample found:" in outcome.text


def test_exit_of_a_notebook_is_told_and_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    autocall = pytest.importorskip("IPython.core.autocall")
    asked: list[str] = []
    shell = type("Shell", (), {"ask_exit": lambda self: asked.append("exit")})
    leave = autocall.ExitAutocall(shell())
    monkeypatch.setitem(globals(), "exit", leave)

    def answer(dy: Any, x: Any) -> Any:
        exit()
        return dy * (x > 0)

    assert "it called exit()" in grade("relu_backward", answer).text
    assert not asked
    assert globals()["exit"] is leave


def test_an_answer_that_takes_other_arguments_is_told_which_it_is_given() -> None:
    outcome = grade("relu_backward", lambda dy: dy)
    assert "TypeError" in outcome.text
    assert "it is called as relu_backward(dy, x)" in outcome.text


@pytest.mark.parametrize("nothing", [None, 3, "relu_backward"])
def test_what_is_no_function_is_told(nothing: Any) -> None:
    assert "is not callable" in grade("relu_backward", nothing).text


def test_the_interrupt_of_the_reader_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        grade("relu_backward", raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        (
            "sigmoid",
            lambda a: np.exp(a) / (1 + np.exp(a)),
            "NumPy warned: overflow encountered in exp, at `",
        ),
        (
            "relu_backward",
            lambda dy, x: dy * (x / np.abs(x)),
            "NumPy warned: invalid value encountered in divide, at `",
        ),
        (
            "iou",
            lambda counts: np.diagonal(counts) / (counts.sum(axis=1) * 0),
            "NumPy warned: divide by zero encountered in divide, at `",
        ),
        (
            "global_avg_pool",
            lambda x: (x + 1j).mean(axis=(2, 3), keepdims=True).astype(float),
            "NumPy warned: Casting complex values to real discards the imaginary part, at `",
        ),
    ],
)
def test_a_warning_of_numpy_is_told_as_one(
    name: str, answer: Callable[..., Any], words: str
) -> None:
    text = grade(name, answer).text
    assert words in text
    assert "raised" not in text


def test_a_warning_that_is_not_of_numbers_is_nobodys_mistake() -> None:
    def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        warnings.warn("this will go in the next version", DeprecationWarning, stacklevel=1)
        return dy * (x > 0)

    assert grade("relu_backward", answer).passed


def test_what_an_answer_prints_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        print("x has shape", x.shape)
        print("and this", file=sys.stderr)
        return dy * (x > 0)

    assert grade("relu_backward", answer).passed
    page = capsys.readouterr()
    assert page.out.count("x has shape") == 1
    assert (page.out + page.err).count("and this") == 1


def test_what_one_call_prints_without_end_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        for i in range(5000):
            print(i)
        return dy * (x > 0)

    assert grade("relu_backward", answer).passed
    assert len(capsys.readouterr().out) < 2100


def test_one_thread_while_grading_and_as_many_as_before_behind_it() -> None:
    before, seen = torch.get_num_threads(), set()
    torch.set_num_threads(3)

    def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        seen.add(torch.get_num_threads())
        return dy

    try:
        grade("relu_backward", answer)
        assert seen == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def counting(off: Callable[[int], float]) -> Callable[..., Any]:
    """Off by as much as `off` says of the number of its call."""
    calls = 0

    def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        return dy * (x > 0) + off(calls)

    return answer


UNSTEADY = [
    counting(lambda call: call == 2),
    counting(lambda call: call == 7),
    counting(lambda call: call in (7, 8)),
    counting(lambda call: call % 20 == 0),
    counting(lambda call: max(call - 5, 0)),
    lambda dy, x: np.random.default_rng().random(x.shape),
    lambda dy, x: dy * (x > 0) + np.random.random(),  # noqa: NPY002
]


@pytest.mark.parametrize("answer", UNSTEADY)
def test_an_answer_that_depends_on_its_calls_is_told_so(answer: Callable[..., Any]) -> None:
    outcome = grade("relu_backward", answer)
    assert not outcome.passed
    assert "it gave different results for the same arguments" in outcome.text.partition("\n")[0]
    assert not outcome.hint


def test_the_last_and_the_split_of_ties_are_seen_where_the_features_are_computed() -> None:
    def backward(share: Callable[[Any], Any]) -> Callable[..., Any]:
        def answer(dy: Any, above: Any, r: Any, below: Any) -> Any:
            dx, dm = above(dy)
            return dx + below(dm[:, :1] / r.shape[1] + share(r) * dm[:, 1:])

        return answer

    def place(at: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda r: np.arange(r.shape[1]).reshape(1, -1, 1, 1) == at(r)

    def largest(r: Any) -> Any:
        return r == r.max(axis=1, keepdims=True)

    first = place(lambda r: r.argmax(axis=1, keepdims=True))
    last = place(lambda r: r.shape[1] - 1 - r[:, ::-1].argmax(axis=1, keepdims=True))
    assert grade("listed_sar_backward", backward(first)).passed
    for share in (last, largest, lambda r: largest(r) / largest(r).sum(axis=1, keepdims=True)):
        assert not grade("listed_sar_backward", backward(share)).passed


def test_an_answer_can_be_graded_in_another_thread() -> None:
    found: list[bool] = []

    def work() -> None:
        found.append(grade("sigmoid", lambda a: hand.sigmoid(a)[0]).passed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]
