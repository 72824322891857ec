"""Turn an error into what an operator needs: what is wrong, what to do, the exit code. Never a traceback.

::

    BulkheadError
    └─ CommandFailed         a command says itself what is wrong and what to do
"""

from __future__ import annotations

import errno
import json
import sys
from http import HTTPStatus
from typing import Any, NamedTuple

from protocol.errors import BulkheadError, ValidationError
from service.access.errors import AccessRefused
from service.advice import advice_of
from service.api.client import DaemonNotRunning, DaemonRefused, DaemonTimeout
from service.cli.codes import ExitCode
from service.cli.output import note
from supervision.errors import ChildStartFailed, SupervisorExhausted

__all__ = ["CommandFailed", "Failure", "failure_of", "report"]


class Failure(NamedTuple):
    """One failure as shown; ``code``, ``path``, ``message``, ``value`` are the one error shape of the product."""

    exit: ExitCode
    code: str
    message: str
    advice: str = ""
    path: str = ""
    value: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what ``--json`` prints."""
        shown = {"code": self.code, "path": self.path, "message": self.message, "value": self.value}
        return {**shown, "advice": self.advice} if self.advice else shown


class CommandFailed(BulkheadError):
    """A command refuses to go on; carries the whole answer for the operator."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def report(error: BaseException, *, as_json: bool) -> ExitCode:
    """Print an error to standard error and return the exit code it stands for."""
    failures = failure_of(error)
    if as_json:
        document: Any = [each.as_dict() for each in failures]
        print(json.dumps(document[0] if len(document) == 1 else document), file=sys.stderr)  # noqa: T201 - a CLI prints
    else:
        _print_lines(failures)
    return failures[0].exit


def _print_lines(failures: list[Failure]) -> None:
    for failure, after in zip(failures, [*failures[1:], None], strict=True):
        where = f"{failure.path}: " if failure.path and failure.path != "$" else ""
        note(f"error: {where}{failure.message} [{failure.code}]")
        if failure.advice and (after is None or after.advice != failure.advice):
            note(f"try:   {failure.advice}")


def failure_of(error: BaseException) -> list[Failure]:
    """Return what to show of an error, one entry a mistake."""
    if isinstance(error, CommandFailed):
        return [error.failure]
    if isinstance(error, DaemonNotRunning):
        return [Failure(ExitCode.NOT_RUNNING, "NotRunning", str(error), "start it with: bulkhead up")]
    if isinstance(error, DaemonTimeout):
        return [Failure(ExitCode.TIMEOUT, "Timeout", str(error), "look before you do it again: bulkhead tail")]
    if isinstance(error, DaemonRefused):
        return _of_refusal(error)
    if isinstance(error, AccessRefused):
        return [Failure(ExitCode.FAILED, error.code, error.message, advice_of(error.code), error.path, error.value)]
    if (problems := getattr(error, "problems", None)) is not None:
        return [_of_config(each) for each in problems]
    if isinstance(error, ValidationError):
        return [Failure(ExitCode.FAILED, error.code, error.message, advice_of(error.code), error.path, error.value)]
    if isinstance(error, ChildStartFailed | SupervisorExhausted) and error.cause is not None:
        return _of_actor(error.child, error.cause)
    if isinstance(error, OSError):
        return [_of_system(error)]
    return [_of_name(error)]


def _of_actor(path: str, cause: BaseException) -> list[Failure]:
    """Return what an actor fell over, with the path of the innermost that did: its own reason is the one that helps."""
    return [each if each.path.startswith("/") else each._replace(path=path) for each in failure_of(cause)]


def _of_refusal(error: DaemonRefused) -> list[Failure]:
    """Return the daemon's refusal, one a problem; a message that names a command itself comes without advice."""
    code = ExitCode.NOT_FOUND if error.status == HTTPStatus.NOT_FOUND else ExitCode.FAILED
    shapes = error.body.get("problems") or [error.body]
    names = ("code", "message", "path", "value")
    found = [{name: str(shape.get(name, "")) for name in names} for shape in shapes]
    return [
        Failure(code, advice="" if "bulkhead " in shape["message"] else advice_of(shape["code"]), **shape)
        for shape in found
    ]


def _of_config(problem: ValidationError) -> Failure:
    advice = advice_of(problem.code) or "correct the configuration and check it with: bulkhead config check"
    return Failure(ExitCode.USAGE, problem.code, problem.message, advice, problem.path, problem.value)


_ADVICE_OF_ERRNO = {
    errno.ENOSPC: "free space on that disk and start again; the journal keeps what was written before",
    errno.EDQUOT: "free space within your quota and start again",
    errno.EACCES: "check who owns that file and its permissions",
    errno.EPERM: "check who owns that file and its permissions",
    errno.EROFS: "set app.data_dir to a place that can be written",
    errno.EADDRINUSE: "stop the program that listens there, or set webhook.port or api.port (0 takes any free one)",
    errno.EADDRNOTAVAIL: "set webhook.host, or api.host, to an address of this machine",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
}


def _of_system(error: OSError) -> Failure:
    name = errno.errorcode.get(error.errno or 0, "OSError")
    where = str(error.filename or "")
    message = error.strerror or str(error)
    return Failure(ExitCode.FAILED, name, message, _ADVICE_OF_ERRNO.get(error.errno or 0, ""), where)


_AT_A_START = {
    "VenueDown": "check the network, or set market.source to synthetic or replay",
}
"""Advice that is another one where a command, and no running daemon, meets the error."""


def _of_name(error: BaseException) -> Failure:
    """Name an error by its type; the nearest known ancestor gives the advice."""
    names = [kind.__name__ for kind in type(error).__mro__]
    advice = next((found for name in names if (found := _AT_A_START.get(name) or advice_of(name))), "")
    if advice or isinstance(error, BulkheadError):
        return Failure(ExitCode.FAILED, names[0], str(error) or names[0], advice)
    advice = "this is a mistake of bulkhead: run it again with BULKHEAD_TRACEBACK=1 and report what it prints"
    return Failure(ExitCode.FAILED, names[0], str(error) or repr(error), advice)
