"""One incident file as a page for people: what happened, what was decided, and then the evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from service.cli.views import age, instant

__all__ = ["page"]

_WIDE: Final = 160


def page(found: dict[str, Any]) -> str:
    """Return the page; empty sections are left out."""
    parts = [_head(found)]
    for title, lines in _sections(found):
        body = "\n".join(f"  {line}".rstrip() for line in lines)
        if body:
            parts.append(f"{title}\n{body}")
    return "\n\n".join(parts)


def _head(found: dict[str, Any]) -> str:
    error, decision = found["error"], found["decision"]
    who = f"{found['actor']}, life {found['life']}" if found["actor"] else ""
    rows = [
        (f"incident {found['id']}", f"{found['kind']}, {instant(found['at'])}"),
        ("actor", f"{found['path']}{f'  ({who})' if who else ''}"),
        ("error", f"{error['type']}: {error['text']}"),
        *(("caused by", cause) for cause in error["causes"]),
    ]
    if decision:
        by = f"  ({decision['supervisor']})" if decision["supervisor"] else ""
        rows.append(("decision", f"{decision['said']}{by}"))
    if found["more"]:
        rows.append(("", f"and {found['more']} more like it within ten minutes"))
    rows.append(
        ("daemon", f"version {found['version']}, run {found['run']}, settings version {found['config_version']}")
    )
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _sections(found: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield "facts", [f"{name}: {_short(value)}" for name, value in found["facts"].items()]
    yield "message", _message(found["message"])
    mailbox = found["mailbox"]
    if mailbox:
        first = f"; first: {', '.join(mailbox['first'])}" if mailbox["first"] else ""
        yield "mailbox", [f"{mailbox['depth']} waiting, oldest {age(mailbox['oldest_ms'])}{first}"]
    yield "stack", list(found["error"]["trace"])
    yield "where it stood", str(found["stacks"]).splitlines()
    yield "what the venue was asked and said", [_call(each) for each in found["calls"]]
    yield "the same causal chain, newest events", [_event(each) for each in found["chain"]]
    yield "its stream, newest events", [_event(each) for each in found["events"]]
    yield f"state before it ({found['state_from'] or 'unknown'})", _state(found["state"])


def _message(message: dict[str, Any] | None) -> list[str]:
    if not message:
        return []
    sender = f" from {message['sender']}" if message["sender"] else ""
    ids = f"id {message['message_id']}, chain {message['correlation_id']}, caused by {message['causation_id']}"
    return [
        f"{message['type']}{sender}, waited {age(message['waited_ms'])}: {message['outcome']}",
        ids,
        *_state(message["fields"]),
    ]


def _call(each: Any) -> str:
    if not isinstance(each, dict) or "call" not in each:
        return _short(each)
    word = "failed" if each["failed"] else "->"
    asked = ", ".join(_short(one) for one in each["asked"])
    took = f"{each['ms']:.0f} ms" if each["ms"] >= 0 else "under way"
    return f"{instant(each['at'])}  {each['call']}({asked}) {word} {_short(each['answer'])}  [{took}]"[: 3 * _WIDE]


def _event(each: Any) -> str:
    if not isinstance(each, dict) or "event" not in each:
        return _short(each)
    event = dict(each["event"]) if isinstance(each["event"], dict) else {"type": str(each["event"])}
    name = event.pop("type", "event")
    return f"{instant(each['at'])}  {each['stream']} #{each['seq']}  {name}  {_short(event)}"


def _state(state: Any) -> list[str]:
    if state in (None, "", {}):
        return []
    if not isinstance(state, dict):
        return [_short(state)]
    return [f"{name}: {_short(value)}" for name, value in state.items() if name != "type"]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDE else f"{text[:_WIDE]}..."
