"""A statement is found by its function and its equation, whatever its line looks like."""

import pytest

from armlab.check.statements import replaced

SOURCE = '''\
def f(x):
    """(2) in a docstring is no comment."""
    if not x:
        return None
    # (3) on a line of its own belongs to no statement
    total = (  # (1)
        x
        + 1
    )
    with quiet():
        y = total * x  # (2), where y = x² + x
        y += 1  # why (9) is not its number
    a, (b, *c) = d = g(y)  # (4, 5)

    def backward(dy):
        for tap in taps:
            dx[tap] += dy  # (2)
        dy, dx = 1, 2
        return dx

    return y, backward


class F:
    def f(self):
        self.x: int = 1
        self.y, n = 2, 3
'''


@pytest.mark.parametrize(
    ("function", "statement", "line"),
    [
        ("f", "(1)", "total = (  # (1)\n        x\n        + 1\n    )"),
        ("f", "total", "total = (  # (1)\n        x\n        + 1\n    )"),
        ("f", "(2)", "y = total * x  # (2), where y = x² + x"),
        ("f", "y", "y = total * x  # (2), where y = x² + x"),
        ("f", "y +=", "y += 1  # why (9) is not its number"),
        ("f", "(4)", "a, (b, *c) = d = g(y)  # (4, 5)"),
        ("f", "(5)", "a, (b, *c) = d = g(y)  # (4, 5)"),
        ("f", "a, (b, *c)", "a, (b, *c) = d = g(y)  # (4, 5)"),
        ("f", "d", "a, (b, *c) = d = g(y)  # (4, 5)"),
        ("f.backward", "(2)", "dx[tap] += dy  # (2)"),
        ("f.backward", "dx[tap] +=", "dx[tap] += dy  # (2)"),
        ("f.backward", "dy, dx", "dy, dx = 1, 2"),
        ("f.backward", "return", "return dx"),
        ("F.f", "self.x", "self.x: int = 1"),
        ("F.f", "self.y, n", "self.y, n = 2, 3"),
    ],
)
def test_a_statement_is_found_and_nothing_else_is_touched(function, statement, line):
    assert SOURCE.count(line) == 1
    assert replaced(SOURCE, function, statement, "wrong") == SOURCE.replace(line, "wrong")


def test_one_of_several_is_counted_from_1():
    line = "return y, backward"
    assert replaced(SOURCE, "f", "return", "wrong", nth=2) == SOURCE.replace(line, "wrong")


def test_several_statements_stand_at_the_place_of_the_one():
    got = replaced(SOURCE, "f.backward", "dx[tap] +=", "if tap:\n    wrong\n\nworse")
    want = "if tap:\n                wrong\n\n            worse"
    assert got == SOURCE.replace("dx[tap] += dy  # (2)", want)


@pytest.mark.parametrize(
    ("function", "statement", "nth", "count"),
    [
        ("f", "(3)", 0, 0),
        ("f", "(9)", 0, 0),
        ("f", "dx[tap] +=", 0, 0),
        ("f", "return", 0, 2),
        ("f", "return", 3, 2),
        ("backward", "return", 0, 0),
        ("g", "return", 0, 0),
        ("F", "return", 0, 0),
    ],
)
def test_a_statement_that_is_not_there_once_is_a_sentence(function, statement, nth, count):
    with pytest.raises(LookupError) as error:
        replaced(SOURCE, function, statement, "wrong", nth)
    assert str(error.value) == f"{statement!r} is found {count} times in {function}"
