"""The calls whose bandwidth a card shows, and how they are timed; emulated, they have no times."""

import json
import sys

import numpy as np
import pytest
from array_api_compat import is_cupy_namespace

from armlab.bench import bandwidth, card_clock, card_steps, kernel_calls, on_cupy
from armlab.hand import kernels
from armlab.places import device_name
from armlab.report import error_rows, sanitized

pytestmark = pytest.mark.cupy
SIZE = N, C, H, W = 2, 5, 6, 7
X = 4 * N * C * H * W  # bytes


@pytest.fixture(scope="module")
def measured(cupy_place):
    if device_name(cupy_place.device) != "emulated":
        pytest.skip("counts launches, which a card does not")
    return list(bandwidth.measure(cupy_place, SIZE))


def test_every_row_of_the_table_is_called(cupy_place):
    called = [
        kernels.choose(a.function, *a.arguments) for a in kernel_calls.asked(cupy_place, SIZE)
    ]
    others = {call.function for call in kernel_calls.of_state(cupy_place, SIZE)}
    table = [k for k in kernels.TABLE if k.library.__name__ == is_cupy_namespace.__name__]
    rows = {k.run: k.function for k in (*table, *kernels.OF_TRAINING)}
    assert len(rows) > 25
    assert set(called) == {run for run, function in rows.items() if function not in others}
    assert others == {"batch_norm_and_keep", "batch_norm_as_kept", "step", "with_finite"}


FLOORS = {  # counted by hand: bytes read, bytes written
    ("copy", "forward"): (X, X),
    ("relu", "forward"): (X, X),
    ("relu", "backward"): (2 * X, X),
    ("batch_norm", "forward"): (X + 8 * C, X + 8 * C),
    ("batch_norm_and_keep", "forward"): (X + 16 * C + 8, X + 8 * C + 8),
    ("batch_norm_as_kept", "forward"): (X + 16 * C, X),
    ("batch_norm", "backward"): (2 * X + 12 * C, X + 8 * C),
    ("conv2d 3×3", "forward"): (X + 4 * 9 * C * C, X),
    ("global_avg_pool", "forward"): (X, 4 * N * C),
    ("global_avg_pool", "backward"): (4 * N * C, 4 * N * C),  # dx repeats a value
    ("channel_max", "backward"): (12 * N * H * W, X),  # dy, and an index of 8 bytes
    ("concat_channels", "backward"): (2 * X, 2 * X),
    ("cross_entropy", "forward"): (X + 8 * N * H * W, 4),
    ("joint_loss", "backward"): (2 * X + 8 * N * H * W, 2 * X),
}


@pytest.mark.parametrize(("function", "part"), FLOORS)
def test_the_floor_is_each_input_once_and_each_output_once(function, part, measured):
    on = [*SIZE]
    (row,) = [
        row
        for row in measured[1:]
        if (row["function"], row["part"], row["on"]) == (function, part, on)
    ]
    assert (row["read"], row["written"]) == FLOORS[function, part]


def test_on_the_emulated_device_launches_are_counted_and_no_time_is_given(measured):
    head, *rows = measured
    assert len(rows) > 50
    assert head == {"device": "emulated", "size": [*SIZE], "copy_gbps": None}
    assert not any("failed" in row for row in rows)
    assert all(row["launches"] >= 1 for row in rows)
    assert {row[time] for row in rows for time in ("us", "gbps", "share")} == {None}
    assert len({(r["function"], r["part"], *r["on"]) for r in rows}) == len(rows)


def test_one_that_fails_is_said_and_the_others_follow(cupy_place, monkeypatch):
    def broken(x, slope):
        raise RuntimeError("no such launch\nand more")

    choose = kernels.choose
    monkeypatch.setattr(
        kernels, "choose", lambda name, *a: broken if name == "leaky_relu" else choose(name, *a)
    )
    every = bandwidth._calls(cupy_place, SIZE)
    rows = [bandwidth._row(call, None, None) for call in every if name_of(call) in NEAR]
    failed = [row for row in rows if "failed" in row]
    assert {row["function"] for row in rows} == NEAR
    assert {row["function"] for row in failed} == {"leaky_relu"}
    assert failed[0]["failed"] == "RuntimeError: no such launch"


