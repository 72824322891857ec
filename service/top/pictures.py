"""One frame of the live view, printed or as an SVG picture that needs nothing from elsewhere."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from protocol.errors import ValidationError
from service.top.frame import frame
from service.top.live import Asker

__all__ = ["print_frame", "save_svg", "size_of"]

_DEFAULT: Final = (160, 45)
_LEAST: Final = (60, 16)
# Rich's picture fetches a font from the net; a picture in a README must not.
_SVG: Final = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code, ", "")


def size_of(text: str, default: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) of ``WIDTHxHEIGHT``, the default for empty text; raise ``ValidationError``."""
    if not text:
        return default
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if found is None or int(found[1]) < _LEAST[0] or int(found[2]) < _LEAST[1]:
        message = f"is WIDTHxHEIGHT, at least {_LEAST[0]}x{_LEAST[1]}"
        raise ValidationError("--size", message, code="OutOfRange", value=text)
    return int(found[1]), int(found[2])


def print_frame(client: Asker, size: str = "") -> None:
    """Print one frame as large as the terminal, or as ``size`` says."""
    width, height = size_of(size, Console().size if sys.stdout.isatty() else _DEFAULT)
    console = Console(width=width, height=height)
    console.print(frame(client.get("/v1/overview"), width, height, hint=""), height=height)


def save_svg(client: Asker, path: str, size: str = "") -> None:
    """Write one frame as an SVG picture."""
    width, height = size_of(size, _DEFAULT)
    console = Console(record=True, width=width, height=height, file=io.StringIO(), force_terminal=True)
    console.print(frame(client.get("/v1/overview"), width, height, hint=""), height=height)
    picture = console.export_svg(title="bulkhead top", code_format=_SVG, unique_id="bulkhead-top")
    Path(path).write_text(picture, encoding="utf-8")
