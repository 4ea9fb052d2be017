"""Costs: counted on shapes alone, and equal to what real arrays and PyTorch's counter say."""

import inspect
import json
import re
import time
import tracemalloc
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch.utils.flop_counter import FlopCounterMode

import armlab.torch as twins
from armlab import cli, hand
from armlab.check.cases import CASES, FUNCTIONS, MODULES
from armlab.check.example import by_name
from armlab.cost import ATTENTION, FEATURES, GATE, Cost, ModuleCost, rules
from armlab.cost.cost_table import HEADER, as_dict, as_text, percent, scaled
from armlab.cost.dry_run import dry_run
from armlab.watch import functions, watched

CITYSCAPES, MSRS = (1, 3, 1024, 2048), (1, 3, 480, 640)
WRITTEN_OUT = ("multiply", "concat")  # by a composite itself, so `watched` does not see it


def flops(twin, *shapes):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        twin(*(torch.zeros(shape, dtype=next(twin.parameters()).dtype) for shape in shapes))
    return counter.get_total_flops()


@cache
def report(name, shape, heads=False):
    net = getattr(hand, name)(rng=0).eval()
    net.training = heads
    return ModuleCost(net, shape)


def share(part, whole):
    return 100 * part / whole


# -- the dry run against the real one -----------------------------------------------------------


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_shape_arrays_go_the_way_of_real_arrays(name):
    """The same functions in the same modules, with the same shapes and bytes."""

    @settings(max_examples=8)
    @given(CASES[name].examples())
    def holds(e):
        module = getattr(hand, name)(**e.options).train(e.training)
        arrays = [np.zeros(a.shape, "f4") for a in e.inputs.values()]
        found = ModuleCost(module, *(a.shape for a in arrays))
        dry = dry_run(module, *(a.shape for a in arrays)).calls
        with watched(module) as real:
            y, _ = module(*arrays)
        assert found.outputs == [a.shape for a in by_name("y", y).values()]
        real = [call for call in real if not call.inside]
        dry = [
            (call, entry.cost.bytes)
            for call, entry in zip(dry, found.entries, strict=True)
            if call.name not in WRITTEN_OUT
        ]
        for (shaped, read_and_written), call in zip(dry, real, strict=True):
            assert (shaped.name, shaped.module) == (call.name, call.module)
            values = (*call.inputs.values(), *call.options.values(), *call.values.values())
            real_bytes = sum(a.nbytes for a in values if isinstance(a, np.ndarray))
            assert read_and_written == real_bytes, call.name

    holds()


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_multiply_adds_are_half_of_what_the_flop_counter_says(name):
    @settings(max_examples=8)
    @given(CASES[name].examples())
    def holds(e):
        shapes = [a.shape for a in e.inputs.values()]
        module = getattr(hand, name)(**e.options).train(e.training)
        found = ModuleCost(module, *shapes).total
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            getattr(twins, name)(**e.options).train(e.training)(*map(torch.zeros, shapes))
        assert 2 * found.multiply_adds == counter.get_total_flops()
        if e.training:  # every part runs
            assert found.parameters == sum(a.size for a in module.parameters().values())

    holds()


def test_every_function_but_a_loss_has_a_rule():
    counted = {case.name for case in FUNCTIONS if not case.loss}
    assert counted == set(rules.RULES) - set(WRITTEN_OUT)


@pytest.mark.parametrize("name", [case.name for case in FUNCTIONS if not case.loss])
def test_a_rule_has_the_shape_of_its_function(name):
    @settings(max_examples=30)
    @given(CASES[name].examples())
    def holds(e):
        value, _ = functions()[name](*e.inputs.values(), **e.options)
        found = rules.work(name, *e.inputs.values(), **e.options)
        values = value if isinstance(value, tuple) else (value,)
        assert [found.shape, *found.also] == [v.shape for v in values]

    holds()


