"""Operators' commands: each becomes one message to the actor that owns what it changes."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import Any, Final

import protocol
from protocol.codec import decode_named
from protocol.control import ActorStanding, ReleaseActor, RestartActor
from protocol.errors import ValidationError
from protocol.messages import Request, injectable_types
from runtime.ref import ActorRef
from runtime.system import ActorSystem
from service.api.answers import Refused, not_found, plain
from service.api.host import ASK_S
from supervision.tree import supervisor_of

__all__ = ["CONTROL_S", "actor_at", "injectable", "near", "release", "restart", "send"]

CONTROL_S: Final = 60.0
"""Seconds a released or restarted actor has to come up."""

_learned: list[str] = []


def near(name: str, known: list[str]) -> str:
    """Return a hint at what was probably meant; empty when nothing is near."""
    found = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    ends = [each for each in known if each.endswith("/" + name.strip("/"))]
    wanted = list(dict.fromkeys([*ends, *found]))[:3]
    return f"; did you mean {', '.join(wanted)}?" if wanted else ""


def actor_at(system: ActorSystem, path: str) -> ActorRef:
    """Return the actor at a path; raise ``Refused`` with the near ones."""
    ref = system.lookup(path)
    if ref is None:
        raise not_found(f"no actor lives at {path}", value=path, hint=near(path, system.paths()))
    return ref


def injectable() -> dict[str, type[Any]]:
    """Return the message types an operator may send: those of ``protocol`` that are no journal events."""
    if not _learned:
        for module in pkgutil.walk_packages(protocol.__path__, "protocol."):
            importlib.import_module(module.name)
        _learned.append("all")
    return {name: of for name, of in injectable_types().items() if of.__module__.startswith("protocol.")}


async def send(system: ActorSystem, path: str, message: bytes) -> dict[str, Any]:
    """Tell an actor a message, or ask it a request and return the answer."""
    known = injectable()
    decoded = decode_named(message)
    kind = type(decoded)
    if kind.__name__ not in known:
        text = f"{kind.__name__} is a fact for the journal or for one actor's own use and cannot be sent"
        raise ValidationError("$.type", text, code="NotInjectable", value=kind.__name__)
    ref = actor_at(system, path)
    _must_handle(system, path, kind)
    if isinstance(decoded, Request):
        answer = await ref.ask(decoded, ASK_S)
        return {"sent": kind.__name__, "to": path, "answer": plain(answer)}
    ref.tell(decoded)
    return {"sent": kind.__name__, "to": path, "answer": None}


def _must_handle(system: ActorSystem, path: str, kind: type[Any]) -> None:
    """Refuse at once what the actor has no handler for; a tell would end unseen in the dead letters."""
    cell = system.cell_of(path)
    handled = cell.actor.HANDLERS if cell is not None and cell.actor is not None else None
    if handled is None or kind in handled:
        return
    names = sorted(each.__name__ for each in handled if each.__module__.startswith("protocol."))
    takes = f"it takes {', '.join(names)}" if names else "it takes no messages from outside"
    raise Refused(422, "Unhandled", f"{path} does not handle {kind.__name__}; {takes}", path="$.type")


async def release(system: ActorSystem, path: str) -> ActorStanding:
    """Let a quarantined actor go on; raises what its supervisor answers."""
    actor_at(system, path)
    return await _above(system, path).ask(ReleaseActor(path), CONTROL_S)


async def restart(system: ActorSystem, path: str) -> ActorStanding:
    """Stop an actor in order and start it again."""
    actor_at(system, path)
    return await _above(system, path).ask(RestartActor(path), CONTROL_S)


def _above(system: ActorSystem, path: str) -> ActorRef:
    above = supervisor_of(system, path)
    if above is None:
        raise Refused(409, "NoSupervisor", "the root has no supervisor: stop the daemon and start it again", value=path)
    return above
