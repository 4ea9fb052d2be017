"""A slider for who has no kernel: its frames are drawn beforehand, and an input of the page shows them."""

import html
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import ipywidgets
import numpy as np
from IPython.display import HTML, display
from IPython.utils.capture import capture_output
from ipywidgets.widgets.interaction import show_inline_matplotlib_plots

MOST = 21
COUNT = itertools.count(1)  # sliders of a page, whose ids differ

PAGE = """<div class="frames" id="{name}">
<p><label for="{name}-at">{label}</label> <output for="{name}-at">{value}</output></p>
<p><input id="{name}-at" type="range" min="0" max="{last}" step="1" value="{at}"
 style="width: 100%; max-width: 30rem" hidden></p>
<img src="{src}" alt="{alt}" style="max-width: 100%">
<script type="application/json">{frames}</script>
<script>
(() => {{
  const all = document.getElementById("{name}");
  const [input, output, img, data] = ["input", "output", "img", "script"].map(
    (tag) => all.querySelector(tag));
  const frames = JSON.parse(data.textContent);
  const show = () => {{
    const frame = frames[input.value];
    output.textContent = frame.value;
    input.setAttribute("aria-valuetext", frame.value);
    [img.src, img.alt] = [frame.src, frame.alt];
  }};
  input.hidden = false;
  input.addEventListener("input", show);
  show();
}})();
</script>
</div>"""


class Frame(NamedTuple):
    value: str  # as the slider shows it
    src: str
    alt: str


def interact(draw: Callable[..., Any], **sliders: Any) -> Callable[..., Any]:
    """Show what `draw` draws for the values of its slider, in the place of `ipywidgets.interact`.

    Raises TypeError that names what is no slider, RuntimeError where a value gives no one picture.
    """
    if len(sliders) != 1:
        raise TypeError(f"expected one slider, got {len(sliders)}: {', '.join(sliders)}")
    ((argument, slider),) = sliders.items()
    values, first = stops(slider)
    chosen = choose(len(values), first)
    frames = [_frame(draw, argument, *values[at]) for at in chosen]
    at = chosen.index(first)
    page = PAGE.format(
        name=f"frames-{next(COUNT)}",
        label=html.escape(slider.description or argument),
        last=len(frames) - 1,
        at=at,
        **{key: html.escape(text) for key, text in frames[at]._asdict().items()},
        frames=json.dumps([frame._asdict() for frame in frames]).replace("</", "<\\/"),
    )
    display(HTML(page))
    return draw


def stops(slider: Any) -> tuple[list[tuple[str, Any]], int]:
    """All values of a slider, each as it is read and as it is handed over; and where it stands."""
    if isinstance(slider, ipywidgets.SelectionSlider):
        return [*zip(slider._options_labels, slider._options_values, strict=True)], slider.index
    if not isinstance(
        slider, ipywidgets.IntSlider | ipywidgets.FloatSlider | ipywidgets.FloatLogSlider
    ):
        raise TypeError(f"expected a slider of ipywidgets, got {type(slider).__name__}")
    logarithmic = isinstance(slider, ipywidgets.FloatLogSlider)
    now = np.log(slider.value) / np.log(slider.base) if logarithmic else slider.value
    first = round((now - slider.min) / slider.step)
    count = int((slider.max - slider.min) / slider.step + 1e-9) + 1
    values = [slider.min + at * slider.step for at in range(count)]
    if logarithmic:
        values = [slider.base**value for value in values]
    values[first] = slider.value
    return [(format(value, slider.readout_format), value) for value in values], first


def choose(count: int, first: int) -> list[int]:
    """Which of so many values have a frame: at most MOST, evenly, with both ends and the first."""
    for most in (MOST, MOST - 1):
        chosen = {*np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist(), first}
        if len(chosen) <= MOST:
            break
    return sorted(chosen)


def _frame(draw: Callable[..., Any], argument: str, text: str, value: Any) -> Frame:
    with capture_output() as caught:
        draw(**{argument: value})
        show_inline_matplotlib_plots()
    pictures = [out for out in caught.outputs if "image/png" in out.data]
    if len(pictures) != 1 or len(caught.outputs) != 1 or caught.stdout:
        raise RuntimeError(
            f"expected one picture and nothing else for {argument} = {text}, "
            f"got {len(caught.outputs)} outputs: let the slider's function draw one figure"
        )
    (picture,) = pictures
    data = "".join(picture.data["image/png"].split())
    alt = (picture.metadata or {}).get("image/png", {}).get("alt", "")
    return Frame(text, f"data:image/png;base64,{data}", alt)
