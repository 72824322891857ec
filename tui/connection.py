"""How a test of an account's connection went, in words and lines (EX-1620): contents only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from textual.content import Content

from tui.text import line

__all__ = ["TEST_S", "outcome_of", "steps_of"]

TEST_S: Final = 150.0
"""Seconds a test may take: each of its steps has twenty."""


def outcome_of(found: Mapping[str, Any]) -> str:
    """Return how a test went, in a sentence."""
    warned = sum(bool(each["warns"]) for each in found["steps"])
    more = f", {warned} warning{'s' if warned > 1 else ''}" if warned else ""
    return f"{found['account']}: {'the connection works' if found['ok'] else 'it does not work'}{more}"


def steps_of(found: Mapping[str, Any]) -> list[Content]:
    """Return how a test went, step by step, and what to do where it failed."""
    return list(_steps(found))


def _steps(found: Mapping[str, Any]) -> Iterator[Content]:
    net = "test network" if found["testnet"] else "real network" if found["venue"] != "practice" else "practice"
    yield line((str(found["venue"]), "strong"), (f"  {net}", "dim"))
    for each in found["steps"]:
        if each["name"] == "disconnect" and not each["code"]:
            continue  # how it ended is of no interest where it ended well
        sign = ("✖", "alarm") if each["code"] else ("!", "warn") if each["warns"] else ("✓", "gain")
        code = f" [{each['code']}]" if each["code"] else ""
        style = sign[1] if code or each["warns"] else ""
        yield line(sign, f" {each['name']:<11}", (f"{each['ms']:>7,.0f} ms  ", "dim"), (f"{each['text']}{code}", style))
    if found["advice"]:
        yield line(("what to do: ", "strong"), str(found["advice"]))
