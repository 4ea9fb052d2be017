"""The inside of a module as a figure: what is drawn is what the module computes."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib import colormaps
from matplotlib.colors import same_color, to_rgba
from PIL import Image

import armlab.torch
from armlab import hand, plots
from armlab.check.cases import CASES, MODULES
from armlab.data import Generated, Scenes, to_rgb
from armlab.data.colours import palette
from armlab.data.samples import Sample
from armlab.plots.ablation import UNSEEN
from armlab.plots.style import CHANNELS, RED, channel_colour

X = np.random.default_rng(0).standard_normal((3, 4, 6, 5)).astype("float32")
GATED = [case.name for case in MODULES if hasattr(getattr(hand, case.name), "gate")]


def labelled(figure, start):
    """The axes whose label begins so, from left to right and from top to bottom."""
    found = [ax for ax in figure.axes if ax.get_label().startswith(start)]
    return sorted(found, key=lambda ax: (ax.get_position().x0, -ax.get_position().y0))


def maps(figure, start):
    return [np.asarray(ax.images[0].get_array()) for ax in labelled(figure, start)]


def lengths(ax):
    return np.asarray([bar.get_width() for bar in ax.patches], "float32")


def headings(figure):
    """What stands above the columns, without arrows: title, note, title, note, …"""
    return [text.get_text() for text in figure.texts if text.get_text() != "→"]


def gates(figure):
    """The gates that are drawn, from left to right, each with a row, or one row for all."""
    columns = {}
    for ax in labelled(figure, "gate per"):
        columns.setdefault(ax.get_position().x0, []).append(ax)
    return [
        lengths(axes[0]).reshape(-1, 1, 1)
        if axes[0].patches
        else np.stack([np.asarray(ax.images[0].get_array()) for ax in axes])
        for axes in columns.values()
    ]


@pytest.mark.parametrize("name", GATED)
def test_what_is_drawn_is_what_the_module_computes(name):
    @settings(max_examples=4)
    @given(CASES[name].examples())
    def holds(e):
        module = getattr(hand, name)(**e.options).load_state_dict(e.state).train(e.training)
        inputs = tuple(a.astype("float32") for a in e.inputs.values())
        gate = module.gate(*inputs)
        if gate is None:
            return  # ToyNet without attention
        last = len(inputs[0]) - 1
        figure = plots.inside(module, inputs, image=last)
        flow = np.stack(maps(figure, "feature map"))
        rows = len(flow)
        drawn, gated = gates(figure), maps(figure, "gated map")
        assert len(gated) == len(drawn) * rows
        for k, s in enumerate(drawn):
            flow = flow * s
            np.testing.assert_array_equal(np.stack(gated[k * rows : (k + 1) * rows]), flow)
        product = np.prod(np.broadcast_arrays(*drawn), axis=0)
        np.testing.assert_array_equal(product, np.broadcast_to(gate[last, :rows], product.shape))

    holds()


def test_arm_shows_the_features_behind_its_convolution():
    arm = hand.AttentionRefinementModule(4, 6, rng=0)
    f, _ = arm.copy().conv(X)
    figure = plots.inside(arm, X, image=1, channels=[5, 0])
    np.testing.assert_array_equal(maps(figure, "feature map"), f[1, [5, 0]])
    (mean,) = labelled(figure, "statistics of each channel")
    np.testing.assert_allclose(lengths(mean), f.mean(axis=(2, 3))[1, [5, 0]], rtol=1e-5)
    assert "2 of 6 channels" in headings(figure)


def test_sar_shows_what_it_gates_not_what_its_last_convolution_makes_of_it():
    sar = hand.SAR(4, 3, 2, rng=0)
    figure = plots.inside(sar, X)
    r, _ = sar.copy().conv_reduce(X)
    np.testing.assert_array_equal(maps(figure, "feature map"), X[0])
    np.testing.assert_array_equal(maps(figure, "gated map"), X[0] * sar.gate(X)[0])
    np.testing.assert_allclose(maps(figure, "mean over the channels")[0], r[0].mean(0), rtol=1e-5)
    np.testing.assert_array_equal(maps(figure, "max over the channels")[0], r[0].max(0))


def test_a_second_statistic_is_drawn_beside_the_first():
    (ax,) = labelled(plots.inside(hand.CBAMChannel(4, 2, rng=0), X), "statistics")
    bars = lengths(ax)
    np.testing.assert_allclose(bars[:4], X[0].mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(bars[4:], X[0].max(axis=(1, 2)))


@pytest.mark.parametrize(
    ("module", "above"),
    [
        (hand.SqueezeExcitation(4, 2), "mean over the positions, gate one per channel"),
        (hand.CBAMSpatial(3), "max and mean over the channels, gate one per position"),
        (hand.ListedSAR(4, 2), "mean and max over the channels, gate one per position"),
        (hand.Attentionout(4), "gate one per element"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, hand.Module) else "",
)
def test_columns_say_what_was_pooled_and_what_has_a_gate(module, above):
    texts = headings(plots.inside(module, X))
    pairs = [f"{title} {note}" for title, note in zip(texts[::2], texts[1::2], strict=True)]
    assert pairs == [
        "feature map of each channel",
        *above.split(", "),
        "gated map feature map × gate",
    ]


def test_cbam_goes_on_to_the_right_and_repeats_no_column():
    titles = headings(plots.inside(hand.CBAM(4, 2, rng=0), X))[::2]
    first = ["feature map", "mean and max", "gate", "gated map"]
    assert titles == [*first, "max and mean", "gate", "gated map"]


@pytest.mark.parametrize("name", ["Attentionout", "CBAMSpatial", "SqueezeExcitation"])
def test_gates_are_in_magma_from_0_to_1(name):
    options = {"Attentionout": [4], "CBAMSpatial": [], "SqueezeExcitation": [4, 2]}[name]
    figure = plots.inside(getattr(hand, name)(*options, rng=0), X)
    drawn = labelled(figure, "gate per")
    assert drawn
    for ax in drawn:
        for image in ax.images:
            assert (image.get_cmap().name, image.get_clim()) == ("magma", (0, 1))
        for bar in ax.patches:
            assert same_color(bar.get_facecolor(), colormaps["magma"](bar.get_width()))
            assert ax.get_xlim() == (0, 1)


def test_a_channel_has_one_colour_from_left_to_right():
    figure = plots.inside(hand.PaperAttentionRefinement(4, rng=0), X, channels=[2, 0, 3])
    wanted = [channel_colour(c) for c in (2, 0, 3)]
    for start in ("feature map", "gated map"):
        for ax, colour in zip(labelled(figure, start), wanted, strict=True):
            assert same_color(ax.spines["left"].get_edgecolor(), colour)
            assert np.allclose(ax.images[0].get_cmap()(0.5), to_rgba(colour), atol=0.01)
    for start in ("statistics", "gate per channel"):
        (ax,) = labelled(figure, start)
        for bar, colour in zip(ax.patches, wanted, strict=True):
            assert same_color(bar.get_edgecolor(), colour)
    assert len(set(CHANNELS)) == len(CHANNELS)


@pytest.mark.parametrize("module", [hand.Attentionout(4, rng=0), hand.CBAM(4, 2, rng=0)])
def test_a_gated_map_has_the_scale_of_its_feature_map_and_black_is_0_or_below(module):
    figure = plots.inside(module, X + 1)
    gated = labelled(figure, "gated map")
    for channel, before in enumerate(labelled(figure, "feature map")):
        x = X[0, channel] + 1
        for ax in (before, *gated[channel::4]):
            assert ax.images[0].get_clim() == (min(x.min(), 0), max(x.max(), 0))


def test_looking_does_not_count_as_a_batch():
    arm = hand.AttentionRefinementModule(4, 3, rng=0)
    before = arm.state_dict()
    plots.inside(arm, X)
    for key, value in arm.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_the_figure_is_written_and_shows_itself(tmp_path):
    path = tmp_path / "inside.png"
    figure = plots.inside(hand.CBAMSpatial(3, rng=0), X, path)
    for png in (path.read_bytes(), figure._repr_png_()):
        assert png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("module", "options", "error", "words"),
    [
        (armlab.torch.CBAMSpatial(), {}, TypeError, "expected a module of armlab.hand, got armlab"),
        (hand.ConvBNAct(4, 2), {}, ValueError, "ConvBNAct gates nothing: choose"),
        (hand.ECA(4), {"image": 3}, IndexError, r"expected image from 0 to 2, got \[3\]"),
        (hand.ECA(4), {"channels": [0, 4]}, IndexError, r"channels from 0 to 3, got \[0, 4\]"),
        (hand.ECA(4), {"channels": []}, IndexError, r"channels from 0 to 3, got \[\]"),
        (hand.ECA(5), {}, ValueError, "axis 1 is 4, the module was built with channels=5"),
    ],
    ids=["torch twin", "no gate", "image", "channel", "no channel", "shape"],
)
def test_wrong_input_is_refused(module, options, error, words):
    with pytest.raises(error, match=words):
        plots.inside(module, X, **options)


def test_nothing_of_pyplot_is_loaded():
    code = """