def test_where_state_cannot_be_made_that_is_said_after_the_others(cupy_place, monkeypatch):
    def broken(where, size):
        raise RuntimeError("no memory")

    monkeypatch.setattr(bandwidth, "of_state", broken)
    *others, last = bandwidth._calls(cupy_place, SIZE)
    assert len(others) > 50
    assert last["failed"] == "RuntimeError: no memory"


NEAR = {"relu", "leaky_relu", "hard_swish"}


def name_of(call):
    return call["function"] if isinstance(call, dict) else call.function


@pytest.mark.parametrize("program", [bandwidth, card_steps, error_rows, sanitized])
def test_on_the_cpu_there_is_nothing_to_measure(program, capsys):
    assert program.main(["--device", "cpu"]) == 1
    out, said = capsys.readouterr()
    name = program.__name__.rpartition(".")[2]
    assert (
        said == f"{name}: expected device 'cuda', 'cuda:N' or 'emulated', got 'cpu': choose one\n"
    )
    assert out == ""


@pytest.mark.parametrize(("program", "names"), [(error_rows, []), (sanitized, ["relu"])])
def test_what_judges_says_what_it_lacks(program, names, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    assert program.main(["--device", "cuda", *names]) == 1
    assert "this needs hypothesis, not installed here: install" in capsys.readouterr().err


def test_a_row_is_printed_before_the_next_is_measured(capsys):
    def rows():
        yield {"us": 1.5}
        assert json.loads(capsys.readouterr().out) == {"us": 1.5}
        yield {"failed": "so"}
        yield {"us": 2.5}

    assert on_cupy.print_rows(rows()) == 1
    assert on_cupy.print_rows([{"us": 1.5}, {"holds": True}]) == 0
    assert on_cupy.print_rows([{"holds": False}, {"holds": True}]) == 1


def test_a_clock_runs_what_it_times(cupy_place):
    """Warm-up and rounds, each between two events, behind copies; what they say is not judged."""
    clock, calls = card_clock.Clock(cupy_place, most=4096, rounds=3), []
    assert clock.seconds(lambda: calls.append(1)) >= 0
    assert len(calls) == card_clock.WARM_UP + 3
    assert clock.copy_gbps() > 0
    np.testing.assert_array_equal(clock.target.get(), np.ones(4096, "uint8"))


def test_copies_keep_the_device_busy_for_as_long_as_a_call_is_queued(cupy_place, monkeypatch):
    """And not for as long as the first call takes, which compiles."""
    now, copies = [0.0], [0]

    def call():
        now[0] += 128.0 if not now[0] else 2**-8
        before.append(copies[0])
        copies[0] = 0

    before = []
    clock = card_clock.Clock(cupy_place, most=4096, rounds=2)
    clock.copied = 2**-12
    monkeypatch.setattr(card_clock.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(clock, "_copy", lambda: copies.__setitem__(0, copies[0] + 1))
    clock.seconds(call)
    assert before == [4] * card_clock.WARM_UP + [32] * 2
    assert clock.copies(0.0) == 4
    assert clock.copies(1.0) == 64


def test_a_row_with_a_clock_has_bytes_over_seconds(cupy_place):
    class Clock:
        def seconds(self, call):
            call()
            return 1e-6

    call = next(c for a in kernel_calls.asked(cupy_place, SIZE) for c in a.parts()
                if c.function == "relu")  # fmt: skip
    row = bandwidth._row(call, Clock(), copy=10.0)
    assert row["us"] == pytest.approx(1)
    assert row["gbps"] == pytest.approx(2 * X / 1e3)
    assert row["share"] == pytest.approx(2 * X / 1e4)
    assert row["launches"] is None
