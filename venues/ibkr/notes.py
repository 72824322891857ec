"""What must survive a restart: which orders we have tried to send, and which order ids are used up.

The note about an order is on disk before its first byte leaves. So an id without a note was never sent from this folder,
and one with a note was sent at that instant or never: both are needed to prove that the broker does not have an order.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Final

__all__ = ["BLOCK", "Notes", "write_whole"]

BLOCK: Final = 1000
"""Order ids that are reserved at once."""

_NEVER: Final = 0
"""Stands for the instant of an order that was not sent after all."""


class Notes:
    """Notes of one account and client id in a folder; without a folder they last as long as the process."""

    def __init__(self, folder: str, name: str) -> None:
        self._sent: dict[str, int] = {}
        self._qty: dict[str, Decimal] = {}
        self._reserved = 0
        self.lasting = bool(folder)
        self._orders = Path(folder) / f"{name}.sent.jsonl"
        self._ids = Path(folder) / f"{name}.order-ids.json"

    def load(self) -> None:
        """Read what an earlier life wrote; a line that was cut off in its middle was no order yet."""
        if not self.lasting:
            return
        self._orders.parent.mkdir(parents=True, exist_ok=True)
        if self._orders.exists():
            for line in self._orders.read_text().splitlines():
                try:
                    client_id, at, *qty = json.loads(line)
                except ValueError:
                    continue
                self._sent[client_id] = at
                if at == _NEVER:
                    del self._sent[client_id]
                if qty:
                    self._qty[client_id] = Decimal(qty[0])
        if self._ids.exists():
            self._reserved = int(json.loads(self._ids.read_text())["reserved"])

    def sent_at(self, client_id: str) -> int | None:
        """Return when an order was tried to be sent, None if never."""
        return self._sent.get(client_id)

    def qty(self, client_id: str) -> Decimal | None:
        """Return how much was ordered, None where that was not noted."""
        return self._qty.get(client_id)

    def unsent(self, client_id: str) -> None:
        """Take back that an order was sent: it certainly did not arrive. On disk when this returns."""
        self.write(client_id, _NEVER)
        del self._sent[client_id]

    def write(self, client_id: str, at: int, qty: Decimal | None = None) -> None:
        """Note that an order is about to be sent; on disk when this returns."""
        line = [client_id, at] if qty is None else [client_id, at, str(qty)]
        if self.lasting:
            handle = os.open(self._orders, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # A line that a crash cut off must not swallow this one.
                os.write(handle, b"\n" + json.dumps(line).encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        self._sent[client_id] = at
        if qty is not None:
            self._qty[client_id] = qty

    @property
    def next_free(self) -> int:
        """Return the first order id that no life of ours has used."""
        return self._reserved + 1

    def reserve(self, up_to: int) -> None:
        """Use up all order ids to ``up_to`` and a block more, for ever, whatever the gateway remembers."""
        if up_to > self._reserved:
            self._reserved = up_to + BLOCK
            if self.lasting:
                write_whole(self._ids, json.dumps({"reserved": self._reserved}))


def write_whole(path: Path, text: str) -> None:
    """Replace a file: after a crash it holds what it held before, or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    other = path.with_name(path.name + ".new")
    with other.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    other.replace(path)
