"""What signals, orders, groups, offsets and venues can come to."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["EDITING", "LOSS_OFFSET", "ORDERS", "POOL", "VENUES"]

POOL: Final = Area(
    "Pool and queue",
    "An entry is refused with `rejected:` and the code, an operator's command with the code; a queued entry that fails "
    "when its turn comes leaves the queue with it.",
    (
        Word(
            ("DryRun",),
            "`app.mode` is dry_run, which opens nothing: `bulkhead config set app.mode paper`, `bulkhead config apply`",
        ),
        Word(("EnginePaused",), "`bulkhead resume`, then send the entry again: none is queued while it is paused"),
        Word(
            ("AccountPaused",),
            "`bulkhead resume --account NAME`, then send the entry again: resuming the engine does not do it",
        ),
        Word(
            ("QueueFull",),
            "raise `execution_pool.queue_limit`, remove an entry (`bulkhead queue remove ID`), or wait for a slot",
        ),
        Word(
            ("DuplicateQueued",),
            "one entry waits for this identity already: remove it, or set `waiting_rule.queue_replace_same_symbol` to true",
        ),
        Word(("MaxPyramidsReached",), "the group has all its pyramids: raise `grid_strategy.max_pyramids_per_group`"),
        Word(("ShortNotSupported",), "trade the perpetual (BTC/USDT:USDT): a spot market cannot be sold short"),
        Word(("VenueDisabled",), "no account trades this exchange: add one to `[[accounts]]`"),
        Word(("NoFreeSlot",), "wait, raise `execution_pool.max_open_groups`, or `bulkhead queue force-add ID`"),
        Word(("HeldEntry",), "wait: the hold that is named ends by itself, nobody can overrule it"),
        Word(("NotQueued",), "`bulkhead queue` lists the entries that wait"),
        Word(("GroupExists",), "the identity has a group already: close it, or adopt under another timeframe"),
        Word(("OppositeSideLive",), "close the group of the other side first"),
    ),
)

ORDERS: Final = Area(
    "Orders",
    "",
    (
        Word(("PriceBelowTick", "BelowMinQty", "BelowMinNotional"), "raise the size, or use fewer layers"),
        Word(("NoOrderableLeg",), "raise the size, or use fewer layers: every one is below the venue's minimum"),
        Word(("SizeAboveCap",), "lower the size, or raise `sizing.max_quote_per_pyramid`"),
        Word(("InsufficientFunds",), "lower the size, or free funds: a pyramid is paid for whole or not at all"),
        Word(("PrecisionMissing",), "check the symbol: the venue lists no such market"),
        Word(
            ("PrecisionFallback",), "nothing was found of the market's rules: set `precision.fallback_rules` with care"
        ),
        Word(("PrecisionStale",), "see that the venue answers: old rules are used meanwhile"),
        Word(("PrecisionFetchFailed",), "wait, or `bulkhead venue refresh`: the rules are fetched again by themselves"),
        Word(("ForcedPrecisionMissing",), "set `precision.forced_rules` for the symbol: `precision_mode` is force"),
        Word(("ForcedPrecisionIncompatible",), "make forced tick and step multiples of the venue's"),
        Word(
            ("LayersCollapsed",),
            "widen the gaps, or use fewer layers: two stand on one price, each with a target of its own",
        ),
        Word(("ReferenceOnWrongSide",), "send a stop below and a target above the entry (short: the other way round)"),
        Word(("NoPermit",), "see `bulkhead ps`: the risk coordinator is silent, so nothing that adds risk leaves"),
        Word(("CancelledUnsent",), "nothing: the order was cancelled before it was sent"),
        Word(("NoMarketPrice",), "wait until the market has a price"),
        Word(("LayerCancelled",), "nothing: the venue ended a layer, the others go on"),
        Word(("TargetLost", "TargetRefused"), "nothing: the target is placed again; look at the venue's reason"),
        Word(("LateFill",), "nothing: what filled after the end is sold at once; the slot is not taken again"),
        Word(("UnknownOrder",), "find out who placed it: the venue reports an order of ours that we do not know"),
        Word(("SlippageWarning",), "nothing: a close slipped beyond `risk_engine.max_slippage_percent`"),
        Word(("SlippageExceeded",), "look at the market: the close is booked, a running offset plan stopped"),
        Word(
            ("SlippageHeld",),
            "nothing: no order was filled within the cap, the trigger is armed again; or set `slippage_guard` to post",
        ),
        Word(("NoExpectedPrice",), "see that prices come in: slippage is not known without one"),
        Word(("CloseFailing",), "read the venue's reason, sell by hand if you must: it is tried again without limit"),
        Word(("CloseWorks",), "nothing: a close that kept failing has worked"),
        Word(
            ("PositionGone",),
            "look up at the venue what became of the position: the group let go of it, its profit is not known here",
        ),
        Word(("ReduceOnly",), "compare with the venue: it has no position that this order would reduce"),
        Word(("MarketHalted",), "nothing: the venue does not trade this market now; a close is tried every 5 minutes"),
        Word(("NothingOpen",), "nothing: there was nothing left to close"),
    ),
)

EDITING: Final = Area(
    "Editing, closing and adopting groups",
    "Each names the change it is about; nothing is done while one of them stands.",
    (
        Word(("EditConflict",), "the group moved since you looked: preview again"),
        Word(("NothingChanged",), "nothing to do: the group is like that already"),
        Word(("ConflictingChanges",), "ask for one of the two things"),
        Word(("NoSuchGroup", "GroupGone"), "`bulkhead group` lists the open groups"),
        Word(("GroupClosing",), "nothing to do: it is being closed, or closed"),
        Word(("NoSuchLeg",), "`bulkhead group show GROUP` lists its legs"),
        Word(("LegClosing", "LayerEnded"), "nothing to do: it is on its way out"),
        Word(
            ("LayerAlreadyFilled",),
            "only unfilled layers move; to sell a filled leg: `bulkhead group close GROUP --leg LEG`",
        ),
        Word(("LayerFilledFirst",), "nothing: the layer filled before it could be moved"),
        Word(("PyramidNotAnchored",), "wait until the market entry of the pyramid has filled"),
        Word(("BelowMinimum",), "use a larger quantity: the venue would refuse it"),
        Word(
            ("StopOnWrongSide", "TargetOnWrongSide"),
            "put a stop below and a target above the price (short: the other way round)",
        ),
        Word(("PositionNotThere",), "adopt at most what the account holds and no group owns"),
        Word(("Unanswered",), "look before you do it again: `bulkhead group`"),
    ),
)

LOSS_OFFSET: Final = Area(
    "Loss offset",
    "Commands of `bulkhead risk` end with one of these; the last seven also say in a decision why a group or a plan was "
    "left alone.",
    (
        Word(("NotLive",), "wait: only groups that are active or partially filled can be offset"),
        Word(("GroupBlocked",), "`bulkhead risk unblock GROUP`, then run it again"),
        Word(("NotLosing",), "nothing to do: the group has no loss at the present price"),
        Word(("PlanRunning",), "try again when the running plan has ended"),
        Word(("OffsetOff",), "set `risk_engine.enabled` to true"),
        Word(("VenueDown",), "nothing: it is tried again by itself; a plan stops before its next order"),
        Word(("StaleMark",), "see that prices come in: the newest is older than 30 seconds"),
        Word(
            ("QuoteRateMissing",),
            "see that prices of the quote currency against USDT come in: none came for five minutes",
        ),
        Word(
            ("NotWinning",),
            "nothing: the winners fell after the plan was made; the next cycle plans anew",
        ),
        Word(
            ("StaleStep",),
            "nothing: the step came a minute late, its prices were gone; the next cycle plans anew",
        ),
        Word(("Frozen",), "resolve the difference that froze the group"),
        Word(("SlippageExceeded",), "look at the market: the close is booked, the plan stopped"),
    ),
)

VENUES: Final = Area(
    "Venues",
    "",
    (
        Word(
            ("AuthFailed",),
            "correct key, secret or passphrase, then `bulkhead restart /venues/ACCOUNT/session`",
        ),
        Word(
            ("PermissionDenied",),
            "allow the key to trade at the venue, then `bulkhead restart /venues/ACCOUNT/session`",
        ),
        Word(
            ("AdapterMissing",),
            'install the venue\'s library (`make extras`, or `pip install "bulkhead[NAME]"`), then '
            "`bulkhead restart /venues/ACCOUNT/session`",
        ),
        Word(("VenueCapabilityMissing",), "use another venue: the connection lacks what the message names"),
        Word(("VenueDown",), "nothing: it is tried again by itself, orders wait"),
        Word(("VenueUnavailable",), "ask again when `bulkhead venue` says up: the session connects by itself"),
        Word(
            ("ChainIncomplete",),
            "see what its contracts lack: `bulkhead venue chain ACCOUNT UNDERLYING`; a closed market has few quotes",
        ),
        Word(
            ("UnknownContract",), "check the symbol: shares are AAPL/USD, pairs EUR/USD:USD, futures ES/USD:USD-251219"
        ),
        Word(("NotSubscribed",), "subscribe to this market's data where the broker's account is managed"),
        Word(
            ("VenueFailing",),
            "nothing: exits go on being tried, entries wait, and leave by themselves when the venue answers",
        ),
        Word(
            ("MarketMute",),
            "nothing: it is subscribed again by itself; if it lasts, see the venue's status page, or set `mute_after_s`",
        ),
        Word(
            ("FeedStale",),
            "nothing: entries wait for the prices of the account that `data` names; see there why it tells none",
        ),
        Word(
            ("SessionLate",),
            "see that the broker's gateway runs and is logged in: it answers no heartbeat, entries wait",
        ),
        Word(
            ("BracketStopMissing", "BracketStopWrongSide", "BracketTargetWrongSide"),
            "give the bracket a stop and a target on their own sides of the entry",
        ),
        Word(("InvalidPair",), "write a pair of currencies as EUR/USD"),
        Word(("InvalidQuantity",), "give a quantity above 0"),
        Word(("InvalidExpiration",), "write the expiration of an option as YYYY-MM-DD"),
        Word(("Maintenance",), "nothing: entries leave after the window that the account's `maintenance` names"),
        Word(("RateLimited",), "nothing, or set the account's `rate_limit_mode` to `conservative`"),
        Word(("NetworkTimeout",), "nothing: the order is *unknown* until the venue says what became of it"),
        Word(("InsufficientFunds",), "lower the size, or free funds: the account cannot pay for the order"),
        Word(("OrderRejected",), "read the reason: it is the venue's own text"),
        Word(("OrderNotFound",), "nothing: a cancel of it counts as done once its fills were checked"),
        Word(("PrecisionRejected",), "nothing: the market's rules are fetched at once and the order sent once more"),
        Word(("ClockSkew",), "set this machine's clock (NTP); signatures follow the venue's meanwhile"),
        Word(("OrphanOrder",), "nothing: an order of ours that is in no journal was cancelled"),
        Word(("EndedOrderOpen",), "nothing: an order that ended here stood open at the venue and was taken up again"),
        Word(("VenueContradiction",), "look at the order at the venue: what it said cannot be, and was ignored"),
        Word(
            ("PositionMismatch",),
            "find out who took it, then unfreeze the groups, or close them: what is gone of a perpetual is written off",
        ),
        Word(
            ("ForeignEngine",), "stop the other bulkhead on this account, then `bulkhead venue allow-entries ACCOUNT`"
        ),
    ),
)
