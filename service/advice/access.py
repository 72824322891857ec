"""What coming in by the network can end with."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["ACCESS"]

ACCESS: Final = Area(
    "People, tokens and the network",
    "The API answers these over the network; through the local socket nobody is asked who they are.",
    (
        Word(("NotAuthenticated",), "log in, or send a token: `bulkhead token create`"),
        Word(("LoginFailed",), "check name and password; `bulkhead user list` shows the names"),
        Word(("InvalidToken",), "make a new one: `bulkhead token create`"),
        Word(("TokenExpired",), "refresh the session, or make a new token: `bulkhead token create`"),
        Word(("TokenRevoked",), "ask an admin for another token"),
        Word(("SessionEnded",), "log in again"),
        Word(
            ("TokenReused",),
            "log in again; if you did not use that token twice yourself, somebody has it: `bulkhead user password NAME`",
        ),
        Word(
            ("LockedOut",),
            "wait 15 minutes; who is in stays in, the local socket is never locked: `bulkhead log --text LoginFailed`",
        ),
        Word(("TooManyRequests",), "ask less often, or raise `api.requests_per_minute`"),
        Word(("NotAllowed",), "ask an admin for the role or the token that it takes: `bulkhead user role NAME ROLE`"),
        Word(("OriginRefused",), "name the page's address in `api.allowed_origins`"),
        Word(("PositionAhead",), "begin anew without `after`: the journal is another one, or was restored"),
        Word(("BodyLate", "BodyTooLarge"), "send the whole body at once, and a smaller one"),
        Word(("PersonExists", "TokenExists"), "choose another name, or remove the former one"),
        Word(("UnknownPerson",), "`bulkhead user list` shows who there is"),
        Word(("UnknownToken",), "`bulkhead token list` shows those there are"),
        Word(("BadName", "WeakPassword"), "choose another one, as the message says"),
        Word(("AccessFileUnsafe",), "do what the message says; until then nobody comes in by the network"),
        Word(
            ("PlainTextRefused",),
            "set `api.tls_cert` and `api.tls_key`, or `api.behind_proxy` when a proxy ends TLS, or listen on 127.0.0.1",
        ),
        Word(
            ("CertificateUnusable",), "check `api.tls_cert` and `api.tls_key`: PEM files of one pair, readable by you"
        ),
        Word(("BadRequestId", "RequestIdReused"), "send each new request under a new id, such as a UUID"),
        Word(("RequestUnderWay",), "ask again a moment later, under the same id"),
        Word(("ShownOnce",), "nothing more can be shown of it: make a new one, `bulkhead token create`"),
        Word(
            ("OutcomeUnknown",),
            "look first (`bulkhead tail`); send it under a new id if it was not done",
        ),
        Word(("UnsafeAddress",), "name the daemon as https://HOST:PORT; http is for this machine alone"),
        Word(("LoggedIn",), "nothing: it says who came from where"),
    ),
)
