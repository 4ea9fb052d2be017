"""The site of the lessons as the tests see it: built once, its pages read."""

import html
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bs4 import BeautifulSoup
from lesson_tools import LESSONS

RAN = "arm_in_one_evening"  # the lesson that runs before its page is looked at
TAG = re.compile(r"<(\w+)([^<>]*?)\s(?:href|src)=\"([^\"]*)\"")


def built(out: Path, *lessons: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "website", "--out", str(out), *lessons]
    return subprocess.run(command, cwd=LESSONS, capture_output=True, text=True, timeout=600)


@dataclass(frozen=True)
class Page:
    """A page of the site."""

    path: Path

    @cached_property
    def html(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "html.parser")

    @cached_property
    def ids(self) -> set[str]:
        return {html.unescape(found) for found in re.findall(r'\sid="([^"]*)"', self.html)}

    def taught_in(self) -> set[Path]:
        """The pages of the lessons that it names as those that teach it."""
        said = re.search(r"<p>Taught in .*?</p>", self.html, re.S)
        links = re.findall(r'href="([^"]*)"', said[0]) if said else []
        return {(self.path.parent / link).resolve() for link in links}

    def asked(self) -> list[tuple[str, str]]:
        """(tag, address) of each link and of each file that the page is made of."""
        return [(tag, html.unescape(address)) for tag, _, address in TAG.findall(self.html)]
