"""Projections of the loss offset: what each cycle decided, what its plan did, what it booked (EX-1025, EX-1616)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from protocol.codec import encode_json
from protocol.messages import Value
from protocol.offset import (
    OffsetDecided,
    OffsetEnded,
    OffsetPlan,
    OffsetRepeated,
    OffsetStarted,
    OffsetStepEnded,
)
from protocol.values import Instant
from store.views.identity import group_identity
from store.views.registry import Writer, insert, projection, run

__all__ = ["DecisionRow", "StepRow", "decided", "ended", "groups_of", "repeated", "started", "step_ended"]


class StepRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One close of a plan as it ended; ``booked_usd`` is after fees, ``worst_slippage`` percent."""

    step_id: str
    group_id: str
    loser: bool
    status: str
    code: str
    qty: Decimal
    booked_usd: Decimal
    slippage_exceeded: bool
    worst_slippage: Decimal | None
    at: Instant


class DecisionRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One decision of a loss offset (``engine`` is its path), made ``repeats`` more times until ``last_at``.

    ``outcome`` is empty without a plan, ``running``, ``done``, ``stopped`` or ``nothing_closed``; ``code`` says why.
    ``reasons``, ``losses`` (USD) and ``left_out`` are by group, ``ranked`` the eligible groups, worst first. ``named`` says
    who each group is (``BTC/USDT 15m long``), also when it has been closed since.
    """

    engine: str
    decision_id: str
    position: int
    account: str
    at: Instant
    last_at: Instant
    repeats: int
    trigger: str
    status: str
    reasons: dict[str, tuple[str, ...]]
    losses: dict[str, Decimal]
    left_out: dict[str, str]
    ranked: tuple[str, ...]
    named: dict[str, str]
    plan: OffsetPlan | None
    plan_id: str
    forced: bool
    steps: tuple[StepRow, ...]
    booked_usd: Decimal
    outcome: str
    code: str
    ended_at: Instant | None

    @property
    def duration_ns(self) -> int | None:
        """How long its plan took; None without one, or while it runs."""
        return None if self.ended_at is None else self.ended_at - self.at


def _json(value: object) -> str:
    return encode_json(value).decode()


def groups_of(event: OffsetDecided | OffsetStarted) -> Iterator[str]:
    """Yield the groups that a decision or a plan names."""
    if isinstance(event, OffsetDecided):
        yield from event.reasons
        yield from event.left_out
    if event.plan is not None:
        yield event.plan.loser
        yield from (each.group_id for each in event.plan.winners)


@projection(OffsetDecided)
def decided(writer: Writer, event: OffsetDecided) -> None:
    """Write a decision."""
    insert(
        writer,
        "risk_decisions",
        engine=writer.record.stream,
        decision_id=event.decision_id,
        position=writer.record.position,
        account=event.account,
        at=event.at,
        last_at=event.at,
        trigger=event.trigger,
        status=event.status,
        reasons=_json(event.reasons),
        losses=_json(event.losses),
        left_out=_json(event.left_out),
        ranked=_json(event.ranked),
        named=_json({group_id: str(group_identity(writer, group_id)) for group_id in groups_of(event)}),
        plan=_json(event.plan),
        plan_id=event.plan_id,
    )


@projection(OffsetRepeated)
def repeated(writer: Writer, event: OffsetRepeated) -> None:
    """Write how often it came out the same."""
    sql = "UPDATE risk_decisions SET repeats = ?, last_at = ? WHERE engine = ? AND decision_id = ?"
    run(writer, sql, event.repeats, event.last_at, writer.record.stream, event.decision_id)


@projection(OffsetStarted)
def started(writer: Writer, event: OffsetStarted) -> None:
    """Write that its plan is carried out."""
    sql = "UPDATE risk_decisions SET outcome = 'running', forced = ? WHERE engine = ? AND decision_id = ?"
    run(writer, sql, event.forced, writer.record.stream, event.decision_id)


@projection(OffsetStepEnded)
def step_ended(writer: Writer, event: OffsetStepEnded) -> None:
    """Add a close of the plan."""
    step = StepRow(**{name: getattr(event, name) for name in StepRow.__struct_fields__})
    plan = (writer.record.stream, event.plan_id)
    found = writer.one("SELECT steps FROM risk_decisions WHERE engine = ? AND plan_id = ?", *plan)
    if found is not None:
        steps = _json([*msgspec.json.decode(found[0], type=list[StepRow]), step])
        run(writer, "UPDATE risk_decisions SET steps = ? WHERE engine = ? AND plan_id = ?", steps, *plan)


@projection(OffsetEnded)
def ended(writer: Writer, event: OffsetEnded) -> None:
    """Write how the plan ended and what it booked."""
    sql = """UPDATE risk_decisions SET outcome = ?, code = ?, booked_usd = ?, ended_at = ?
        WHERE engine = ? AND decision_id = ?"""
    stream = writer.record.stream
    run(writer, sql, event.outcome, event.code, event.booked_usd, event.at, stream, event.decision_id)
