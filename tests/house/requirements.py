"""Print which requirement of the execution specification is named by which tests: ``python -m tests.house.requirements``.

A requirement is covered when the docstring of a test names it:
``EX-917``, or a range: ``EX-920 to EX-924``, ``EX-920..924``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["SPEC", "named_in", "named_requirements", "required", "uncovered"]

REPOSITORY = Path(__file__).resolve().parents[2]
SPEC = REPOSITORY.parent / "shared" / "spec" / "execution.md"
SECTIONS = range(1, 15)

_REQUIRED = re.compile(r"^- \*\*EX-(\d+)\*\*", re.MULTILINE)
_NAMED = re.compile(r"EX-(\d{3,4})(?:\s*(?:to|\.\.|-)\s*(?:EX-)?(\d{3,4}))?")


def required(text: str) -> list[int]:
    """Return the numbers of all requirements of sections 1 to 14, in the order of the specification."""
    return [number for number in map(int, _REQUIRED.findall(text)) if number // 100 in SECTIONS]


def named_in(text: str) -> set[int]:
    """Return the numbers that a text names, ranges included."""
    found: set[int] = set()
    for first, last in _NAMED.findall(text):
        low, high = int(first), int(last or first)
        found.update(range(low, high + 1) if 0 <= high - low < 100 else (low, high))
    return found


def _tests(path: Path) -> Iterator[tuple[str, str]]:
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield f"{path.relative_to(REPOSITORY)}::{node.name}", ast.get_docstring(node) or ""


def named_requirements() -> dict[int, list[str]]:
    """Return the tests that name each requirement in their docstrings."""
    found: dict[int, list[str]] = {}
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        for name, text in _tests(path):
            for number in named_in(text):
                found.setdefault(number, []).append(name)
    return found


def uncovered(text: str) -> list[int]:
    """Return the requirements that no test names."""
    named = named_requirements()
    return [number for number in required(text) if number not in named]


def main() -> int:
    """Print the table; return 1 when a requirement is named by no test."""
    if not SPEC.is_file():
        sys.stderr.write(f"the specification is not at {SPEC}\n")
        return 2
    text, named = SPEC.read_text(encoding="utf-8"), named_requirements()
    wanted = required(text)
    lines = []
    for number in wanted:
        tests = named.get(number, [])
        lines.append(f"EX-{number:<5} {len(tests):>3}  {tests[0] if tests else '-'}")
    missing = [number for number in wanted if number not in named]
    share = 100 - 100 * len(missing) / len(wanted)
    lines.append(f"{len(wanted) - len(missing)} of {len(wanted)} requirements ({share:.1f}%)")
    if missing:
        lines.append("named by no test: " + ", ".join(f"EX-{number}" for number in missing))
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
