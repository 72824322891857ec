"""What goes with every answer to a browser: nothing is loaded from elsewhere, nothing of ours is shown elsewhere."""

from __future__ import annotations

from typing import Final

from aiohttp import web

__all__ = ["secured"]

# Styles may stand in the page: the terminal writes its own rules of size and colour.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    # With no-referrer a browser would call a form's origin "null", and that is what the login is checked by.
    "Referrer-Policy": "same-origin",
    "Server": "bulkhead",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def secured(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer; files that never change may be kept, pages may not."""
    response.headers.update(_HEADERS)
    kept = request.path.startswith("/static/") and response.status == 200
    response.headers["Cache-Control"] = "private, max-age=3600" if kept else "no-store"
    if request.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
