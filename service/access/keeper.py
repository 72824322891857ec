"""What the API asks: who is this, let them in, let them out. Everything that takes long is done beside the event loop.

A credential that was proven once in this life of the daemon is known by its fingerprint from then on: a request costs a
look into two tables. A locked address is refused everything but such credentials, so that whoever guesses from the same
machine, or through the same proxy, cannot shut out who is in already.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

import anyio
from anyio import CapacityLimiter
from msgspec import structs

from protocol.errors import BulkheadError
from runtime.journal import JournalUnavailable
from service.access import commands
from service.access.answers import SessionsEnded
from service.access.credentials import Credential, Kind, Signer, fingerprint, make, new_id, parse
from service.access.errors import AccessRefused
from service.access.guessing import Guessing, name_key
from service.access.hashing import NOBODY, hash_secret, matches
from service.access.lockout import LOCKED_NS
from service.access.roles import Caller, scopes_of
from service.access.rows import Person, Session, Token
from service.access.store import AccessStore

__all__ = ["ACCESS_NS", "IDLE_NS", "SESSIONS_MOST", "Access", "Login"]

T = TypeVar("T")

_SECOND: Final = 10**9
ACCESS_NS: Final = 15 * 60 * _SECOND
"""How long an access token counts."""
IDLE_NS: Final = 12 * 3_600 * _SECOND
"""A browser that asks nothing for so long is logged out (EX-1507)."""
_REFRESH_NS: Final = 14 * 86_400 * _SECOND
"""A refresh token that is not used for so long is over."""
_LONGEST_NS: Final = 30 * 86_400 * _SECOND
"""No session lives longer, however busy."""
_TOUCH_NS: Final = 300 * _SECOND
"""How far a session's last use on the disk may lag behind."""
_ENDED_KEPT_NS: Final = 7 * 86_400 * _SECOND
"""How long an ended session is known: whoever comes with it is told so, and is no guesser."""
SESSIONS_MOST: Final = 50
"""Open sessions of one person; with one more the one that was used longest ago ends."""
_PROVEN: Final = 10_000
_LOOK_NS: Final = _SECOND


class Login(NamedTuple):
    """A new or refreshed session: a browser gets ``secret`` as a cookie, everybody else as a refresh token."""

    caller: Caller
    person: Person
    access: str
    secret: str
    until: int