def test_the_flop_counter_agrees_on_bisenet_at_its_real_size():
    with torch.device("meta"):
        twin = twins.BiSeNet()
        for heads in (False, True):
            twin.eval().training = heads
            counted = flops(twin, CITYSCAPES)
            assert 2 * report("BiSeNet", CITYSCAPES, heads).total.multiply_adds == counted


# -- what each function costs, by hand ----------------------------------------------------------

COUNTED = [case for case in FUNCTIONS if case.cost is not None]


@pytest.mark.parametrize("case", COUNTED, ids=lambda case: case.name)
def test_work_by_hand(case):
    inputs, options = case.calls[""](np.random.default_rng(0), (2, 6, 5, 7))
    parameters = inspect.signature(getattr(hand, case.name)).parameters.values()
    constants = {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY} | options
    found = rules.work(case.name, *inputs.values(), **constants)
    assert (found.multiply_adds, found.elementwise) == case.cost


X, Y = np.zeros((2, 6, 5, 7)), np.zeros((2, 3, 5, 7))  # 420 and 210 elements
POOLED = np.zeros((2, 6, 1, 1))
MORE_WORK = {
    "conv2d": ((X, np.zeros((4, 3, 3, 1)), np.zeros(4)), {"groups": 2, "stride": 2}, 576, 64),
    "sigmoid": ((POOLED,), {}, 0, 12),
    "max_pool2d": ((X,), {"kernel_size": (2, 3), "stride": None, "padding": 0}, 0, 12 * 2 * 2 * 6),
    "concat": ((X, Y), {"axis": 1}, 0, 0),
    "add": ((X, POOLED), {}, 0, 420),
    "multiply": ((POOLED, X), {}, 0, 420),
}


@pytest.mark.parametrize("name", MORE_WORK)
def test_work_of_other_calls_and_of_what_composites_write_out(name):
    inputs, options, multiply_adds, elementwise = MORE_WORK[name]
    found = rules.work(name, *inputs, **options)
    assert (found.multiply_adds, found.elementwise) == (multiply_adds, elementwise)


def test_an_arm_by_hand():
    arm = hand.AttentionRefinementModule(8, 4, rng=0)
    x, f, z, c = 2 * 8 * 30, 2 * 4 * 30, 2 * 4, 4  # numbers of elements: of x, of f, pooled, BN
    want = {
        (FEATURES, "3×3 convolution"): Cost(288, f * 72, 0, 4 * (x + 288 + f)),
        (FEATURES, "BN, activation"): Cost(8, 0, 2 * f, 4 * (f + 4 * c + f + f + f)),
        (ATTENTION, "pooling"): Cost(0, 0, f, 4 * (f + z)),
        (ATTENTION, "1×1 convolution"): Cost(16, z * 4, 0, 4 * (z + 16 + z)),
        (ATTENTION, "BN, activation"): Cost(8, 0, z, 4 * (z + 4 * c + z)),
        (GATE, "multiply"): Cost(0, 0, f + z, 4 * (f + z + f)),
    }
    found = ModuleCost(arm.eval(), (2, 8, 6, 5))
    assert list(found.branches("").items()) == list(want.items())
    assert found.total == sum(want.values(), Cost())
    assert found.arms == [""]
    attention = Cost(24, z * 4, f + z + f + z, 4 * (6 * z + 3 * f + 16 + 4 * c))
    assert found.without_features("") == attention

    train = ModuleCost(arm.train(), (2, 8, 6, 5))
    assert train.total.multiply_adds == found.total.multiply_adds
    assert train.total.elementwise == found.total.elementwise + 3 * (f + z)
    double = ModuleCost(hand.AttentionRefinementModule(8, 4, dtype="float64").eval(), (2, 8, 6, 5))
    assert double.total == replace(found.total, bytes=2 * found.total.bytes)


