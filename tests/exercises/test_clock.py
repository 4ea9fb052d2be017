"""A call that does not end is ended, and what was set before is set again."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from armlab.exercises.clock import TooLong, within
from armlab.exercises.grade import grade

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signal here")
SHORT = 0.05  # seconds


def loop(**given: Any) -> None:
    while True:
        pass


def loop_that_catches(**given: Any) -> None:
    while True:
        with contextlib.suppress(BaseException):
            sum(range(1000))


def loop_with_except(**given: Any) -> None:
    while True:
        try:
            sum(range(1000))
        except:  # noqa: E722
            continue


def loop_inside(**given: Any) -> None:
    def deeper() -> None:
        with contextlib.suppress(Exception):
            while True:
                time.sleep(0.001)

    deeper()


def wait(**given: Any) -> None:
    time.sleep(1000)


NEVER = [loop, loop_that_catches, loop_with_except, loop_inside, wait]


@pytest.mark.parametrize("call", NEVER)
def test_a_call_that_does_not_end_is_ended(call: Callable[..., Any]) -> None:
    tracing, handler = sys.gettrace(), signal.getsignal(signal.SIGALRM)
    with pytest.raises(TooLong):
        within(SHORT, call)
    assert sys.gettrace() is tracing
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    time.sleep(2 * SHORT)  # nothing rings any more


def test_what_a_call_returns_and_raises_goes_through() -> None:
    assert within(SHORT, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(SHORT, lambda: 1 / 0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_alarm_that_was_set_before_still_rings() -> None:
    rung: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        assert within(SHORT, lambda: 3) == 3
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
        time.sleep(0.5)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.parametrize("name", ["relu_backward", "iou", "arm_forward"])
@pytest.mark.parametrize(("answer", "line"), [(loop, ""), (loop_inside, ""), (wait, "1000)")])
def test_grading_ends_where_an_answer_does_not(
    name: str, answer: Callable[..., Any], line: str
) -> None:
    began = time.process_time()
    outcome = grade(name, answer)
    assert time.process_time() - began < 12
    assert not outcome.passed
    first = outcome.text.partition("\n")[0]
    assert f"{name}: it does not end on this example: it was at `" in first
    assert line in first
    assert "the smallest counterexample found:" in outcome.text


def test_an_answer_that_does_not_end_on_some_examples_is_shown_a_small_one() -> None:
    def answer(dy: Any, x: Any) -> Any:
        while x.shape[1] > 1:
            pass
        return dy * (x > 0)

    outcome = grade("relu_backward", answer)
    assert "it does not end on this example: it was at `" in outcome.text
    assert outcome.text.count("\n") == 3  # its line, dy and x
