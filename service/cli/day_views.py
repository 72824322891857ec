"""Check a recorded day and print what came of it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure
from service.cli.output import console, print_json, print_line, show, table
from service.cli.parts import usage
from service.cli.views import instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.config import Config
    from service.day_report import DayOutcome, Difference

__all__ = ["verify_day"]


def verify_day(config: Config, wanted: str, *, as_json: bool) -> int:
    """Check a day against the journal; return the exit code: 1 when it decides otherwise."""
    from service.config import open_webhook_secrets
    from service.day_check import check_day
    from service.input_recording import inputs_folder
    from service.journals import open_live_reader
    from store.inputs.files import NoRecord, days

    day, folder = _day(wanted), inputs_folder(config)
    with closing(open_live_reader(config, check=False)) as journal:
        try:
            outcome = check_day(
                journal, folder, day, secrets=open_webhook_secrets(config), progress=_progress(as_json=as_json)
            )
        except NoRecord as error:
            known = days(folder)[-7:]
            there = f"recorded days: {', '.join(known)}" if known else "self_check.record = true records from now on"
            raise CommandFailed(Failure(ExitCode.NOT_FOUND, "NoRecord", str(error), there)) from error
    if as_json:
        print_json(msgspec.to_builtins(outcome))
    else:
        _print(outcome)
    return ExitCode.OK if outcome.equal else ExitCode.FAILED


def _day(wanted: str) -> str:
    from datetime import date

    from runtime.clock import NANOS, WallClock
    from store.inputs.files import day_of

    now = WallClock().now()
    match wanted.lower():
        case "today":
            return day_of(now)
        case "yesterday":
            return day_of(now - 86_400 * NANOS)
    try:
        return date.fromisoformat(wanted).isoformat()
    except ValueError as error:
        raise usage(f"{wanted!r} is no day", "write 2026-11-21, yesterday or today", path="--verify") from error


def _progress(*, as_json: bool) -> Callable[[int], None]:
    """Return what shows on a terminal how many segments have been read."""
    errors = console(stderr=True)
    if as_json or not errors.is_terminal:
        return lambda _: None

    def said(segments: int) -> None:
        errors.print(f"{segments} segments", end="\r")

    return said


def _print(outcome: DayOutcome) -> None:
    from service.day_report import sentence_of

    print_line(sentence_of(outcome))
    for why in outcome.gaps:
        print_line(f"gap: {why}")
    for path, why in outcome.unverified.items():
        print_line(f"not followed: {path}: {why}")
    if outcome.lost:
        print_line(
            f"{outcome.lost} events were decided and kept by no journal: their actors crashed or were stopped then"
        )
    if outcome.divergence is not None:
        show(_difference(outcome.divergence))


def _difference(found: Difference) -> Any:
    rows = [
        ("why", found.why),
        ("actor", found.actor),
        ("event", f"{found.stream} number {found.seq}, position {found.position or '-'}, {instant(found.at)}"),
        ("message", f"{found.message} {found.message_id} from {found.sender or 'outside'}"),
        ("said", found.said),
        ("chain", f"{found.correlation_id}, caused by {found.causation_id or 'nothing'}"),
        ("journal has", found.journal or "no such event"),
        ("decided now", found.now or "no such event"),
        *((f"field {each.field}", f"{each.journal} -> {each.now}") for each in found.fields),
        ("configuration", f"version {found.config}"),
        ("recorded by", f"bulkhead {found.bulkhead}"),
    ]
    return table(["first divergence", ""], rows)