import sys
import numpy as np
from armlab import hand, plots
assert "matplotlib" not in sys.modules
figure = plots.inside(hand.ECA(3, rng=0), np.ones((1, 3, 4, 5), "float32"))
figure._repr_png_()
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the pictures of a run ------------------------------------------------------------------------


def drawn(monkeypatch, draw, *arguments):
    """The figure that a function draws and saves."""
    figures = []
    monkeypatch.setattr(
        "armlab.plots.figure.OwnFigure.savefig", lambda figure, *_, **__: figures.append(figure)
    )
    draw(*arguments)
    return figures[0]


def test_confusion_shows_the_shares_of_each_class(monkeypatch):
    counts = np.array([[9990, 9, 1], [25, 75, 0], [0, 0, 0]])
    figure = drawn(monkeypatch, plots.confusion, counts, ("road", "sky", "car"), "a.png")
    ax = figure.axes[0]
    shares = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(shares[:2].sum(axis=1), 1)
    assert np.isnan(shares[2]).all()
    assert [t.get_text() for t in ax.texts] == ["99.9", "<0.1", "<0.1", "25.0", "75.0", "0"]
    rows = [t.get_text() for t in ax.get_yticklabels()]
    assert rows == ["road  (99.0 %)", "sky  (1.0 %)", "car  (0 %)"]


