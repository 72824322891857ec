"""The one shape of answers and errors: JSON, decimals as text, errors as ``{code, path, message, value}``.

::

    BulkheadError
    └─ Refused              an operator's request cannot be done; carries the HTTP status and the error shape
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from protocol.codec import encode_json
from protocol.errors import BulkheadError, ValidationError
from runtime.errors import ActorCrashed, ActorStopped, AskTimeout, MailboxFull, NotReplayable, Unhandled
from runtime.journal import JournalError
from service.access.errors import AccessRefused
from supervision.errors import NoSuchChild, SupervisionError

__all__ = ["Handler", "Refused", "answer", "error_answer", "errors_in_one_shape", "not_found", "plain"]

log = logging.getLogger("bulkhead.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(BulkheadError):
    """A request is refused; ``status`` is the HTTP status it is answered with."""

    def __init__(self, status: int, code: str, message: str, *, path: str = "", value: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.value = value[:80]


def not_found(what: str, *, value: str, hint: str = "") -> Refused:
    """Return the refusal of a request for something that is not there."""
    return Refused(404, "NotFound", f"{what}{hint}", value=value)


def plain(value: Any) -> Any:
    """Return a message, row or list of them as plain JSON data; numbers that must stay exact become text."""
    return msgspec.json.decode(encode_json(value))


def answer(value: Any, *, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=encode_json(value), status=status, content_type="application/json")


def error_answer(status: int, code: str, message: str, path: str = "", value: str = "") -> web.Response:
    """Return an error in the one shape."""
    return answer({"code": code, "path": path, "message": message, "value": value}, status=status)


_STATUS: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (AskTimeout, 504),
    (ActorStopped, 410),
    (ActorCrashed, 502),
    (MailboxFull, 503),
    (Unhandled, 422),
    (NotReplayable, 409),
    (NoSuchChild, 404),
    (SupervisionError, 409),
    (JournalError, 503),
    (BulkheadError, 500),
)
"""Which HTTP status an error of ours is answered with; the first that fits."""


_STATUS_OF_ACCESS: Final = {
    **dict.fromkeys(("LockedOut", "TooManyRequests"), 429),
    **dict.fromkeys(("PersonExists", "TokenExists"), 409),
    **dict.fromkeys(("UnknownPerson", "UnknownToken"), 404),
    **dict.fromkeys(("BadName", "WeakPassword", "OutOfRange"), 422),
}
"""Which HTTP status a refusal of people and tokens is answered with; 401 otherwise."""


def _not_let_in(error: AccessRefused) -> web.Response:
    status = _STATUS_OF_ACCESS.get(error.code, 401)
    response = error_answer(status, error.code, error.message, error.path, error.value)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="bulkhead"'
    if error.retry_s:
        response.headers["Retry-After"] = str(math.ceil(error.retry_s))
    return response


def _has_left(request: web.Request) -> bool:
    """Tell whether nobody is there any more to be answered: no mistake of ours."""
    return request.transport is None or request.transport.is_closing()


@web.middleware
async def errors_in_one_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in the one shape; what nobody foresaw is logged and says so."""
    try:
        return await handler(request)
    except Refused as error:
        return error_answer(error.status, error.code, error.message, error.path, error.value)
    except AccessRefused as error:
        return _not_let_in(error)
    except ValidationError as error:
        return answer(error.as_dict(), status=422)
    except BulkheadError as error:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        return error_answer(status, type(error).__name__, str(error))
    except web.HTTPException as error:
        return error_answer(error.status, type(error).__name__.removeprefix("HTTP"), error.reason, request.path)
    except Exception as error:
        if not (isinstance(error, ConnectionError) and _has_left(request)):
            log.exception("the API failed on %s %s", request.method, request.path)
        # Not in its own words: nobody knows what they hold, and the log has them, without secrets.
        return error_answer(500, type(error).__name__, "a mistake of bulkhead: see its log")
