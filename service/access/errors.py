"""Why somebody is not let in, or not changed.

::

    BulkheadError
    ├─ AccessRefused        carries the code that the API answers with
    └─ AccessFileUnsafe     what is kept of people or requests cannot be used
"""

from __future__ import annotations

from protocol.errors import BulkheadError

__all__ = ["AccessFileUnsafe", "AccessRefused"]


class AccessRefused(BulkheadError):
    """A credential, or a change of people and tokens, is refused; ``retry_s``: how long to wait, 0 when that is no help."""

    def __init__(self, code: str, message: str, *, path: str = "", value: str = "", retry_s: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.value = value
        self.retry_s = retry_s


class AccessFileUnsafe(BulkheadError):
    """Others can read the file of people and tokens, or it is none of ours."""
