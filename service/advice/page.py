"""Write the reference page of the codes from the book: ``python -m service.advice.page FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.advice import AREAS
from service.advice.area import Area

__all__ = ["errors_page"]

_HEAD: Final = """\
# Errors

<!-- Written by `python -m service.advice.page docs/reference/errors.md` from service/advice. -->

One shape everywhere, in HTTP answers, with `--json` and in the log: `code`, `path` (the field), `message`, `value` (cut to
80 characters; empty where it could be a secret). The command line prints what to do as its last line.
"""


def errors_page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *(line for area in AREAS for line in _chapter(area))]).rstrip() + "\n"


def _chapter(area: Area) -> Iterator[str]:
    with_http = any(word.http for word in area.words)
    yield f"## {area.title}\n"
    if area.about:
        yield f"{area.about}\n"
    yield "| HTTP | Code | What to do |" if with_http else "| Code | What to do |"
    yield "| --- | --- | --- |" if with_http else "| --- | --- |"
    for word in area.words:
        codes = ", ".join(f"`{code}`" for code in word.codes)
        yield f"| {word.http} | {codes} | {word.advice} |" if with_http else f"| {codes} | {word.advice} |"
    yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(errors_page(), encoding="utf-8")
