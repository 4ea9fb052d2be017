"""`armlab data`: what is in a folder of images and masks, before anything is trained on it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from armlab.commands import BAD, GOOD, Commands, add_command, fail
from armlab.json_text import as_json

SETTINGS = ("classes", "ignore", "labels")


def add(commands: Commands) -> None:
    add_command(
        commands,
        "data",
        "Count images, classes and labels of a folder, say what is odd, and draw some masks.",
        "armlab data photos --labels 0,255 --out photos.png",
        declare,
    )


def declare(parser: argparse.ArgumentParser) -> None:
    from armlab.data import GENERATED
    from armlab.training.setting_options import add_settings
    from armlab.training.settings import ABOUT

    words = f"a folder of images and masks, or {', '.join(GENERATED)}"
    parser.add_argument("data", metavar="DATA", help=words)
    add_settings(parser, leave_out=ABOUT.keys() - set(SETTINGS))
    parser.add_argument("--out", type=Path, help="the picture, a PNG; default runs/NAME-data.png")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON alone")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 after the survey where a training would refuse these labels."""
    from armlab import plots
    from armlab.data.colours import palette
    from armlab.data.label_doubts import refusal
    from armlab.data.survey_text import as_dict, as_text
    from armlab.extras import expect_packages
    from armlab.training.start import NEEDED

    expect_packages(NEEDED)
    out = args.out or Path("runs", f"{Path(args.data).absolute().name}-data.png")
    if out.suffix.lower() != ".png":
        raise ValueError(f"expected --out to end in .png, got {out}: the picture is a PNG")
    survey, samples = _look(args)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        plots.samples(samples, survey.classes, palette(len(survey.classes)), out)
    except OSError as error:
        raise RuntimeError(
            f"cannot write {out}: {error.strerror or error}; choose another file with --out"
        ) from error
    if args.json:
        print(as_json(as_dict(survey) | {"picture": str(out)}))
    else:
        print(f"{as_text(survey)}\n\ndrawn in {out}")
    why = refusal(survey)
    return fail(why, BAD) if why else GOOD


def _look(args: argparse.Namespace) -> tuple[Any, Any]:
    """The survey of the data, and some images with their masks."""
    from armlab.data import GENERATED, samples
    from armlab.data.folder import look_around
    from armlab.data.generated_survey import survey_of
    from armlab.training.config import Config
    from armlab.training.start import make_dataset

    given = {name: getattr(args, name) for name in SETTINGS}
    config = Config(data=args.data, **{k: v for k, v in given.items() if v is not None})
    if args.data in GENERATED:
        dataset: Any = make_dataset(config)
        return survey_of(args.data, dataset), samples.of_generated(dataset)
    survey = look_around(args.data, config.classes, config.ignore, config.labels)
    return survey, samples.of_folder(survey)
