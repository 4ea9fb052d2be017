"""An option that a sentence tells a user to take is one of a command of ours."""

import argparse
import ast
import re
from pathlib import Path

from armlab import cli

ROOT = Path(__file__).parents[2] / "armlab"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
RUN_OTHERS = {"emulator", "report", "bench"}  # options of compilers, of pytest, of sanitizers
ASIDE = {"--allow-root", "--training"}  # of Jupyter, and of python -m armlab.data.export


def options_of_commands():
    parser = cli._parser()
    (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for name, command in action.choices.items():
        if command.declare:
            command.declare(command)
        yield from (option for a in command._actions for option in a.option_strings)
        assert "--help" in command._option_string_actions, name


def named_options():
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] in RUN_OTHERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for option in OPTION.findall(node.value):
                    yield option.rstrip("-"), path.relative_to(ROOT)


def test_every_option_that_is_named_can_be_given():
    known, named = set(options_of_commands()) | ASIDE, dict(named_options())
    assert {"--nest", "--strip", "--from", "--out", "--resume"} <= named.keys()
    wrong = {option: str(at) for option, at in named.items() if option not in known}
    assert wrong == {}
