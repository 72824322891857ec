"""The configuration in force: how a change reaches the actors it concerns.

The config store validates a document, journals it as a version and asks every actor concerned to take its part
(``ApplySettings``). An actor's factory always reads the version in force, so that a restart begins under it.

A *document* is what differs from the defaults: dotted keys to values as JSON holds them, as one JSON text. It never holds a
secret. The *draft* is the document that operators edit together; nothing trades by it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from protocol.messages import Event, Message, Request, Value
from protocol.values import Instant, Name, Text

__all__ = [
    "CONFIG_STORE",
    "ApplyDraft",
    "ApplySettings",
    "ConfigAnswer",
    "ConfigApplied",
    "ConfigRolledBack",
    "ConfigSettled",
    "ConfigVersions",
    "DiscardDraft",
    "DraftChanged",
    "EditDraft",
    "GetConfig",
    "KeyChange",
    "LoadDraft",
    "Mistake",
    "SettingsTaken",
    "VersionRow",
]

CONFIG_STORE = "/operators/config"
"""Where the config store lives."""

_Document = Annotated[str, Meta(max_length=1_048_576)]


class SettingsTaken(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An actor goes on under this version."""

    version: int


class ApplySettings(Request[SettingsTaken], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Go on under these settings: an immutable value of the type the actor was built with (EX-1307)."""

    LANE: ClassVar[str] = "control"

    version: int
    settings: Any


class KeyChange(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One key of two documents that differ; values as JSON text, empty where the key has its default."""

    key: Name
    before: _Document
    after: _Document


class Mistake(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is wrong, in the one error shape (EX-110)."""

    code: str
    path: str
    message: str
    value: str = ""


# --- journal events ---------------------------------------------------------------------------------------------------


class ConfigApplied(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """This document is in force as this version. ``author`` is an operator, or ``file`` for an edited config.toml."""

    version: int
    document: _Document
    author: Name
    changes: tuple[KeyChange, ...]
    at: Instant


class ConfigSettled(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Every actor goes on under this version, and config.toml holds it."""

    version: int
    at: Instant


class ConfigRolledBack(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A version could not be applied: ``back_to`` is in force again (EX-1307)."""

    version: int
    back_to: int
    actor: Name
    cause: Text
    at: Instant


class DraftChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The draft is this document, edited from this version; an empty text means that there is none."""

    document: _Document
    base: int
    author: Name
    at: Instant


# --- requests ---------------------------------------------------------------------------------------------------------


class ConfigAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """How active document and draft stand after a request, and what was refused or could not be done.

    ``draft`` is empty when there is none. ``mistakes`` are those of the request; ``draft_mistakes`` those that keep the
    draft from being applied. ``later`` are changed keys that hold only when bulkhead starts again; ``beaten`` are keys that
    the environment sets, so that the document's value does nothing. ``draft_author`` edited the draft last; ``unreadable``
    says why config.toml, as it was edited by hand, could not be read into it (``DraftUnreadable``).
    """

    version: int
    author: Name
    document: _Document
    draft: _Document = ""
    base: int = 0
    changes: tuple[KeyChange, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    draft_mistakes: tuple[Mistake, ...] = ()
    later: tuple[str, ...] = ()
    beaten: tuple[str, ...] = ()
    draft_author: str = ""
    unreadable: str = ""


class GetConfig(Request[ConfigAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Return version in force and draft. ``version`` other than 0: that kept version in place of the one in force."""

    LANE: ClassVar[str] = "control"

    version: int = 0


class EditDraft(Request[ConfigAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Change keys of the draft: ``values`` is a JSON object of dotted keys, null for "back to the default" (EX-1306)."""

    LANE: ClassVar[str] = "control"

    values: _Document
    author: Name


class LoadDraft(Request[ConfigAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Replace the draft: by a document, by a kept version, or, with neither, by the defaults (EX-1310, EX-1311)."""

    LANE: ClassVar[str] = "control"

    document: _Document = ""
    version: int = 0
    author: Name


class DiscardDraft(Request[ConfigAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Drop the draft."""

    LANE: ClassVar[str] = "control"

    author: Name


class ApplyDraft(Request[ConfigAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Put the draft in force (EX-1307). ``version`` is the one it was edited from: another one in force is a conflict."""

    LANE: ClassVar[str] = "control"

    version: int
    author: Name


class VersionRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One kept version."""

    version: int
    author: Name
    at: Instant
    in_force: bool
    changes: tuple[KeyChange, ...]


class ConfigVersions(Request[tuple[VersionRow, ...]], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """List the kept versions, newest first (EX-1311)."""

    LANE: ClassVar[str] = "control"
