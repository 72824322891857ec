"""Sections that say which signals count, how large they are and which rules of a market their orders follow (EX-1302)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from protocol.groups import BlockedLegPolicy
from service.config import checks
from service.config.keys import Key, Section
from service.config.mappings import SignalMapping, SignalSourceRhythm

__all__ = [
    "FallbackRules",
    "ForcedRules",
    "OppositePolicy",
    "Precision",
    "Signal",
    "Sizing",
    "SizingSource",
]


class SizingSource(StrEnum):
    """Where the size of a pyramid comes from."""

    SIGNAL = "signal"
    FIXED_QUOTE = "fixed_quote"


class OppositePolicy(StrEnum):
    """What an entry for the other side of a live group does."""

    QUEUE = "queue"
    REVERSE = "reverse"


class Signal(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts are accepted, and what they mean."""

    max_age_seconds: Annotated[
        int, Key(doc="Oldest accepted alert (EX-230).", unit="s", applies="now", at_least=1, at_most=3600)
    ] = 60
    max_future_skew_seconds: Annotated[
        int, Key(doc="Largest accepted lead of its clock.", unit="s", applies="now", at_least=0, at_most=300)
    ] = 10
    dedupe_window_seconds: Annotated[
        int, Key(doc="Memory for exact duplicates (EX-240).", unit="s", applies="now", at_least=60, at_most=604_800)
    ] = 86_400
    near_duplicate_window_seconds: Annotated[
        int, Key(doc="Memory for near duplicates (EX-241); 0 = off.", unit="s", applies="now", at_least=0, at_most=300)
    ] = 5
    infer_exit_from_flat: Annotated[
        bool, Key(doc="An alert that leaves the strategy flat means exit (EX-311).", applies="now")
    ] = True
    opposite_signal_policy: Annotated[
        OppositePolicy,
        Key(doc="What an entry for the other side of a live group does: wait, or turn it (EX-919).", applies="now"),
    ] = OppositePolicy.QUEUE
    honor_stop_loss: Annotated[bool, Key(doc="Arm risk.stop_loss of the alert as a group stop.", applies="group")] = (
        False
    )
    honor_take_profit: Annotated[
        bool, Key(doc="Arm risk.take_profit of the alert as a group target.", applies="group")
    ] = False
    max_body_bytes: Annotated[
        int, Key(doc="Largest webhook body.", unit="B", applies="now", at_least=1024, at_most=1_048_576)
    ] = 65_536
    rate_limit_per_minute: Annotated[
        int, Key(doc="Webhook requests per user.", unit="1/min", applies="now", at_least=1, at_most=6000)
    ] = 60
    ip_allowlist: Annotated[
        tuple[str, ...],
        Key(
            doc="Addresses and networks that may post. Empty: any when webhook.host is this machine itself, else those of "
            "TradingView; 0.0.0.0/0 and ::/0 let anybody in.",
            applies="now",
            check=checks.ip_network,
        ),
    ] = ()
    mappings: Annotated[
        dict[str, SignalMapping],
        Key(
            doc="How bodies in other shapes become signals, by name; those of 3Commas, flat JSON, key=value and plain text "
            "are built in.",
            applies="now",
            example={"mine": SignalMapping(recognise=("sym", "dir"), fields={"tv.symbol": ("sym",)})},
        ),
    ] = msgspec.field(default_factory=dict)
    sources: Annotated[
        tuple[SignalSourceRhythm, ...],
        Key(
            doc="How often sources of alerts are expected to speak: silence beyond it is an incident.",
            applies="now",
            example=(SignalSourceRhythm(silence_s=90_000, alert_name="BTC trend", block_entries=True),),
        ),
    ] = ()


class Sizing(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a pyramid buys (EX-410 to EX-413)."""

    source: Annotated[
        SizingSource, Key(doc="The order_size of the signal, or a fixed amount of quote currency.", applies="group")
    ] = SizingSource.SIGNAL
    fixed_quote: Annotated[
        Decimal, Key(doc="Amount per pyramid with source fixed_quote.", unit="quote", applies="group", above=0)
    ] = Decimal(100)
    max_quote_per_pyramid: Annotated[
        Decimal,
        Key(doc="Hard cap; a larger request is rejected. 0 = none.", unit="quote", applies="group", at_least=0),
    ] = Decimal(0)
    fee_buffer_percent: Annotated[
        Decimal,
        Key(doc="Added to the funds check (EX-414).", unit="%", applies="now", at_least=0, at_most=5),
    ] = Decimal("0.2")


class FallbackRules(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Market rules of symbols whose own are unknown, where block_on_missing_metadata allows it (EX-508)."""

    tick_size: Annotated[Decimal, Key(doc="Smallest step of a price.", unit="quote", applies="now", above=0)] = Decimal(
        "0.00000001"
    )
    step_size: Annotated[Decimal, Key(doc="Smallest step of a quantity.", unit="base", applies="now", above=0)] = (
        Decimal("0.000001")
    )
    min_qty: Annotated[Decimal, Key(doc="Smallest quantity.", unit="base", applies="now", above=0)] = Decimal(
        "0.000001"
    )
    min_notional: Annotated[Decimal, Key(doc="Smallest notional.", unit="quote", applies="now", at_least=0)] = Decimal(
        1
    )


class ForcedRules(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Market rules of one symbol that beat the exchange's own."""

    tick_size: Annotated[Decimal, Key(doc="Smallest step of a price.", unit="quote", applies="now", above=0)]
    step_size: Annotated[Decimal, Key(doc="Smallest step of a quantity.", unit="base", applies="now", above=0)]
    min_qty: Annotated[Decimal, Key(doc="Smallest quantity.", unit="base", applies="now", above=0)]
    min_notional: Annotated[Decimal, Key(doc="Smallest notional.", unit="quote", applies="now", at_least=0)]


class Precision(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Market rules that every order is rounded to and checked against (EX-501 to EX-512)."""

    refresh_seconds: Annotated[
        int,
        Key(doc="Age at which market rules are fetched anew.", unit="s", applies="now", at_least=60, at_most=604_800),
    ] = 172_800
    block_on_missing_metadata: Annotated[
        bool, Key(doc="Hold entries of symbols whose rules are unknown, in place of the fallback.", applies="now")
    ] = True
    fallback_rules: Annotated[FallbackRules, Key(doc="Rules of symbols whose own are unknown.")] = FallbackRules()
    forced_rules: Annotated[
        dict[str, ForcedRules],
        Key(
            doc="Rules of single symbols that beat the exchange's own, symbol to four rules.",
            applies="now",
            example={
                "BTC/USDT": ForcedRules(
                    tick_size=Decimal("0.01"),
                    step_size=Decimal("0.00001"),
                    min_qty=Decimal("0.00001"),
                    min_notional=Decimal(5),
                )
            },
        ),
    ] = msgspec.field(default_factory=dict)
    enforce_tick_size: Annotated[bool, Key(doc="Round prices.", applies="now")] = True
    enforce_step_size: Annotated[bool, Key(doc="Round quantities.", applies="now")] = True
    enforce_min_notional: Annotated[bool, Key(doc="Block orders below the minimum notional.", applies="now")] = True
    blocked_leg_policy: Annotated[
        BlockedLegPolicy, Key(doc="What one layer below a minimum does (EX-505).", applies="group")
    ] = BlockedLegPolicy.SKIP_LEG