POINTWISE, SQUARE = "1×1 convolution", "3×3 convolution"
BRANCHES = {  # arguments, and where the convolutions stand
    "SAR": ((6, 3, 4), [(ATTENTION, POINTWISE), (ATTENTION, SQUARE), (FEATURES, SQUARE)]),
    "SqueezeExcitation": ((6, 2), [(ATTENTION, POINTWISE)]),
    "ECA": ((6,), [(ATTENTION, "convolution over channels")]),
    "CoordinateAttention": ((6,), [(ATTENTION, POINTWISE)]),
    "FeatureFusionModule": ((12, 4), [(FEATURES, POINTWISE), (ATTENTION, POINTWISE)]),
    "SimAM": ((), []),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_the_branch_of_a_convolution_is_where_its_result_goes(name):
    arguments, want = BRANCHES[name]
    module = getattr(hand, name)(*arguments)
    inputs = 2 if name == "FeatureFusionModule" else 1
    found = ModuleCost(module, *[(2, 6, 5, 7)] * inputs)
    convolutions = {row: c for row, c in found.branches("").items() if c.multiply_adds}
    assert list(convolutions) == want
    assert sum(found.branches("").values(), Cost()) == found.total
    if name == "SAR":
        assert convolutions[ATTENTION, "1×1 convolution"].parameters == 6 * 3
        assert convolutions[FEATURES, "3×3 convolution"].parameters == 6 * 4 * 9


def test_weights_used_twice_are_counted_once_and_read_twice():
    se, cbam = hand.SqueezeExcitation(6, 2), hand.CBAMChannel(6, 2)
    once, twice = (ModuleCost(m, (2, 6, 5, 7)) for m in (se, cbam))
    assert once.total.parameters == twice.total.parameters == 45
    for part in ("fc1", "fc2"):
        assert twice.of(part).multiply_adds == 2 * once.of(part).multiply_adds
        assert twice.of(part).bytes == 2 * once.of(part).bytes


def test_parts_add_up_and_a_path_is_no_prefix_of_a_name():
    found = report("BiSeNet", CITYSCAPES, heads=True)
    parts = found.of("cp", "sp", "ffm", "conv_out", "conv_out16", "conv_out32")
    pixels, logits = (
        1024 * 2048,
        19 * (1 + 1 + 1 / 4) * 128 * 256,
    )  # of three heads, at 1/8 and 1/16
    resizing = Cost(0, 0, 4 * 3 * 19 * pixels, 4 * int(logits + 3 * 19 * pixels))  # the net's own
    assert found.total == parts + resizing
    assert found.of("conv_out").parameters == 595_219
    assert found.of("cp.arm16", "cp.arm32") == found.of(*found.arms)
    assert found.of("cp.arm") == Cost()


# -- the figures that are known -----------------------------------------------------------------


def test_bisenet_at_1024_by_2048():
    found = report("BiSeNet", CITYSCAPES)
    whole, arms = found.total, found.of(*found.arms)
    branch = found.without_features(*found.arms)
    assert found.outputs == [(1, 19, 1024, 2048)]
    assert sorted(found.arms) == ["cp.arm16", "cp.arm32"]
    assert sorted(found.attention) == ["cp.arm16", "cp.arm32", "ffm"]
    assert (whole.parameters, arms.parameters, branch.parameters) == (13_275_539, 918_528, 33_280)
    assert f"{share(arms.parameters, whole.parameters):.1f}" == "6.9"
    assert f"{share(branch.parameters, whole.parameters):.2f}" == "0.25"
    assert f"{whole.multiply_adds / 1e9:.3f}" == "118.338"
    assert f"{arms.multiply_adds / 1e9:.3f}" == "3.624"
    assert f"{share(arms.multiply_adds, whole.multiply_adds):.2f}" == "3.06"
    assert branch.multiply_adds == 2 * 128 * 128
    assert f"{share(branch.multiply_adds, whole.multiply_adds):.5f}" == "0.00003"
    assert f"{share(branch.elementwise, whole.multiply_adds):.3f}" == "0.002"


def test_auxiliary_heads_add_150_182_parameters():
    without, with_heads = (report("BiSeNet", CITYSCAPES, heads) for heads in (False, True))
    assert with_heads.total.parameters - without.total.parameters == 150_182
    assert set(with_heads.modules) - set(without.modules) >= {"conv_out16", "conv_out32"}
    assert with_heads.outputs == without.outputs * 3
    for part in ("cp", "sp", "ffm", "conv_out"):
        assert with_heads.of(part) == without.of(part)


def test_the_article_s_three_scales_at_480_by_640():
    """The figure that is known was measured with the auxiliary head."""
    found = report("ThreeScaleBiSeNet", MSRS, heads=True)
    assert sorted(found.arms) == ["cp.arm16", "cp.arm32", "cp.arm8"]
    assert found.attention == found.arms  # cp gates as well, but it is no attention module
    whole, arms = found.total.multiply_adds, found.of(*found.arms).multiply_adds
    assert f"{whole / 1e9:.3f}" == "14.462"
    features = sum(found.of(f"{path}.conv").multiply_adds for path in found.arms)
    assert f"{share(features, whole):.2f}" == "8.56"
    assert share(arms, whole) - share(features, whole) == pytest.approx(0.0003, abs=0.0001)


# -- nothing is touched, nothing is large -------------------------------------------------------


def test_the_module_is_left_as_it_is():
    net = hand.ToyNet(attention="arm", rng=0)
    net.refine.eval()
    arrays = net.parameters() | net.buffers()
    before = net.state_dict()
    modes = [part.training for _, part in net.named_modules()]
    ModuleCost(net, (2, 3, 16, 16))
    after = net.parameters() | net.buffers()
    assert list(after) == list(arrays)
    for key, a in after.items():
        assert a is arrays[key]
        np.testing.assert_array_equal(a, before[key])
    assert [part.training for _, part in net.named_modules()] == modes
    x = np.random.default_rng(0).standard_normal((2, 3, 16, 16)).astype("f4")
    assert isinstance(net(x)[0], np.ndarray)  # and all functions are back


def test_bisenet_is_costed_without_its_activations():
    net = hand.BiSeNet(rng=0).eval()
    start = time.process_time()
    ModuleCost(net, CITYSCAPES)
    assert time.process_time() - start < 1
    tracemalloc.start()
    as_dict(ModuleCost(net, CITYSCAPES))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6  # the logits alone would be 160 MB


def test_a_function_without_a_rule_is_named(monkeypatch):
    monkeypatch.delitem(rules.RULES, "leaky_relu")
    with pytest.raises(NotImplementedError, match=r"cost of leaky_relu is not known: .*rules\.py"):
        ModuleCost(hand.AttentionRefinementModule(3, 4), (2, 3, 5, 5))


class Rooted(hand.Conv2d):
    def forward(self, x):
        return x.__array_namespace__().sqrt(x), None


def test_an_operation_that_shape_arrays_lack_is_named():
    with pytest.raises(NotImplementedError, match=r"calls xp\.sqrt itself.*shape_array\.py"):
        ModuleCost(Rooted(3, 4, 1), (2, 3, 5, 5))


def test_shapes_that_do_not_fit_are_refused_as_in_a_real_run():
    with pytest.raises(ValueError, match=r"^Conv2d expected \(N, 3, H, W\), got \(2, 4, 5, 5\)"):
        ModuleCost(hand.Conv2d(3, 4, 1), (2, 4, 5, 5))
    with pytest.raises(ValueError, match="spans 7×7"):
        ModuleCost(hand.Conv2d(3, 4, 7), (2, 3, 5, 5))


# -- the command --------------------------------------------------------------------------------

COUNTS = {"parameters", "multiply_adds", "elementwise", "bytes"}
ARM = ["AttentionRefinementModule", "in_channels=512", "out_channels=128", "--size", "32x64"]


def run(capsys, *arguments):
    assert cli.main(["cost", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def refused(capsys, *arguments):
    assert cli.main(["cost", *arguments]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("armlab: ")
    assert output.err.count("\n") == 1
    return output.err


def expect_counts(found, more=()):
    assert found.keys() == COUNTS | {*more}
    assert all(type(found[key]) is int and found[key] >= 0 for key in COUNTS)


def test_json_of_bisenet(capsys):
    found = json.loads(run(capsys, "BiSeNet", "--size", "1024x2048", "--json"))
    assert (found["module"], found["arguments"], found["heads"]) == ("BiSeNet", {}, False)
    assert (found["inputs"], found["outputs"]) == ([[1, 3, 1024, 2048]], [[1, 19, 1024, 2048]])
    expect_counts(found["total"])
    expect_counts(found["arms"], ["attention"])
    expect_counts(found["arms"]["attention"])
    assert found["total"]["multiply_adds"] == 118_338_256_896
    assert (found["total"]["parameters"], found["arms"]["parameters"]) == (13_275_539, 918_528)
    assert found["arms"]["multiply_adds"] == 3_623_911_424
    for counts in found["modules"].values():
        expect_counts(counts, ["module"])
    assert found["modules"]["cp.arm32"]["module"] == "AttentionRefinementModule"
    for path, rows in found["attention"].items():
        for row in rows:
            expect_counts(row, ["branch", "kind"])
        for key in COUNTS:
            assert sum(row[key] for row in rows) == found["modules"][path][key]


def test_json_with_heads_batch_and_arguments(capsys):
    arguments = ["BiSeNet", "classes=4", "--size", "33x47", "--json"]
    plain = json.loads(run(capsys, *arguments))
    heads = json.loads(run(capsys, *arguments, "--heads"))
    three = json.loads(run(capsys, *arguments, "--batch", "3"))
    assert heads["arguments"] == {"classes": 4}
    assert heads["outputs"] == [[1, 4, 33, 47]] * 3
    assert heads["modules"]["cp"] == plain["modules"]["cp"]  # its BN counts as in evaluation
    assert heads["modules"].keys() - plain["modules"].keys() >= {"conv_out16", "conv_out32"}
    assert three["total"]["multiply_adds"] == 3 * plain["total"]["multiply_adds"]
    assert three["total"]["parameters"] == plain["total"]["parameters"]


def test_the_table_of_an_arm(capsys):
    lines = run(capsys, *ARM).splitlines()
    assert lines[0] == "AttentionRefinementModule on 1×512×32×64, gives 1×128×32×64"
    rows = [" ".join(line.split()) for line in lines]
    assert "total 606,720 100.00 1.208 G 100.00 1.049 M 14.319" in rows
    assert "features 3×3 convolution 589,824 97.22 1.208 G 100.00 0 7.250" in rows
    assert "attention pooling 0 0 0 0 262.144 k 1.000" in rows
    assert "attention 1×1 convolution 16,384 2.70 16.384 k 0.0014 0 0.063" in rows
    assert "gate multiply 0 0 0 0 262.272 k 2.000" in rows
    assert "attention and gate 16,640 2.74 16.384 k 0.0014 524.544 k 3.067" in rows
    counted = [line for line in lines if re.search(r"\.\d{3}$", line)]
    assert {len(line) for line in counted} == {len(HEADER)}


def test_the_table_of_a_network_goes_down_to_its_attention_modules():
    text = as_text(report("BiSeNet", CITYSCAPES))
    rows = [line.split()[:2] for line in text.splitlines()]
    for part in ("cp", "resnet", "arm16", "arm32", "conv_avg", "sp", "ffm", "conv_out"):
        assert part in [words[0] for words in rows if words]
    assert "conv_atten" not in text  # the branches show what is inside an ARM
    assert "layer1" not in text
    assert "conv_out32" not in text
    assert "918,528   6.92        3.624 G     3.06" in text


def test_values_are_python_or_words(capsys):
    found = run(capsys, "ConvBNAct", "in_channels=6", "out_channels=4", "kernel_size=(3,1)",
                "activation=leaky_relu", "dtype=float64", "--size", "5x7", "--json")  # fmt: skip
    found = json.loads(found)
    assert found["inputs"] == [[1, 6, 5, 7]]
    assert found["outputs"] == [[1, 4, 5, 9]]
    assert found["arguments"]["kernel_size"] == [3, 1]
    assert found["modules"]["conv"]["bytes"] == 8 * (6 * 35 + 72 + 4 * 45)


@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        (["CBAM", "channels=32"], [[1, 32, 5, 7]]),
        (["BatchNorm2d", "num_features=4"], [[1, 4, 5, 7]]),
        (["ResNet18", "width=4"], [[1, 3, 5, 7]]),
        (["CBAMSpatial", "--channels", "9"], [[1, 9, 5, 7]]),
        (
            ["FeatureFusionModule", "in_channels=6", "out_channels=4", "--channels", "2,4"],
            [[1, 2, 5, 7], [1, 4, 5, 7]],
        ),
    ],
)
def test_channels_of_the_input(capsys, arguments, inputs):
    assert json.loads(run(capsys, *arguments, "--size", "5×7", "--json"))["inputs"] == inputs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Arm"], "no module 'Arm': choose from AttentionRefinementModule, "),
        (["Module"], "no module 'Module'"),
        (["relu"], "no module 'relu'"),
        (["ToyNet", "--size", "12"], "--size as HEIGHTxWIDTH in pixels, got '12'"),
        (["ToyNet", "--size", "0x12"], "got '0x12'"),
        (["ToyNet", "--size", "4x4x4"], "got '4x4x4'"),
        (["ToyNet", "--batch", "0"], "--batch of at least 1, got 0"),
        (["ToyNet", "classes"], "expected ARG=VALUE, got 'classes'"),
        (["ToyNet", "attention=all"], "'none', 'arm', 'paper-arm', 'se'"),
        (["ToyNet", "depth=3"], "unexpected keyword argument 'depth'"),
        (["ToyNet", "--channels", "4"], "ToyNet expected (N, 3, H, W), got (1, 4, 9, 9)"),
        (["ToyNet", "--channels", "3,3"], "expected --channels of x, got 3,3: give 1, as in 64"),
        (["ToyNet", "--heads"], "ToyNet has no auxiliary heads: leave out --heads"),
        (["ECA"], "ECA(channels, kernel_size=None) cannot be built with no arguments: missing 1"),
        (
            ["FeatureFusionModule", "in_channels=6", "out_channels=4"],
            "expected --channels of sp and cp, got none: give 2, as in 64,64",
        ),
        (["Conv2d", "in_channels=3", "out_channels=2", "kernel_size=11"], "spans 11×11 pixels"),
        (["Conv2d", "in_channels=900000", "out_channels=900000", "kernel_size=9"], "allocate"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    size = [] if "--size" in arguments else ["--size", "9x9"]
    assert words in refused(capsys, *arguments, *size)


@pytest.mark.parametrize("arguments", [[], ["ToyNet"], ["ToyNet", "--size", "9x9", "--batch", "x"]])
def test_wrong_usage_is_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(["cost", *arguments])
    assert caught.value.code == 2
    assert "usage: armlab cost" in capsys.readouterr().err


def test_help_ends_in_an_example_that_runs(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["cost", "--help"])
    assert caught.value.code == 0
    example = capsys.readouterr().out.rstrip().splitlines()[-1].split()
    assert example[:2] == ["armlab", "cost"]
    assert "3×3 convolution" in run(capsys, *example[2:])


def test_numbers_in_words():
    assert [scaled(n) for n in (0, 999, 16_384, 10**6, 118_338_256_896)] == [
        "0  ", "999  ", "16.384 k", "1.000 M", "118.338 G"]  # fmt: skip
    assert [percent(n, 10**8) for n in (0, 10**8, 3_062_000, 100_000, 28, 99_999)] == [
        "0", "100.00", "3.06", "0.10", "0.000028", "0.100"]  # fmt: skip
    assert percent(0, 0) == "0"
