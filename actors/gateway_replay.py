"""Read stored requests again, and say step by step what would become of a signal (EX-260 to EX-263)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from actors.gateway_judge import Judgement
from actors.gateway_settings import GatewaySettings
from protocol.codec import decode_json
from protocol.pool import DryRun
from protocol.signals import InjectSignal, SignalReceived, SignalReport, Step
from rules.signals import status_of
from rules.signals.mappings import Reading, read_body
from runtime.errors import ActorError
from runtime.journal import JournalError
from runtime.system import ActorSystem

__all__ = ["Original", "checked", "found_original", "line_named", "reread"]

_WAIT_S: Final = 2.0


class Original(NamedTuple):
    """A stored request."""

    event: SignalReceived


def found_original(system: ActorSystem, stream: str, signal_id: str) -> Original | None:
    """Return the stored request that got this id; None when there is none.

    Ids are numbered by the stream itself, so one record is read and not the whole of it.
    """
    number = signal_id.removeprefix("s").partition("-")[0]
    journal = system.durability.journal
    if journal is None or not number.isdigit():
        return None
    record = next(iter(journal.reader().read(stream, int(number) - 1)), None)
    event = record.event if record is not None else None
    wanted = signal_id.partition("-")[0]
    return Original(event) if isinstance(event, SignalReceived) and event.signal_id == wanted else None


def reread(original: Original, settings: GatewaySettings) -> Reading | InjectSignal:
    """Return what a stored request says under the present settings; its secret is not stored and not missed."""
    event = original.event
    body = event.body.encode()
    if event.source_address == "operator" or '"type":"InjectSignal"' in event.body[:40]:
        return decode_json(body, InjectSignal)
    reading = read_body(
        body, settings.mappings, name=event.mapping, only_venue=settings.only_venue, at=event.received_at
    )
    payload: Any = reading.payload
    if isinstance(payload, dict) and "secret" in payload:
        payload = {name: value for name, value in payload.items() if name != "secret"}
    return reading._replace(payload=payload)


async def checked(system: ActorSystem, judged: Judgement, *, rehearse: bool = True, seen: str = "") -> SignalReport:
    """Return what was decided, step by step; ``rehearse`` also asks each pool what it would do.

    ``seen`` is what the duplicate memory makes of a signal for which that does not count.
    """
    steps = [*_own_steps(judged, seen)]
    if rehearse and judged.accepted and judged.signal is not None:
        for route in judged.routes:
            steps += await _pool_steps(system, route.pool, route.account, judged)
    signal = judged.signal
    routed = judged.accepted and not rehearse and signal is not None
    return SignalReport(
        status=status_of(judged.code),
        outcome=judged.code,
        signal_id=signal.signal_id if routed and signal is not None else "",
        group_key=signal.group_key if signal is not None else "",
        steps=tuple(steps),
        problems=judged.problems,
    )


def _own_steps(judged: Judgement, seen: str) -> list[Step]:
    signal = judged.signal
    if signal is None:
        return [Step("validation", judged.code, tuple(f"{each.path}: {each.message}" for each in judged.problems))]
    fraction = f", {signal.fraction} of it" if signal.fraction is not None else ""
    asked = f"{signal.kind.value} {signal.side.value}{fraction}" + (", flip" if signal.flip else "")
    price = () if signal.entry_price is None else (f"entry price {signal.entry_price}",)
    size = () if signal.order_size is None else (f"size {signal.order_size} {signal.size_type.value}",)
    found = [
        Step("validation", "ok", (f"trade id {signal.trade_id}", f"label {signal.label}", *price, *size)),
        Step("classification", asked, (f"identity {signal.group_key}",)),
    ]
    if judged.problems:
        return [*found, Step("checks", judged.code, tuple(f"{each.path}: {each.message}" for each in judged.problems))]
    known = (f"repeats {judged.resend_of}",) if judged.resend_of else ()
    accounts = tuple(route.account for route in judged.routes)
    skipped = ("a replay in earnest skips this check, and that of the age",) if seen else ()
    found.append(Step("duplicates", seen or judged.outcome, (*known, *skipped)))
    return [*found, Step("accounts", ", ".join(accounts) or "none", tuple(f"{a}: {c}" for a, c in judged.refused))]


async def _pool_steps(system: ActorSystem, pool: str, account: str, judged: Judgement) -> list[Step]:
    """Ask a pool what it would do with this signal now."""
    ref = system.lookup(pool)
    assert judged.signal is not None, "only a signal is routed"
    if ref is None:
        return [Step(f"{account} pool", "its pool does not live at present")]
    try:
        report = await ref.ask(DryRun(judged.signal), _WAIT_S)
    except (ActorError, JournalError) as error:
        return [Step(f"{account} pool", f"gave no answer: {error}")]
    steps = [Step(f"{account} {each.step}", each.result, each.details) for each in report.steps]
    return [*steps, Step(f"{account} outcome", report.outcome)]


def line_named(body: str, message: str) -> str:
    """Return the line of a stored body that a parser's message names: what an operator has to mend."""
    number = message.partition("line ")[2].partition(" ")[0]
    lines = body.splitlines()
    return lines[int(number) - 1].strip()[:80] if number.isdigit() and 0 < int(number) <= len(lines) else ""
