"""Who is at the other end of a connection: a process of this machine, or an address of the network."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from rules.forwarded import forwarded, is_within
from service.access.roles import LOCAL, OPEN, Caller
from service.config.safety_rules import LOOPBACK

__all__ = ["CALLER", "address_of", "author_of", "caller_of", "is_local", "is_own_page", "origin_of"]

CALLER: Final = web.RequestKey("caller", Caller)
"""Where a request carries who asks."""

_CREDENTIAL_SIZE: Final = struct.calcsize("3i")


def is_local(request: web.BaseRequest) -> bool:
    """Tell whether a request came through the control socket, which only the owner can open."""
    found = _socket(request)
    return found is not None and found.family == socket.AF_UNIX


def caller_of(request: web.BaseRequest) -> Caller:
    """Return who asks, as the gate found out; nobody before it has."""
    found: Caller = request.get(CALLER, OPEN)
    return found


def address_of(request: web.BaseRequest, trusted: Sequence[str]) -> str:
    """Return the address a request comes from; a trusted proxy's word counts for the one before it, and the owner's."""
    remote = request.remote or "unknown"
    if not is_local(request) and not is_within(remote, trusted):
        return remote
    return forwarded(remote, request.headers.getall("X-Forwarded-For", []), trusted)


def is_own_page(request: web.BaseRequest, allowed: Sequence[str], *, behind_proxy: bool) -> bool:
    """Tell whether the page that asks is one of this address, or one that is allowed.

    Over plain HTTP it has to name this machine as itself: any other name may have been pointed here by whoever made the page
    (DNS rebinding), and nothing proves it.
    """
    origin = request.headers.get("Origin", "")
    if origin in allowed:
        return True
    try:
        page = urlsplit(origin)
        proven = request.secure or behind_proxy or page.hostname in LOOPBACK
    except ValueError:
        return False
    return proven and page.netloc == request.host


def origin_of(request: web.BaseRequest, trusted: Sequence[str] = ()) -> tuple[str, str]:
    """Return who sends a request and from where, as the audit log says it."""
    caller = caller_of(request)
    if not is_local(request) or caller.id:
        kinds = {"token": f"token {caller.id}", "session": f"session {caller.id}", "browser": f"browser {caller.id}"}
        return caller.name, f"{kinds.get(caller.kind, 'nobody')}, {address_of(request, trusted)}"
    found = _socket(request)
    assert found is not None, "a local request has a socket"
    try:
        raw = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIAL_SIZE)
        process, account, _ = struct.unpack("3i", raw)
    except (OSError, AttributeError):  # another system than Linux
        account, process = os.getuid(), 0
    try:
        name = pwd.getpwuid(account).pw_name
    except KeyError:
        name = f"uid {account}"
    return name, f"control socket, process {process}" if process else "control socket"


def author_of(request: web.BaseRequest, given: str = "") -> str:
    """Return who does something, as it stands in histories: who was let in; the owner of this machine may give a name."""
    return given if given and caller_of(request) is LOCAL else origin_of(request)[0]


def _socket(request: web.BaseRequest) -> socket.socket | None:
    found: socket.socket | None = request.get_extra_info("socket")
    return found
