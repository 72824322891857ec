"""What would become of a signal now, step by step, with nothing changed (EX-262), and mode dry_run, made of that (EX-113).

In mode dry_run every entry, exit and reduction is a rehearsal: it comes to ``dry_run:<what it would be>``, with the steps as
its reasons, and nothing is opened, queued, closed or changed. Groups from before go on by their own targets and stops.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from protocol.pool import DryRunReport, DryStep, QueueAnswer
from protocol.signals import Signal, SignalKind
from rules.pool.admission import figure
from rules.pool.adopting import Adopt
from rules.pool.decide import Action, ByOperator, Command, Enter, Leave, decide
from rules.pool.evolve import fold
from rules.pool.ranking import rank_queue
from rules.pool.state import PoolState
from rules.pool.turn import Decision, Surroundings, Turn

__all__ = ["Rehearse", "carry_out", "what_would_happen"]


class Rehearse(NamedTuple):
    """A signal of any kind is only to be told what it would come to."""

    signal: Signal


def carry_out(state: PoolState, command: Command | Rehearse, world: Surroundings) -> Decision:
    """Decide a command as the mode has it: in dry_run nothing enters, by a signal, by an operator or by its rank."""
    match command:
        case Rehearse(signal):
            return _rehearsed(state, signal, world)
        case Enter(signal) if world.settings.dry_run:
            return _rehearsed(state, signal, world)
        case ByOperator() | Adopt() if world.settings.dry_run and not _removes(command):
            return _denied(command)
    return decide(state, command, world)


_ByHand: TypeAlias = ByOperator | Adopt


def _removes(command: _ByHand) -> bool:
    return isinstance(command, ByOperator) and command.action is Action.REMOVE


def _denied(command: _ByHand) -> Decision:
    name = command.queue_id if isinstance(command, ByOperator) else command.opening.group_id
    text = "app.mode is dry_run: nothing is opened; go back to paper (`bulkhead config set app.mode paper`), then again"
    answer = QueueAnswer(queue_id=name, outcome="error:DryRun", code="DryRun", message=text)
    return Decision(outcomes=(answer.outcome,), answer=answer)


def _rehearsed(state: PoolState, signal: Signal, world: Surroundings) -> Decision:
    report = what_would_happen(state, signal, world._replace(settings=world.settings._replace(dry_run=False)))
    outcome = f"dry_run:{report.outcome}"
    return Decision(outcomes=(outcome,), said=(outcome, tuple(_line(step) for step in report.steps)))


def _line(step: DryStep) -> str:
    details = f" ({'; '.join(step.details)})" if step.details else ""
    return f"{step.step}: {step.result}{details}"


def what_would_happen(state: PoolState, signal: Signal, world: Surroundings) -> DryRunReport:
    """Return each step and the outcome: precision, ladder, slot, and the rank it would get in the queue."""
    if not signal.kind.opens:
        return _exit(state, signal, world)
    decision = decide(state, Enter(signal), world)
    outcome = decision.said[0] if decision.said is not None else "nothing"
    steps = [_pause(world), _precision(signal, world), *_ladder(state, signal, world), _slot(state, signal, world)]
    queued = _queue(state, decision, world)
    effects = tuple(each for each in decision.outcomes if each != outcome)
    if effects:
        steps.append(DryStep("effects", "also", effects))
    return DryRunReport(signal.signal_id, outcome, (*steps, *queued))


def _exit(state: PoolState, signal: Signal, world: Surroundings) -> DryRunReport:
    group = state.live.get(signal.group_key)
    if signal.kind is SignalKind.REDUCE:
        outcome = "reduced" if group is not None else "nothing_to_exit"
        return DryRunReport(signal.signal_id, outcome, (DryStep("group", group.group_id if group else "none"),))
    decision = decide(state, Leave(signal.group_key, signal.signal_id), world)
    steps = tuple(DryStep("exit", each) for each in decision.outcomes)
    return DryRunReport(signal.signal_id, decision.outcomes[0].split(":")[0], steps)


def _pause(world: Surroundings) -> DryStep:
    if world.barred is None:
        return DryStep("engine", "running")
    code, why = world.barred
    return DryStep("engine", "paused", (why,)) if code == "EnginePaused" else DryStep("account", "barred", (why,))


def _precision(signal: Signal, world: Surroundings) -> DryStep:
    found = world.rules(signal)
    decision = found.decision
    details = [f"source {decision.source.value}"] if decision.source is not None else []
    if decision.code:
        details.append(decision.code)
    if found.instrument is not None:
        rules = found.instrument.rules
        details.append(f"tick {figure(rules.tick_size)}, step {figure(rules.step_size)}")
        details.append(f"least quantity {figure(rules.min_qty)}, least notional {figure(rules.min_notional)}")
    return DryStep("precision", decision.action.value, tuple(details))


def _ladder(state: PoolState, signal: Signal, world: Surroundings) -> list[DryStep]:
    """Return the layers and the funds they need; nothing while their rules are missing."""
    found = world.rules(signal)
    if found.held or found.refusal is not None:
        return []
    group = state.live.get(signal.group_key)
    pyramid = group.received if group is not None and not group.closing else 0
    plan = world.plan(signal, pyramid, found, state)
    quote = plan.opening.instrument.quote
    layers = (
        []
        if plan.ladder is None
        else [
            f"layer {layer.layer}: {figure(layer.qty)} at {figure(layer.price)}"
            + (f", blocked: {layer.reason}" if layer.reason else "")
            for layer in plan.ladder.layers
        ]
    )
    details = [f"pyramid {pyramid}", *layers, f"notional {figure(plan.notional)} {quote}", *plan.reasons]
    if plan.profit is not None:
        details.append(f"expected profit {figure(plan.profit)} USD")
    free = "unknown: the venue decides" if plan.free is None else f"{figure(plan.free)} {quote} free"
    verdict = "short" if plan.short_of_funds else "enough" if plan.free is not None else "unknown"
    return [
        DryStep("ladder", plan.code or "placed", tuple(details)),
        DryStep("funds", verdict, (f"needs {figure(plan.funds)} {quote}", free)),
    ]


def _slot(state: PoolState, signal: Signal, world: Surroundings) -> DryStep:
    turn = Turn(state, world)
    hold = turn.hold_of(signal.group_key, signal)
    taken = f"{turn.occupied} of {world.settings.max_open_groups} slots are taken"
    if hold is not None:
        return DryStep("slot", f"held:{hold.value}", (taken,))
    if not turn.may_enter(signal.group_key):
        return DryStep("slot", "none free", (taken,))
    return DryStep("slot", "continuation" if state.continues(signal.group_key) else "free", (taken,))


def _queue(state: PoolState, decision: Decision, world: Surroundings) -> tuple[DryStep, ...]:
    """Return the rank it would get, if it would wait."""
    after = fold(state, decision.events)
    told = decision.said[0].split(":") if decision.said is not None else [""]
    if told[0] not in ("queued", "replaced"):
        return ()
    turn = Turn(after, world)
    ranked = rank_queue((turn.contender(entry) for entry in after.queue.values()), world.settings.rules)
    mine = next(each for each in ranked if each.entry_id == told[1])
    keys = tuple(f"{key.rule}: {key.value}" for key in mine.keys)
    return (DryStep("queue", f"rank {mine.rank} of {len(ranked)}", (*keys, mine.why)),)
