"""The draft of the configuration on the phone: what it would change, and putting it in force (EX-1306, EX-1307)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from actors.telegram.seat import Named
from protocol.configuration import CONFIG_STORE, ApplyDraft, ConfigAnswer, GetConfig, KeyChange
from service.api.answers import Refused
from service.api.config import APPLY_S
from service.api.control import actor_at
from service.api.host import ASK_S, Host

__all__ = ["apply_draft", "draft_named", "draft_said"]

_CHANGES: Final = 25
"""Changes that are listed; what is left out is counted."""

_NO_DRAFT: Final = "No draft waits: it was applied, or discarded."


async def _found(host: Host) -> ConfigAnswer:
    found: ConfigAnswer = await actor_at(host.system, CONFIG_STORE).ask(GetConfig(), ASK_S)
    return found


def _mark(found: ConfigAnswer) -> str:
    """Return a mark of a draft: another draft has another one."""
    return blake2b(f"{found.base}|{found.draft}".encode(), digest_size=8).hexdigest()


def _changes(found: ConfigAnswer) -> str:
    lines = [_change(each) for each in found.changes[:_CHANGES]]
    more = [f"and {len(found.changes) - _CHANGES} more"] if len(found.changes) > _CHANGES else []
    later = [f"counts from the next start: {', '.join(found.later)}"] if found.later else []
    return "\n".join([*lines, *more, *later])


def _change(change: KeyChange) -> str:
    before, after = (_value(each) for each in (change.before, change.after))
    return f"{change.key}: {before} -> {after}"


def _value(text: str) -> str:
    return (text if len(text) <= 60 else f"{text[:57]}...") or "default"


def _mistakes(found: ConfigAnswer) -> str:
    return "\n".join(f"{each.path}: {each.message}" for each in found.draft_mistakes[:_CHANGES])


async def draft_said(host: Host) -> str:
    """Say what the draft would change, and what keeps it from being applied."""
    found = await _found(host)
    if not found.draft or not found.changes:
        return "No draft of the settings waits."
    if found.draft_mistakes:
        return f"The draft cannot be applied:\n{_mistakes(found)}"
    return f"Draft over version {found.base}:\n{_changes(found)}\n\n/apply puts it in force."


async def draft_named(host: Host) -> Named:
    """Name what applying the draft would do; what is confirmed is this draft, not what it is edited to meanwhile."""
    found = await _found(host)
    if not found.draft or not found.changes:
        return Named("", error=_NO_DRAFT)
    if found.draft_mistakes:
        return Named("", error=f"The draft cannot be applied:\n{_mistakes(found)}")
    return Named(f"Put these settings in force:\n{_changes(found)}", (_mark(found),))


async def apply_draft(host: Host, args: Sequence[str], by: str) -> str:
    """Put the draft in force that was named; raise ``Refused`` when it is another one by now."""
    found = await _found(host)
    if not found.draft:
        return _NO_DRAFT
    if _mark(found) not in args:
        raise Refused(409, "DraftChanged", "the draft was edited meanwhile: look at it again with /draft")
    ask = ApplyDraft(version=found.base, author=by)
    said: ConfigAnswer = await actor_at(host.system, CONFIG_STORE).ask(ask, APPLY_S)
    if said.mistakes:
        return "Not applied:\n" + "\n".join(f"{each.path}: {each.message}" for each in said.mistakes)
    return f"Settings of version {said.version} are in force."
