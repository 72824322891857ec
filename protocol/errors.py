"""The errors that a value from outside can raise.

::

    BulkheadError                    every error of ours (one tree, see each room's own branch)
    ├─ FeatureUnavailable            an optional library is not installed; names the extra that brings it
    └─ ValidationError               theirs: a value that cannot be right; names the field path

A ``ValidationError`` is a reply, never a crash: whoever decodes outside input turns it into an answer.
"""

from __future__ import annotations

__all__ = ["BulkheadError", "FeatureUnavailable", "ValidationError"]


class BulkheadError(Exception):
    """Base of every error that bulkhead raises on purpose."""


class FeatureUnavailable(BulkheadError):
    """Something that is configured needs a library that is not installed; ``extra`` brings it."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs a library that is not installed: pip install 'bulkhead[{extra}]'")
        self.extra = extra


class ValidationError(BulkheadError):
    """A value from outside is refused; ``path`` names the field (``$.legs[0].qty``).

    The four attributes are the one error shape of the product (EX-110): ``code``, ``path``, ``message``, ``value``.
    ``value`` is text, cut to 80 characters, and empty where showing it could leak a secret.
    """

    def __init__(self, path: str, message: str, *, code: str = "Invalid", value: str = "") -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message
        self.code = code
        self.value = value[:80]

    def as_dict(self) -> dict[str, str]:
        """Return the one error shape: code, path, message, value."""
        return {"code": self.code, "path": self.path, "message": self.message, "value": self.value}