CAMVID = [
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "SignSymbol",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
]
LONG = "a name of a class that is far longer than anybody would like it to be"
NAMES = {
    "two": ["background", LONG],
    "CamVid": CAMVID,
    "19": [f"{word} {k}" for k, word in enumerate(CAMVID + CAMVID[:8])],
    "150": [f"{LONG} {k}" for k in range(150)],
}


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("names", NAMES.values(), ids=list(NAMES))
def test_names_of_a_confusion_are_whole_and_apart(tmp_path, monkeypatch, names):
    size, rng = len(names), np.random.default_rng(0)
    counts = rng.integers(1, 100, (size, size)) + np.diag(rng.integers(1000, size=size))
    plots.confusion(counts, names, tmp_path / "a.png")
    found = pixels(tmp_path / "a.png")
    for edge in (found[:5], found[-5:], found[:, :5], found[:, -5:]):
        assert edge.min() == 255  # nothing reaches it, so nothing is cut off
    figure = drawn(monkeypatch, plots.confusion, counts, names, "a.png")
    figure.canvas.draw()
    ax = figure.axes[0]
    rows = [t.get_window_extent() for t in ax.get_yticklabels()]
    assert len(rows) == size
    for above, below in itertools.pairwise(rows):
        assert above.y0 >= below.y1
    letters = ax.get_xticklabels()[0].get_fontsize() / 72  # inches; across the lines of letters
    step = figure.get_figwidth() / size * np.sin(np.deg2rad(ax.get_xticklabels()[0].get_rotation()))
    flat = [t.get_window_extent() for t in ax.get_xticklabels()]
    assert step > letters or all(a.x1 < b.x0 for a, b in itertools.pairwise(flat))
    assert letters * 150 >= 9  # dots of the picture: small, and still letters


@pytest.mark.parametrize("names", NAMES.values(), ids=list(NAMES))
@pytest.mark.parametrize("picture", ["attention", "prediction"])
def test_a_legend_of_classes_leaves_the_picture_its_room(monkeypatch, names, picture):
    rng, size = np.random.default_rng(0), len(names)
    labels = rng.integers(min(size, 40), size=(2, 12, 16))
    labels[0, 0, 0] = labels[0, 0, 1] = 0

    class Data:
        classes, colours, ignore_index = tuple(names), palette(size), 255
        picture = staticmethod(to_rgb)

    images, gate = rng.standard_normal((2, 3, 12, 16)), rng.random((2, 5))
    calls = {
        "attention": (plots.attention, images, labels, {"arm": labels}, gate, "a.png", Data),
        "prediction": (plots.prediction, rng.random((12, 16, 3)), labels[0], gate[0], names,
                       palette(size), "a.png"),
    }  # fmt: skip
    figure = drawn(monkeypatch, *calls[picture])
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= figure.bbox.width
    assert legend.y0 >= 0
    for ax in figure.axes:
        assert ax.get_window_extent().y0 >= legend.y1
        assert ax.get_window_extent().width > 100
    shown = figure.legends[0].get_texts()
    seen = labels if picture == "attention" else labels[0]
    assert len(shown) == (len(np.unique(seen)) if size > 30 else size)
    assert all(len(text.get_text()) <= 30 for text in shown)


