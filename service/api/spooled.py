"""Answers that are written into a file first, so that who downloads slowly holds up nobody who reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from aiohttp import web

from service.api.answers import Refused

__all__ = ["export_failed", "sent", "spooled"]

_PIECE: Final = 1 << 18


def spooled(write: Callable[[BinaryIO], object]) -> BinaryIO:
    """Return a file with what was written into it, from its beginning; it goes when it is closed. Raises as writing does."""
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def export_failed(what: str, error: OSError) -> Refused:
    """Return the refusal of an export that the disk does not take."""
    return Refused(507, "ExportFailed", f"{what} cannot be written: {error.strerror or error}", value=what)


async def sent(request: web.Request, file: BinaryIO, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send a file, and close it."""
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        response = web.StreamResponse(headers={**headers, "Content-Length": str(size)})
        await response.prepare(request)
        while data := file.read(_PIECE):
            await response.write(data)
        await response.write_eof()
    return response
