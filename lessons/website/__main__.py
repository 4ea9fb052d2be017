"""Run the lessons and write them as pages: from lessons/, python -m website [LESSON ...].

`make site` calls it. Lessons that are not named stand in the site as well, but without outputs.
"""

import argparse
import sys
from pathlib import Path

from notebooks import HERE, sources

from website import running, writing

STEMS = [source.stem for source in sources()]


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m website", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="which to run (all)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "site", help="folder (site)")
    chosen = parser.parse_args(arguments)
    chosen.lessons = chosen.lessons or STEMS
    if unknown := sorted(set(chosen.lessons) - set(STEMS)):
        parser.error(f"no lesson {unknown[0]!r}: choose from {', '.join(STEMS)}")
    return chosen


def main(arguments: list[str]) -> int:
    chosen = parsed(arguments)
    try:
        writing.copy_mathjax(chosen.out)  # first, as it may be missing and the lessons take minutes
        chosen_or_not = [stem in chosen.lessons for stem in STEMS]
        with running.fresh_processes() as one_by_one:
            books = list(one_by_one.map(running.ready, STEMS, chosen_or_not))
        writing.write(dict(zip(STEMS, books, strict=True)), chosen.out)
    except (RuntimeError, OSError) as error:
        print(f"website: {error}", file=sys.stderr)
        return 1
    print(chosen.out / "index.html")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