class Access:
    """Sessions, people and tokens of one daemon. ``say`` hears what a log should know: code, severity, text.

    While the server that keeps them is away, what was known counts; nobody new is let in.
    """

    def __init__(
        self,
        opened: Callable[[], AccessStore],
        now: Callable[[], int],
        say: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self._open = opened
        self.now = now
        self._say = say
        self._store: AccessStore | None = None
        self._turn: CapacityLimiter | None = None
        self._signer = Signer()
        self.guessing = Guessing(say)
        self._proven: OrderedDict[bytes, tuple[Kind, str]] = OrderedDict()
        self._people: dict[str, Person] = {}
        self._sessions: dict[str, Session] = {}
        self._tokens: dict[str, Token] = {}
        self._looked_at = 0

    def close(self) -> None:
        """Release the file."""
        if self._store is not None:
            self._store.close()
            self._store = None

    # --- who is this ---------------------------------------------------------------------------------------------------

    async def caller(self, text: str, address: str) -> Caller:
        """Return whose credential this is; raise ``AccessRefused`` for one that is wrong, over, or locked out."""
        await self._look()
        known = self._proven.get(fingerprint(text))
        if known is None:
            given = parse(text)
            known = await self._prove(given, text, address)
        caller = self._caller_of(*known)
        await self._touch(*known)
        return caller

    def still(self, caller: Caller) -> bool:
        """Tell whether a caller who was let in may stay: for connections that outlive a request."""
        if caller.kind == "local":
            return True
        try:
            self._caller_of(Kind.PROGRAM if caller.kind == "token" else Kind.ACCESS, caller.id)
        except AccessRefused:
            return False
        return True

    async def _prove(self, given: Credential | None, text: str, address: str) -> tuple[Kind, str]:
        if given is not None and given.kind is Kind.ACCESS:
            until = self._signer.until(given)
            if until is not None:
                if until <= self.now():
                    raise AccessRefused(
                        "TokenExpired", "this access token is over: refresh the session, or log in again"
                    )
                return given.kind, given.id
        self.guessing.refuse_locked(address, self.now())
        if given is None or not await self._run(lambda _: self._verified(given, text)):
            raise await self._failed(f"token {given.id}" if given is not None else "", address)
        return given.kind, given.id

    def _verified(self, given: Credential, text: str) -> bool:
        """Tell whether a credential is right, and remember it; of many that come at once the first is worked on."""
        found = fingerprint(text)
        if found in self._proven:
            return True
        kept = self._kept(given)
        if not kept or not matches(kept, given.secret):
            return False
        self._proven[found] = given.kind, given.id
        while len(self._proven) > _PROVEN:
            self._proven.popitem(last=False)
        return True

    def _kept(self, given: Credential) -> str:
        """Return the hash of the row that a credential names; an ended one too: showing it is no guess."""
        if given.kind is Kind.PROGRAM:
            token = self._tokens.get(given.id)
            return token.secret_hash if token is not None else ""
        session = self._sessions.get(given.id)
        return session.secret_hash if session is not None and session.browser and given.kind is Kind.COOKIE else ""

    def _caller_of(self, kind: Kind, ident: str) -> Caller:
        now = self.now()
        if kind is Kind.PROGRAM:
            token = self._tokens.get(ident)
            if token is None or token.revoked_at is not None:
                raise AccessRefused("TokenRevoked", "this token was revoked: ask an admin for another one")
            if _over(token.until, now):
                raise AccessRefused("TokenExpired", f"the token {token.name} is over: ask an admin for another one")
            return Caller(token.name, "token", ident, scopes_of(token.scope), token.until or 0)
        session = self._sessions.get(ident)
        person = self._people.get(session.person) if session is not None else None
        if session is None or person is None or session.ended_at is not None or session.until <= now:
            raise AccessRefused("SessionEnded", "this session has ended: log in again")
        if session.browser and now - session.seen_at >= IDLE_NS:
            raise AccessRefused("SessionEnded", "this session was idle for 12 hours: log in again")
        return Caller(
            person.name, "browser" if session.browser else "session", ident, scopes_of(person.role), session.until
        )

    async def _touch(self, kind: Kind, ident: str) -> None:
        session = self._sessions.get(ident) if kind is not Kind.PROGRAM else None
        if session is None:
            return
        now = self.now()
        if now - session.seen_at > _TOUCH_NS:
            with suppress(JournalUnavailable):  # the next request tries again
                await self._run(lambda store: self._changed(store, session, structs.replace(session, seen_at=now)))

    # --- in and out ----------------------------------------------------------------------------------------------------

    async def login(self, name: str, password: str, address: str, *, browser: bool = False) -> Login:
        """Begin a session; raise ``AccessRefused``, after as long a time for a wrong name as for a wrong password."""
        await self._look(at_once=True)
        self.guessing.refuse_locked(address, self.now(), name_key(name))
        person = self._people.get(name)
        kept = person.password_hash if person is not None else NOBODY
        good = await self.guessing.hashed(lambda: matches(kept, password))
        if not good or person is None:
            raise await self._failed(name_key(name), address, name)
        self.guessing.succeeded(name_key(name))
        now = self.now()
        secret = make(Kind.COOKIE if browser else Kind.REFRESH, new_id())
        session = Session(
            id=secret.id,
            person=name,
            browser=browser,
            secret_hash=await self.guessing.hashed(lambda: hash_secret(secret.secret)),
            former_hash="",
            created_at=now,
            seen_at=now,
            until=now + (_LONGEST_NS if browser else _REFRESH_NS),
            address=address,
        )
        if not await self._run(lambda store: self._begun(store, session, person)):
            # Removed, or another password, while this one was looked at.
            raise await self._failed(name_key(name), address, name)
        await self._end_oldest(name)
        self._say("LoggedIn", "info", f"{name} logged in from {address}")
        return self._login_of(session, str(secret))

    async def _end_oldest(self, name: str) -> None:
        """End what is too many of a person's sessions, and forget what ended long ago."""
        now = self.now()
        living = [each for each in self._sessions.values() if each.person == name and each.ended_at is None]
        for each in sorted(living, key=lambda session: session.seen_at)[:-SESSIONS_MOST]:
            await self._end(each.id, "too many sessions")
        if len(self._sessions) > 2 * SESSIONS_MOST:
            await self._run(lambda store: store.forget_before(now - _ENDED_KEPT_NS))
            await self._run(self._load)

    async def refresh(self, text: str, address: str) -> Login:
        """Go on with a session under a new refresh token; a former one ends the session: it was stolen from somebody."""
        await self._look(at_once=True)
        self.guessing.refuse_locked(address, self.now())
        given = parse(text)
        session = self._sessions.get(given.id) if given is not None and given.kind is Kind.REFRESH else None
        if given is None or session is None:
            raise await self._failed(f"token {given.id}" if given is not None else "", address)
        secret = make(Kind.REFRESH, session.id)
        ended, found = await self._run(lambda store: self._rotated(store, given, secret))
        if ended:
            self._say(
                "TokenReused", "warning", f"a used refresh token of {found.person} came from {address}: session ended"
            )
            raise AccessRefused(
                "TokenReused", "this refresh token was used before; the session has ended: log in again"
            )
        if found is session:
            raise await self._failed(f"token {given.id}", address)
        return self._login_of(found, str(secret))

    def _rotated(self, store: AccessStore, given: Credential, new: Credential) -> tuple[bool, Session]:
        """Return whether the token was a former one, and the session as it is now. One at a time: nothing comes between."""
        self._caller_of(Kind.REFRESH, given.id)
        session, now = self._sessions[given.id], self.now()
        if matches(session.secret_hash, given.secret):
            until = min(now + _REFRESH_NS, session.created_at + _LONGEST_NS)
            changes = {"secret_hash": hash_secret(new.secret), "former_hash": session.secret_hash}
            after = structs.replace(session, seen_at=now, until=until, **changes)
        elif session.former_hash and matches(session.former_hash, given.secret):
            after = structs.replace(session, ended_at=now, ended="a used refresh token was shown again")
        else:
            return False, session
        if not self._changed(store, session, after):
            return self._rotated(store, given, new)  # another process has changed it meanwhile
        return after.ended_at is not None, after

    async def logout(self, caller: Caller) -> None:
        """End the session of a caller; a token of a program stays until it is revoked."""
        await self._end(caller.id, "logged out")

    async def _end(self, ident: str, why: str) -> None:
        def ended(store: AccessStore) -> None:
            while (session := self._sessions.get(ident)) is not None and session.ended_at is None:
                self._changed(store, session, structs.replace(session, ended_at=self.now(), ended=why))

        await self._run(ended)

    def _login_of(self, session: Session, secret: str) -> Login:
        until = min(self.now() + ACCESS_NS, session.until)
        caller = self._caller_of(Kind.COOKIE, session.id)
        return Login(caller, self._people[session.person], self._signer.sign(session.id, until), secret, until)

    async def _failed(self, about: str, address: str, name: str = "") -> AccessRefused:
        """Count a failure; return the refusal, which never says what was wrong."""
        now = self.now()
        if locked := self.guessing.failed(address, now, about, known=name in self._people):
            await self._run(lambda store: store.put_locks(dict.fromkeys(locked, now + LOCKED_NS), now))
        if about.startswith(name_key("")):
            return AccessRefused("LoginFailed", "name or password is wrong")
        return AccessRefused("InvalidToken", "this is no token that counts here")

    # --- the file ------------------------------------------------------------------------------------------------------

    async def change(self, work: Callable[[AccessStore], T]) -> T:
        """Return what a change of people or tokens comes to; it holds from the next request on."""

        def done(store: AccessStore) -> T:
            try:
                return work(store)
            finally:
                self._load(store)

        return await self._run(done)

    async def end_sessions(self, name: str) -> SessionsEnded:
        """End every session of somebody; of everybody for an empty name, and sign access tokens with another key."""
        ended = await self.change(lambda store: commands.logout(store, name, self.now()))
        if not name:
            self._signer = Signer()
        return ended

    def _begun(self, store: AccessStore, session: Session, person: Person) -> bool:
        begun = store.begin_session(session, person)
        if begun:
            self._sessions[session.id] = session
        return begun

    def _changed(self, store: AccessStore, before: Session, after: Session) -> bool:
        """Keep a session that is still what it was; else look what it is. Nothing that was ended comes back so."""
        changed = store.change_session(before, after)
        if changed:
            self._sessions[after.id] = after
        else:
            self._load(store)
        return changed

    def look_again(self) -> None:
        """Have the next request look for changes, however short ago the last one did."""
        self._looked_at = 0

    async def look(self) -> None:
        """Learn what others have written, for callers who stay connected without asking; never raises.

        Nobody was let in before the store was opened, so nobody can have to leave.
        """
        if self._store is not None:
            with suppress(BulkheadError, sqlite3.Error):  # what was known counts until the store can be read again
                await self._look()

    async def _look(self, *, at_once: bool = False) -> None:
        """Take over what a command line has written meanwhile; looked for once a second."""
        now = self.now()
        if self._store is None or at_once or not 0 <= now - self._looked_at < _LOOK_NS:
            self._looked_at = now
            try:
                await self._run(self._load_if_changed)
            except JournalUnavailable:
                if at_once or self._store is None:
                    raise

    def _load_if_changed(self, store: AccessStore) -> None:
        if store.changed() or not self._people:
            self._load(store)

    def _load(self, store: AccessStore) -> None:
        self._people = {each.name: each for each in store.people()}
        self._sessions = {each.id: each for each in store.sessions()}
        self._tokens = {each.id: each for each in store.tokens()}

    async def _run(self, work: Callable[[AccessStore], T]) -> T:
        if self._turn is None:
            self._turn = CapacityLimiter(1)
        return await anyio.to_thread.run_sync(lambda: work(self._opened()), limiter=self._turn)

    def _opened(self) -> AccessStore:
        if self._store is None:
            store = self._open()
            store.forget_before(self.now() - _ENDED_KEPT_NS)
            self._load(store)
            for key, until in store.locks().items():
                self.guessing.lock(key, until, known=key in map(name_key, self._people))
            self._store = store
        return self._store


def _over(until: int | None, now: int) -> bool:
    return until is not None and until <= now
