"""Charts as PNG files of 1600 x 900, drawn with matplotlib (EX-1718): ``python -m service.report.pictures``.

``picture_beside`` draws in a process of its own, which reads what to draw from standard input and writes the picture to
standard output: the library is large and slow to load, and the daemon holds neither its memory nor its time. It is the extra
``charts``.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

import msgspec

from protocol.errors import BulkheadError, FeatureUnavailable
from runtime.child_log import child_environment
from service.report.canvas import LOOKS, heading
from service.report.painted_curves import by_day, drawdown, equity, histogram
from service.report.painted_tables import by_key, heatmap, months

__all__ = ["CHARTS", "HEIGHT", "THEMES", "WIDTH", "PictureFailed", "equity_png", "main", "picture", "picture_beside"]

WIDTH: Final = 1_600
HEIGHT: Final = 900
THEMES: Final = tuple(LOOKS)

_DPI: Final = 100
_NICENESS: Final = 10
_LIMIT_S: Final = 60.0


class PictureFailed(BulkheadError):
    """The picture could not be drawn: the message says why."""


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to draw: an answer of ``/v1/performance``, which chart, in which theme."""

    chart: str
    theme: str
    found: dict[str, Any]


async def picture_beside(found: Mapping[str, Any], chart: str = "equity", theme: str = "light") -> bytes:
    """Return a PNG of a chart of an answer of ``/v1/performance``, drawn in another process.

    Raises ``FeatureUnavailable`` without matplotlib, ``PictureFailed`` for an unknown chart and when drawing fails.
    """
    _check(chart, theme)
    job = msgspec.json.encode(_Job(chart=chart, theme=theme, found=dict(found)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.report.pictures"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=child_environment(families=("MPL", "XDG_")),
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            data, said = await process.communicate(job)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        raise PictureFailed(f"the picture was not drawn: {said.decode(errors='replace').strip()[-300:]}")
    return data


def _check(chart: str, theme: str) -> None:
    if chart not in CHARTS or theme not in THEMES:
        raise PictureFailed(f"charts are {', '.join(CHARTS)}; themes {', '.join(THEMES)}")
    if find_spec("matplotlib") is None:
        raise FeatureUnavailable("charts", "Charts as PNG files")


def equity_png(found: Mapping[str, Any], theme: str = "light") -> bytes:
    """Return a picture of equity and drawdown of an answer of ``/v1/performance``; it takes a second and blocks."""
    return picture(found, "equity", theme)


def picture(found: Mapping[str, Any], chart: str, theme: str = "light") -> bytes:
    """Return a PNG of a chart, drawn here; raise as ``picture_beside`` does."""
    _check(chart, theme)
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    look = LOOKS[theme]
    # Strategies are named by whoever sends alerts: a name with two dollar signs is no formula.
    with mpl.rc_context({"font.family": ["DejaVu Sans"], "font.size": 13, "text.parse_math": False}):
        figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=look.page)
        CHARTS[chart](figure, found, look)
        heading(figure, found, chart, look)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=_DPI, facecolor=look.page)
    return out.getvalue()


CHARTS: Final[dict[str, Any]] = {
    "equity": equity,
    "drawdown": drawdown,
    "histogram": histogram,
    "heatmap": heatmap,
    "months": months,
    "by_day": by_day,
    "by_pair": by_key("symbol"),
    "by_timeframe": by_key("timeframe"),
    "by_strategy": by_key("strategy"),
    "by_side": by_key("side"),
}
"""Every chart that can be drawn, by name."""


def main() -> int:
    """Draw what standard input names; write the picture to standard output. Whatever trades goes first."""
    os.nice(_NICENESS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=_Job)
    sys.stdout.buffer.write(picture(job.found, job.chart, job.theme))
    return 0


if __name__ == "__main__":
    sys.exit(main())
