"""Projections of signals: what arrived, what became of it."""

from __future__ import annotations

from protocol.codec import decode_json, encode_json
from protocol.signals import SignalReceived, SignalRouted
from store.views.registry import Writer, insert, projection, run

__all__ = ["received", "routed"]


@projection(SignalReceived)
def received(writer: Writer, event: SignalReceived) -> None:
    """Write the request; what was understood of it stands in the columns that may be empty."""
    signal = event.signal
    understood = {}
    if signal is not None:
        fields = ("source", "venue", "symbol", "timeframe", "kind", "side", "trade_id", "entry_price", "replay_of")
        understood = {**{name: getattr(signal, name) for name in fields}, "label": signal.label}
    insert(
        writer,
        "signals",
        signal_id=event.signal_id,
        position=writer.record.position,
        correlation_id=writer.record.correlation_id,
        user_id=event.user,
        received_at=event.received_at,
        source_address=event.source_address,
        body=event.body,
        fingerprint=event.fingerprint,
        outcome=event.outcome,
        problems=encode_json(event.problems).decode(),
        mapping=event.mapping,
        resend_of=event.resend_of,
        accounts=encode_json(event.accounts).decode(),
        operator=event.operator,
        **understood,
    )


@projection(SignalRouted)
def routed(writer: Writer, event: SignalRouted) -> None:
    """Note where the signal went; of several accounts each with its name."""
    known = writer.one("SELECT accounts, routed FROM signals WHERE signal_id = ?", event.signal_id)
    if known is None:
        return
    routed = event.outcome
    if len(decode_json(known[0], list[str])) > 1:
        routed = f"{known[1]}; " if known[1] is not None else ""
        routed += f"{event.account}: {event.outcome}"
    sql = "UPDATE signals SET reasons = ?, routed_at = ?, routed = ? WHERE signal_id = ?"
    run(writer, sql, encode_json(event.reasons).decode(), event.at, routed, event.signal_id)
