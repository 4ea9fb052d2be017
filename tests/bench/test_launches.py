"""`armlab launches`: what is counted is what runs, on both sides, and its page says the same."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from armlab import cli, emulator, hand
from armlab.bench import count_launches, hand_parts, launches, operators, yardstick
from armlab.bench.kernel_names import in_words
from armlab.bench.operators import Operators, is_view
from armlab.hand import kernels
from armlab.places import place
from armlab.training.hand_learner import HandLearner

PAGE = Path(launches.__file__).with_name("launches.md")
on_the_device = pytest.mark.emulated

# -- the operators of PyTorch --------------------------------------------------------------------


def drawn(*shape):
    return torch.tensor(np.random.default_rng(3).standard_normal(shape), dtype=torch.float32)


def arithmetic():
    return 2 * drawn_x + 1


def views():
    x = drawn_x
    turned = x.mT, x[1], x.expand(4, 2, 3, 5), x.unsqueeze(0)
    return turned, x.view(6, 5), x.detach(), x.reshape(-1)


def copies_behind_a_view():
    return drawn_x.transpose(0, 2).contiguous(), drawn_x.transpose(0, 2).reshape(-1)


def an_unsafe_view():
    return drawn_x @ drawn_x[0].T  # one product of 6 rows, whose result is given three axes


def allocations():
    x = drawn_x
    return torch.empty(3), torch.empty_like(x), x.new_empty(2), torch.empty_strided((2, 3), (3, 1))


def fills():
    return torch.zeros(3), torch.zeros_like(drawn_x), torch.full((2,), 7.0), drawn_x.new_ones(4)


def reading():
    return drawn_x.sum().item()


def in_place():
    x = drawn_x.clone()
    x.relu_()
    x.mul_(2)
    x.transpose_(0, 1)  # turns the strides alone
    return x


def a_mark_of_the_profiler():
    with torch.profiler.record_function("here"):
        return drawn_x + drawn_x


def batch_norm():
    return F.batch_norm(drawn_x, torch.zeros(3), torch.ones(3), training=True)


def backward():
    x = drawn_x.clone().requires_grad_()
    return torch.autograd.grad((x * drawn_y).sum(), x)  # clone, *, sum; ones, expand, *


def optimiser(make):
    """The second step of one with three parameters, which all have a gradient."""
    parameters = [torch.nn.Parameter(drawn(n, 2)) for n in (1, 3, 4)]
    for p in parameters:
        p.grad = drawn(*p.shape)
    made = make(parameters, lr=0.1, foreach=True)
    made.step()
    return made.step


drawn_x, drawn_y = drawn(2, 3, 5), drawn(2, 3, 5)
sgd = optimiser(lambda p, **more: torch.optim.SGD(p, momentum=0.9, **more))
adam = optimiser(torch.optim.Adam)

PROGRAMS = {
    arithmetic: {"mul": 1, "add": 1},
    views: {},
    copies_behind_a_view: {"clone": 2},
    an_unsafe_view: {"mm": 1},
    allocations: {},
    fills: {"zeros": 1, "zeros_like": 1, "full": 1, "new_ones": 1},
    reading: {"sum": 1},
    in_place: {"clone": 1, "relu_": 1, "mul_": 1},
    a_mark_of_the_profiler: {"add": 1},
    batch_norm: {"zeros": 1, "ones": 1, "native_batch_norm": 1},
    backward: {"clone": 1, "mul": 2, "sum": 1, "ones_like": 1},
    sgd: {"_foreach_mul_": 1, "_foreach_add_": 2},
    adam: {
        **{"_foreach_lerp_": 1, "_foreach_mul_": 1, "_foreach_addcmul_": 1, "_foreach_sqrt": 1},
        **{"_foreach_div_": 1, "_foreach_add_": 1, "_foreach_addcdiv_": 1},
    },
}
NAMES = {sgd: "sgd", adam: "adam"} | {p: p.__name__ for p in PROGRAMS if p not in (sgd, adam)}


def counted(program):
    with Operators() as found:
        program()
    bare = Counter()
    for name, calls in found.calls.items():
        bare[name.split(".")[1]] += calls
    assert found.total == bare.total()
    return dict(bare)


def wrong():
    """The programs that are counted otherwise than known."""
    return {NAMES[program] for program, known in PROGRAMS.items() if counted(program) != known}


def test_operators_of_known_programs_are_counted():
    assert wrong() == set()
    assert sum(map(len, PROGRAMS.values())) > 20


def counts_each_tensor(self, operator, types, args=(), kwargs=None):
    result = operator(*args, **(kwargs or {}))
    tensors = operators._tensors((args, kwargs))
    if operators.launches(operator, tensors, operators._tensors(result)):
        foreach = operators._name(operator).startswith("_foreach_")
        self.calls[str(operator)] += len(args[0]) if foreach else 1
    return result


def of_what_has_tensors(given, made):
    """Knows views, but takes a call without any tensor for work."""
    return is_view(given, made) if given or made else False


no, yes = (lambda *given: False), (lambda *given: True)
WRONG = {  # what is counted otherwise, where, and the programs that show it
    "views": ("is_view", no, {"views", "an_unsafe_view", "reading", "backward"}),
    "allocations": ("is_allocation", no, {"allocations"}),
    "counts of steps": ("counts_steps", no, {"adam"}),
    "turned strides": ("changes_shape_alone", no, {"in_place"}),
    "not what is in place": ("changes_shape_alone", yes, {"in_place", "sgd", "adam"}),
    "not fills": ("ALLOCATIONS", ("empty", "new_", "zeros", "full", "ones"), {"fills", "backward"}),
    "marks of the profiler": (
        "is_view",
        lambda given, made: bool(given),
        {"a_mark_of_the_profiler"},
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_count_is_caught(fault, monkeypatch):
    name, other, shown_by = WRONG[fault]
    monkeypatch.setattr(operators, name, other)
    assert wrong() >= shown_by


def test_a_count_of_each_tensor_is_caught(monkeypatch):
    monkeypatch.setattr(Operators, "__torch_dispatch__", counts_each_tensor)
    assert wrong() == {"sgd", "adam"}


# -- the parts and their names -------------------------------------------------------------------


def test_only_the_second_run_is_counted_and_each_part_alone():
    running, seen = [], []

    @contextmanager
    def counting():
        found = []
        running.append(found)
        yield found
        running.remove(found)

    def parts():
        for name in ("forward", "backward"):
            seen.append(name)
            for found in running:
                found.append(name)
            yield name

    assert count_launches.counted(parts, counting) == {
        "forward": ["forward"],
        "backward": ["backward"],
    }
    assert seen == ["forward", "backward"] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cupy_copy__float32_float32", "copy float32 → float32"),
        ("cupy_multiply__float_float32_float32", "multiply number, float32 → float32"),
        ("cupy_bitwise_and__bool_bool_bool", "bitwise and bool, bool → bool"),
        ("cupy_where__bool_float64_int_float64", "where bool, float64, number → float64"),
        ("cupy_sum", "sum"),
        ("cupy_var_core_float32", "var core float32"),
        ("cupy_mat_ptrs", "pointers to the matrices of a broadcast product"),
        ("scale_and_shift__float", "scale_and_shift__float"),  # hand-written: as it is
    ],
)
def test_names_of_kernels_in_words(name, words):
    assert in_words(name) == words


# -- what is launched by hand --------------------------------------------------------------------


def calls(counts):
    return {name: (c.kind, c.calls, c.size) for name, c in counts.items()}


def joined(*parts):
    """The calls of several blocks together, by name."""
    found = {}
    for counts in parts:
        for name, (kind, n, size) in calls(counts).items():
            _, before, of_before = found.get(name, (kind, 0, 0))
            found[name] = kind, before + n, of_before + size
    return found


@on_the_device
def test_parts_of_a_module_are_what_it_launches():
    module = hand.AttentionRefinementModule(6, 4, rng=0)
    given, shape = {"in_channels": 6, "out_channels": 4}, (2, 6, 5, 7)
    found = count_launches.of_module(module, given, [shape])
    here = place("emulated")
    rng = np.random.default_rng(8)
    x, dy = (here.asarray(rng.standard_normal((2, c, 5, 7)), "float32") for c in (6, 4))
    with emulator.counting() as whole:
        _, back = module(x)
        back(dy)
    assert list(found.parts) == list(found.operators) == ["forward", "backward"]
    assert joined(*found.parts.values()) == calls(found.by_name) == calls(whole)
    assert launches.calls(whole, "kernel") > 10
    assert launches.calls(whole, "product") == 6
    forward = count_launches.of_module(module, given, [shape], backward=False)
    assert list(forward.parts) == ["forward"]
    assert calls(forward.parts["forward"]) == calls(found.parts["forward"])


@on_the_device
@pytest.mark.parametrize("name", ["adam", "sgd"])
@pytest.mark.parametrize("kind", ["ToyNet", "ToyBiSeNet"])
def test_parts_of_a_step_are_the_update_of_the_learner(kind, name):
    net = getattr(hand, kind)(attention="arm", rng=0)
    found = count_launches.of_step(net, {"attention": "arm"}, (2, 3, 18, 22), name)
    images, labels = hand_parts.drawn_batch(net, (2, 3, 18, 22))
    learner = HandLearner(net, hand_parts.OPTIMISERS[name]())
    learner.update(images, labels, 1e-3)
    with emulator.counting() as update:
        learner.update(images, labels, 1e-3)
    with emulator.counting() as step:
        learner.step(images, labels, 1e-3)
    assert list(found.parts) == ["forward", "loss", "backward", "optimiser"]
    assert joined(*found.parts.values()) == calls(update)
    assert joined(*found.parts.values(), found.read) == calls(step)
    assert launches.calls(update, "wait") == 0
    assert launches.calls(found.read, "wait") == 1  # the one line that waits
    assert launches.calls(update, *launches.QUEUED) == found.launched > 60


@on_the_device
def test_one_kernel_more_is_counted_as_one(monkeypatch):
    def found():
        return count_launches.of_module(hand.SimAM(), {}, [(2, 3, 5, 7)])

    before, forward = found(), hand.SimAM.forward
    monkeypatch.setattr(hand.SimAM, "forward", lambda self, x: forward(self, -x))
    after = found()
    more = {
        part: joined(counts).items() - joined(before.parts[part]).items()
        for part, counts in after.parts.items()
    }
    name = "cupy_negative__float32_float32"
    before_it = before.parts["forward"].get(name)
    n, size = (before_it.calls, before_it.size) if before_it else (0, 0)
    assert more == {
        "forward": {(name, ("kernel", n + 1, size + 256))},  # two blocks cover 210 elements
        "backward": set(),
    }
    assert after.launched == before.launched + 1
    assert after.operators == before.operators  # the twin is as it was


@on_the_device
def test_a_step_of_what_is_not_trained_is_refused():
    with pytest.raises(ValueError, match=r"expected a network of ToyNet, .* got SimAM: ask"):
        count_launches.of_step(hand.SimAM(), {}, (2, 3, 5, 7))


# -- the page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before():
    """What the plain array code launches."""
    with kernels.specification():
        return yardstick.counted()


@pytest.fixture(scope="module")
def every():
    return yardstick.counted()


def without_seconds(found):
    return [
        ({part: calls(c) for part, c in f.parts.items()}, f.operators, calls(f.read)) for f in found
    ]


@on_the_device
def test_counts_are_the_same_twice(every):
    assert without_seconds(yardstick.counted()) == without_seconds(every)


@on_the_device
def test_the_page_says_what_is_counted(every, before):
    text = PAGE.read_text(encoding="utf-8")
    assert yardstick.as_markdown(every) in text, "paste what armlab launches --all prints"
    assert yardstick.as_markdown(before) in text, "and that with ARMLAB_KERNELS=reference"


@on_the_device
def test_the_rows_add_up(every, before):
    rows = re.findall(r"^\| (?!what|--)(.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    totals = [row.split(" | ") for row in rows if len(row.split(" | ")) == 11]
    assert len(totals) == 2 * len(yardstick.ROWS) == 14
    for row, found in zip(totals, every + before, strict=True):
        kernels, tables, products, copies, fills, waits, launched, of_torch = (
            int(n.replace(",", "")) for n in row[2:10]
        )
        assert kernels + products + copies + fills == launched == found.launched
        assert (tables > 0) == (found in before)
        assert waits == 0
        assert of_torch == sum(sum(o.values()) for o in found.operators.values())
        assert row[10] == f"{launched / of_torch:.1f}"


@on_the_device
def test_no_row_launches_more_than_pytorch_has_operators(every):
    assert all(found.ratio <= 1 for found in every if found.module != "Conv2d")


@on_the_device
def test_what_the_page_says_in_words_is_counted(every, before):
    convolution = next(found for found in before if found.module == "Conv2d")
    by_pointers = [found["cublasSgemmBatched"].calls for found in convolution.parts.values()]
    tables = [found["cupy_mat_ptrs"].calls for found in convolution.parts.values()]
    others = convolution.by_name["cublasGemmStridedBatchedEx"].calls
    assert (by_pointers, others) == ([9, 9], 9)
    assert tables == [6 * n for n in by_pointers]
    toy = next(row for row in yardstick.ROWS if row.module == "ToyNet")
    smaller = yardstick.Row(toy.module, (2, 3, 16, 16), toy.given, step=True)
    with kernels.specification():
        small = smaller.counted()
    large = next(found for found in before if found.module == "ToyNet")
    assert toy.shape[2:] == (64, 64)
    assert [{n: c.calls for n, c in found.by_name.items()} for found in (small, large)] == [
        {n: c.calls for n, c in large.by_name.items()}
    ] * 2


# -- the command ---------------------------------------------------------------------------------


def printed(capsys, *arguments):
    assert cli.main(["launches", *arguments]) == 0
    return capsys.readouterr().out


@on_the_device
def test_json_of_a_step(capsys):
    options = ["attention=arm", "channels=6", "--size", "10x14", "--step", "--json"]
    found = json.loads(printed(capsys, "ToyNet", *options))
    assert list(found) == [
        *("module", "arguments", "inputs", "dtype", "device", "optimiser", "parts", "read", "total")
    ]
    assert found["arguments"] == {"attention": "arm", "channels": 6}
    assert found["inputs"] == [[2, 3, 10, 14]]
    assert (found["device"], found["optimiser"], found["dtype"]) == ("emulated", "adam", "float32")
    kinds = {
        **{"kernels": "threads", "products": "multiply_adds", "copies": "bytes", "fills": "bytes"},
        "waits": None,
    }
    listed = Counter()
    for part in found["parts"].values():
        assert set(part) == {*kinds, "operators"}
        for kind, size in kinds.items():
            for each in part[kind]:
                assert set(each) == {"name", "calls", *([size] if size else [])}
                listed[kind] += each["calls"]
        listed["operators"] += sum(part["operators"].values())
    total = found["total"]
    for kind in (*kinds, "operators"):
        assert total[kind] == listed[kind], kind
    assert total["launches"] == sum(listed[k] for k in ("kernels", "products", "copies", "fills"))
    assert total["ratio"] == round(total["launches"] / total["operators"], 4)
    assert set(found["read"]) == set(kinds)
    assert total["pointer_tables"] == 0


@on_the_device
def test_json_of_all_is_a_list_of_the_rows(capsys):
    found = json.loads(printed(capsys, "--all", "--json"))
    assert [f["module"] for f in found] == [row.module for row in yardstick.ROWS]
    assert [f["read"] is None for f in found] == [not row.step for row in yardstick.ROWS]


@on_the_device
def test_the_table_names_each_kernel_and_the_parts(capsys):
    text = printed(capsys, "AttentionRefinementModule", "--size", "5x7", "--backward")
    module = "AttentionRefinementModule(in_channels=64, out_channels=32)"
    assert text.startswith(f"{module}, forward and backward on 2×64×5×7, float32\n")
    assert re.search(r"^  columns +\d+ +[\d,]+$", text, re.MULTILINE)
    assert re.search(r"^  add .* +\d+ +[\d,]+  cupy_add__\w+$", text, re.MULTILINE)
    assert re.search(r"^ +forward +backward +total$", text, re.MULTILINE)
    kernels = re.search(r"^kernels +(\d+) +(\d+) +(\d+)$", text, re.MULTILINE)
    forward, backward, total = map(int, kernels.groups())
    assert forward + backward == total > 0
    listed = text.partition("\n\n")[2].partition("\n\n")[0]
    names = re.findall(r"^  .*? +(\d+) +[\d,]+(?:  cupy_\w+)?$", listed, re.MULTILINE)
    assert sum(map(int, names)) == total


@on_the_device
def test_a_module_without_weights_and_one_with_two_inputs(capsys):
    found = json.loads(printed(capsys, "SimAM", "dtype=float64", "--size", "4x6", "--json"))
    assert (found["dtype"], found["inputs"]) == ("float64", [[2, 3, 4, 6]])
    assert all("float32" not in k["name"] for k in found["parts"]["forward"]["kernels"])
    options = ["channels=8", "--channels", "8,8", "--size", "4x6", "--backward", "--json"]
    found = json.loads(printed(capsys, "UAFMChannel", *options))
    assert found["inputs"] == [[2, 8, 4, 6]] * 2
    assert list(found["parts"]) == ["forward", "backward"]


REFUSED = [
    ([], "expected a module or --all, got neither: give one, such as ToyNet"),
    (["SAR", "--all"], "expected a module or --all, got SAR and --all"),
    (["--all", "--step"], "expected --all alone, got --backward, --step or --optimiser"),
    (["ToyNet", "--optimiser", "sgd"], "expected --step with --optimiser, got --optimiser sgd"),
    (["ToyNet", "--device", "cuda"], "got 'cuda': a card does not count its launches"),
]
REFUSED_ON_THE_DEVICE = [
    (["Nothing"], "no module 'Nothing': choose from AttentionRefinementModule"),
    (["SAR", "--step"], "expected a network of ToyNet, ToyBiSeNet, BiSeNet for a step, got SAR"),
    (["ToyNet", "--size", "9"], "expected --size as HEIGHTxWIDTH"),
    (["Conv2d"], "missing 1 required positional argument: 'kernel_size'"),
    (["ToyNet", "--channels", "4"], "axis 1 is 4, give it images of 3 channels"),
    (["FeatureFusionModule"], "expected --channels of sp and cp, got none"),
    (["ToyNet", "attention=arm", "--batch", "1"], "it needs a batch of at least 2"),
    (["CBAM", "--size", "900000x900000"], "needs at least 754.4 TiB of memory"),
]


@pytest.mark.parametrize(
    ("arguments", "words"),
    REFUSED + [pytest.param(*each, marks=on_the_device) for each in REFUSED_ON_THE_DEVICE],
)
def test_errors_are_one_sentence(capsys, arguments, words):
    assert cli.main(["launches", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("armlab: ")
    assert words in line


def test_without_the_emulated_device_the_command_says_why(capsys, monkeypatch):
    monkeypatch.setattr(emulator, "why_not", lambda: "the emulated device needs g++: install it")
    assert cli.main(["launches", "SimAM"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("armlab: ")
    assert line.endswith("the emulated device needs g++: install it")
