"""What was counted of one module, as a table for people and as a dict for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from armlab.bench.kernel_names import in_words
from armlab.bench.launches import Counts, Launches, calls

KINDS = {  # of a count: in words, and what its size is
    "kernel": ("kernels", "threads"),
    "product": ("products", "multiply-adds"),
    "copy": ("copies", "bytes"),
    "fill": ("fills", "bytes"),
    "wait": ("waits", ""),
}
NOTE = """\
launches: kernels, products, copies and fills; ratio: launches by hand for each operator of PyTorch
counted on the emulated device, in a second run: the first compiles"""


def as_dict(found: Launches) -> dict[str, Any]:
    """All counts as integers, by part and name; no seconds, which differ from run to run."""
    return {
        "module": found.module,
        "arguments": dict(found.given),
        "inputs": [list(shape) for shape in found.shapes],
        "dtype": found.dtype,
        "device": "emulated",
        "optimiser": found.optimiser or None,
        "parts": {
            part: _listed(counts) | {"operators": dict(found.operators[part])}
            for part, counts in found.parts.items()
        },
        "read": _listed(found.read) if found.optimiser else None,
        "total": {
            **{words: calls(found.by_name, kind) for kind, (words, _) in KINDS.items()},
            "pointer_tables": found.pointer_tables,
            "launches": found.launched,
            "operators": found.operator_calls,
            "ratio": round(found.ratio, 4),
        },
    }


def _listed(counts: Counts) -> dict[str, list[dict[str, Any]]]:
    """By kind: each name with its calls and its size."""
    listed: dict[str, list[dict[str, Any]]] = {words: [] for words, _ in KINDS.values()}
    for name, c in sorted(counts.items(), key=lambda item: (-item[1].calls, item[0])):
        words, unit = KINDS[c.kind]
        size = {unit.replace("-", "_"): c.size} if unit else {}
        listed[words].append({"name": name, "calls": c.calls, **size})
    return listed


def as_text(found: Launches) -> str:
    """Name by name, then the parts and their total."""
    sizes = " and ".join("×".join(map(str, shape)) for shape in found.shapes)
    lines = [f"{title(found)} on {sizes}, {found.dtype}", ""]
    for kind in KINDS:
        of_kind = {name: c for name, c in found.by_name.items() if c.kind == kind}
        if of_kind:
            lines += [*_names(kind, of_kind), ""]
    return "\n".join([*lines, *_parts(found), "", *_sentences(found), NOTE])


def title(found: Launches) -> str:
    """Such as "a step of ToyNet(attention=arm) with adam"."""
    typed = ", ".join(f"{key}={value}" for key, value in found.given.items())
    name = f"{found.module}({typed})"
    if found.optimiser:
        return f"a step of {name} with {found.optimiser}"
    return f"{name}, {' and '.join(found.parts)}"


def _names(kind: str, counts: Counts) -> Iterator[str]:
    words, unit = KINDS[kind]
    yield f"{words:50}{'calls':>8}{unit:>15}"
    for name, c in counts.items():
        size = f"{c.size:15,}" if unit else " " * 15
        words = in_words(name)
        line = f"  {words:48}{c.calls:8,}{size}"
        yield f"{line}  {name}" if words != name else line


def _parts(found: Launches) -> Iterator[str]:
    """A column for each part, one for all of them, and one for reading the loss."""
    columns = {**found.parts, "total": found.by_name}
    columns |= {"reading": found.read} if found.optimiser else {}
    yield f"{'':24}" + "".join(f"{name:>11}" for name in columns)
    for kind, (words, _) in KINDS.items():
        yield f"{words:24}" + "".join(f"{calls(c, kind):11,}" for c in columns.values())
    operators = [sum(o.values()) for o in found.operators.values()]
    yield f"{'operators of PyTorch':24}" + "".join(f"{n:11,}" for n in (*operators, sum(operators)))


def _sentences(found: Launches) -> Iterator[str]:
    kernels = calls(found.by_name, "kernel")
    yield (
        f"{found.launched:,} launches against {found.operator_calls:,} operators: "
        f"ratio {found.ratio:.1f}"
    )
    if found.pointer_tables:
        share = found.pointer_tables / kernels
        yield f"{found.pointer_tables:,} kernels, {share:.0%}, are tables of pointers for products"
    if found.optimiser:
        yield "reading: the loss, and with it the check for NaN, after the step and in no total"
