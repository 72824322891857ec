"""Standing by: which of several daemons on one database trades, and how the others wait for their turn."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runtime.journal import JournalUnavailable
from service.config import Config
from service.journals import place_of
from service.tenure import Tenure, names_for, process_name

__all__ = ["NotNeeded", "holding_tenure"]

log = logging.getLogger("bulkhead")

_LOOKS_A_LEASE = 5


class NotNeeded(Exception):
    """A daemon that stood by was told to stop before it was its turn."""


@contextmanager
def holding_tenure(config: Config, on_standby: Callable[[str], None] = lambda _: None) -> Iterator[Tenure | None]:
    """Wait until this daemon may trade, and give its leases back at the end; None where there is nothing to share.

    ``on_standby`` is told who trades, once, when it is not this daemon's turn.

    Files have one writer, whose lock they are. On a database whoever holds the leases trades; everybody else waits here.
    Raises NotNeeded when SIGINT or SIGTERM comes first, and JournalUnavailable when the server cannot be asked at first.
    """
    place = place_of(config)
    if place is None:
        yield None
        return
    from store.postgres.leases import LeaseStore

    names = names_for([account.name for account in config.accounts])
    node = config.redis.node or socket.gethostname()
    tenure = Tenure(LeaseStore(place), names, process_name(node), float(config.database.lease_s))
    try:
        _wait_for_turn(tenure, on_standby)
        yield tenure
    finally:
        tenure.close()


def _wait_for_turn(tenure: Tenure, on_standby: Callable[[str], None]) -> None:
    """Take the leases, as soon as nobody else has them."""
    holder = tenure.take()
    if not holder:
        return
    log.info("standing by: %s trades; this daemon takes over when it ends or is not heard of any more", holder)
    on_standby(holder)
    with _told_to_stop() as stop:
        while holder:
            if stop.wait(tenure.ttl_s / _LOOKS_A_LEASE):
                raise NotNeeded("told to stop while standing by")
            try:
                holder = tenure.take()
            except JournalUnavailable as error:
                log.warning("standing by, and the server cannot be asked: %s", error)
    log.warning("taking over: nobody else holds the leases any more")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Give what is set by SIGINT and SIGTERM, where this is the thread that may hear them."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a signal handler
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
