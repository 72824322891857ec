"""What is kept of people, sessions, tokens and locks: in a file, or on the server that has the journal (``tables``).

It stands beside the journal and not in it: what is in here must be forgettable, and no hash belongs into a record that is
kept for ever. A daemon and a command line may have it open at the same time; ``changed`` says that another one has written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from protocol.codec import decode_json, encode_json
from service.access.opening import open_tables
from service.access.rows import Person, Session, Token
from service.access.tables import Kind, Statement, Where

__all__ = ["ACCESS_FILE", "PEOPLE", "AccessStore"]

ACCESS_FILE: Final = "access.db"

_ROW: Final = "id text primary key, row {bytes} not null"
PEOPLE: Final = Kind(
    name="access",
    version=1,
    tables={"people": _ROW, "sessions": _ROW, "tokens": _ROW, "locks": "id text primary key, until bigint not null"},
    advice="move it away, then let people in again",
)

R = TypeVar("R", bound=msgspec.Struct)


class AccessStore:
    """The open store. Every method is one transaction; call them from one thread at a time.

    Raises ``AccessFileUnsafe`` and, for a server, ``JournalUnavailable``. ``former``: see ``open_tables``.
    """

    def __init__(self, where: Where, former: Path | None = None) -> None:
        self._tables = open_tables(where, PEOPLE, former)

    def close(self) -> None:
        """Release it."""
        self._tables.close()

    # --- looking -------------------------------------------------------------------------------------------------------

    def changed(self) -> bool:
        """Tell whether somebody else has written since the last time this was asked."""
        return self._tables.changed()

    def people(self) -> list[Person]:
        """Return everybody."""
        return self._rows("people", Person)

    def sessions(self) -> list[Session]:
        """Return every session that is kept, ended ones too."""
        return self._rows("sessions", Session)

    def tokens(self) -> list[Token]:
        """Return every token, revoked ones too."""
        return self._rows("tokens", Token)

    def locks(self) -> dict[str, int]:
        """Return until when each name or address is locked."""
        return dict(self._tables.fetch("select id, until from locks"))

    # --- writing -------------------------------------------------------------------------------------------------------

    def put_person(self, row: Person) -> None:
        """Keep a person, in place of one of the same name."""
        self._put("people", row.name, row)

    def drop_person(self, name: str) -> None:
        """Forget a person and every session of theirs."""
        theirs = [each.id for each in self.sessions() if each.person == name]
        self._tables.write(_without("people", name), *(_without("sessions", each) for each in theirs))

    def put_session(self, row: Session) -> None:
        """Keep a session."""
        self._put("sessions", row.id, row)

    def begin_session(self, row: Session, person: Person) -> bool:
        """Keep a new session of a person; False, and nothing is kept, when they are not what they were at the login."""
        gone = "delete from sessions where id = ? and not exists (select 1 from people where id = ? and row = ?)"
        kept = Statement("insert into sessions values (?, ?)", (row.id, encode_json(row)))
        return not self._tables.write(kept, Statement(gone, (row.id, person.name, encode_json(person))))

    def change_session(self, before: Session, after: Session) -> bool:
        """Keep a session in the place of what it was; False, and nothing is kept, when it is something else by now."""
        swap = "update sessions set row = ? where id = ? and row = ?"
        return self._tables.write(Statement(swap, (encode_json(after), after.id, encode_json(before)))) == 1

    def put_token(self, row: Token) -> None:
        """Keep a token."""
        self._put("tokens", row.id, row)

    def put_locks(self, until: Mapping[str, int], now: int) -> None:
        """Keep locks over a restart; those that are over go, or a crowd of made-up names would fill the disk."""
        put = "insert into locks values (?, ?) on conflict (id) do update set until = excluded.until"
        over = Statement("delete from locks where until <= ?", (now,))
        self._tables.write(over, *(Statement(put, each) for each in until.items()))

    def forget_before(self, at: int) -> None:
        """Drop locks that are over and sessions that ended before an instant."""
        over = [each.id for each in self.sessions() if min(each.until, each.ended_at or each.until) <= at]
        locks = Statement("delete from locks where until <= ?", (at,))
        self._tables.write(locks, *(_without("sessions", each) for each in over))

    def _put(self, table: str, key: str, row: msgspec.Struct) -> None:
        put = f"insert into {table} values (?, ?) on conflict (id) do update set row = excluded.row"  # noqa: S608 - ours
        self._tables.write(Statement(put, (key, encode_json(row))))

    def _rows(self, table: str, of: type[R]) -> list[R]:
        read: Callable[[bytes, Any], R] = decode_json
        return [read(row, of) for (row,) in self._tables.fetch(f"select row from {table} order by id")]  # noqa: S608 - ours


def _without(table: str, key: str) -> Statement:
    return Statement(f"delete from {table} where id = ?", (key,))  # noqa: S608 - ours