@pytest.mark.parametrize("name", ["price $x_{$", "Stra\udcdfe"])
def test_any_name_can_be_drawn(tmp_path, name):
    sample = Sample(name, np.zeros((8, 9, 3)), np.arange(72).reshape(8, 9) % 2)
    plots.samples({"training": [sample]}, [name, "b"], palette(2), tmp_path / "a.png")
    plots.confusion(np.eye(2, dtype=int), [name, "b"], tmp_path / "b.png")
    assert pixels(tmp_path / "a.png").min() < pixels(tmp_path / "b.png").max()


def test_ignored_pixels_are_in_the_legend(monkeypatch):
    data = Generated(Scenes, 0, (48, 48))
    images, labels = data.shown()
    labels[0, 0, 0] = 255
    figure = drawn(monkeypatch, plots.attention, images, labels, {}, None, "a.png", data)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["background", "class A", "class B", "ignored"]


@pytest.mark.parametrize("shape", [(5,), (5, 1, 1), (1, 4, 6), (5, 4, 6)])
def test_gates_over_the_training_are_in_magma_from_0_to_1(monkeypatch, shape):
    rng = np.random.default_rng(0)
    gates, pictures = rng.random((3, 2, *shape)), rng.random((2, 8, 12, 3))
    figure = drawn(monkeypatch, plots.gates, list(pictures), gates, [2, 4, 5], "a.png")
    shown = [ax.images[0] for ax in figure.axes if ax.images and ax.images[0].get_array().ndim == 2]
    assert {(im.get_cmap().name, im.get_clim()) for im in shown} == {("magma", (0.0, 1.0))}
    if shape[1:] in ((), (1, 1)):  # channels down, epochs to the right
        expected = [gates[:, n].reshape(3, 5).T for n in range(2)]
    else:
        expected = [gates[epoch, n].mean(axis=0) for n in range(2) for epoch in range(3)]
    assert len(shown) == len(expected)
    for image, values in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(image.get_array(), values)


def test_curves_leave_out_what_no_run_has(monkeypatch):
    row = {"step": 1, "loss": 1.0, "miou": 0.3, "told_apart": None, "learning_rate": 0.1}
    figure = drawn(monkeypatch, plots.curves, {"se": [row], "none": [row]}, "a.png")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["Training loss (log scale)", "Mean IoU", "Learning rate"]
    row = row | {"told_apart": 0.5}
    figure = drawn(monkeypatch, plots.curves, {"se": [row]}, "a.png", ("A", "B", "C"))
    assert figure.axes[2].get_title() == "A against B against C"
    assert figure.axes[2].lines[-1].get_ydata()[0] == pytest.approx(1 / 3)


def test_a_difference_is_in_colour_where_its_interval_leaves_out_0(monkeypatch):
    values = [{0: 0.5, 1: 0.6}, {0: 0.9, 1: 0.9}, {0: 0.5, 1: None}]
    means, differences = [(0.55, 0.6), (0.9, 0.0), (0.5, None)], [(0.35, 0.3), (0.0, 0.2)]
    figure = drawn(
        monkeypatch,
        plots.ablation,
        *(["none", "arm", "se"], {"mIoU": values}, {"mIoU": means}, {"mIoU": differences}, "a.png"),
    )
    colours = [bars.lines[0].get_color() for bars in figure.axes[1].containers]
    assert colours == [RED, UNSEEN]
    assert figure.axes[0].containers[2].lines[0].get_markerfacecolor() == "white"  # no interval


@pytest.mark.parametrize("measures", [1, 2])
def test_the_legend_of_an_ablation_is_not_cut_off(monkeypatch, measures):
    of_each = {f"measure {k}": [{0: 0.5, 1: 0.6}, {0: 0.9, 1: 0.9}] for k in range(measures)}
    means = {name: [(0.55, 0.6), (0.9, 0.0)] for name in of_each}
    differences = {name: [(0.35, 0.3)] for name in of_each}
    arguments = ["none", "arm"], of_each, means, differences, "a.png"
    figure = drawn(monkeypatch, plots.ablation, *arguments)
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= figure.bbox.width
