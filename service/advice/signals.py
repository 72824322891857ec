"""What a sender of alerts can be told."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["WEBHOOK"]

WEBHOOK: Final = Area(
    "Webhook",
    "Checks run in this order; the first that fails answers. Validation reports all its mistakes together.",
    (
        Word(("BodyLate",), "the sender took more than five seconds over its body: look at the proxy between", 408),
        Word(("BodyIncomplete",), "the connection broke off within the body: nothing was done, send it again", 400),
        Word(("BodyTooLarge",), "shorten the alert, or raise `signal.max_body_bytes`", 413),
        Word(("SourceNotAllowed",), "add the sender's address to `signal.ip_allowlist`", 403),
        Word(("RateLimited",), "send less often, or raise `signal.rate_limit_per_minute`", 429),
        Word(
            ("AuthMissing",),
            "the proof asked for is not there, or the body is no JSON and its secret unread: `bulkhead signal check FILE`",
            401,
        ),
        Word(
            ("SecretMismatch",),
            "put the secret into the alert; make a new one when it is lost: `bulkhead secrets rotate webhook`",
            401,
        ),
        Word(("SignatureMalformed",), "send `sha256=` and 64 hex digits, with the timestamp header", 401),
        Word(("SignatureMismatch",), "sign timestamp, full stop and the raw body with the right key", 401),
        Word(("SignatureExpired",), "correct the clock, or raise `security.signature_tolerance_seconds`", 401),
        Word(("MalformedJson",), "mend the JSON where the message says; look for quotation marks inside comments", 400),
        Word(("NotAnObject",), "the body, or the part of it that is named, must be a JSON object", 422),
        Word(("MissingField",), "add the field", 422),
        Word(("WrongType",), "give text, a number or a list, as the message says", 422),
        Word(("InvalidEnum",), "use one of the words that the message lists", 422),
        Word(("OutOfRange",), "use a value within the bounds that the message names", 422),
        Word(("TooLong",), "shorten the text", 422),
        Word(
            ("UnresolvedPlaceholder",),
            "the placeholder arrived as text: correct its name, or leave it out where the alert's kind has none such",
            422,
        ),
        Word(("InvalidTimestamp",), "write ISO 8601, or Unix seconds or milliseconds; in an alert `{{timenow}}`", 422),
        Word(("InvalidTimeframe",), "write minutes as a bare number, or a number with s, m, h, d, w or M", 422),
        Word(("UnsupportedVenue",), "use one of binance, bybit, okx, kucoin, mexc, gate", 422),
        Word(("UnknownSymbol",), "write base and quote (BTC/USDT), of a market that the account has", 422),
        Word(
            ("IntentSideMismatch",), "`execution_intent.side` and `tv.action` contradict each other: correct one", 422
        ),
        Word(
            ("AmbiguousSignal",),
            "the strategy is flat and the side it left is not known: send the position before as well",
            422,
        ),
        Word(("SideConflict",), "action and positions contradict each other: correct the template", 422),
        Word(("MissingReduceAmount",), "send the sizes before and after, or an order size", 422),
        Word(("StaleSignal",), "use `{{timenow}}`, check the clock, or raise `signal.max_age_seconds`", 422),
        Word(("FutureSignal",), "check the clocks, or raise `signal.max_future_skew_seconds`", 422),
        Word(("UnknownMapping",), "correct the mapping's name; the nearest is in the message", 422),
        Word(("MappingMismatch",), "the body does not have the shape of the mapping that was named: name another", 422),
        Word(
            ("AmbiguousMapping",),
            "two mappings fit: name one with `?mapping=NAME`, or narrow their `recognise`, `equals` or `patterns`",
            422,
        ),
        Word(("AmbiguousField",), "the body spells one name in two ways: keep one", 422),
        Word(
            ("ApiKeyInBody",),
            "take the exchange's keys out of the alert and make new ones: these have been sent around",
            422,
        ),
        Word(
            ("DelayedData",), "the chart shows delayed data, which only paper accounts take: use a real-time feed", 422
        ),
        Word(("VenueDisabled",), "no account trades this exchange: add one to `[[accounts]]`", 422),
        Word(("NoAccountForSignal",), "no account takes this strategy: add its name to an account's `signals`", 422),
        Word(
            ("SecondEntryInBar",),
            "the source already entered on this bar; raise `grid_strategy.max_pyramids_per_group` if that is meant",
            422,
        ),
        Word(
            ("SourceSilent",),
            "the source was silent beyond its rhythm: look why, then `bulkhead signal resume SOURCE`",
            422,
        ),
        Word(("ConfirmationMissing",), "type the symbol again to trade it: `--confirm SYMBOL`", 422),
        Word(("NoPrice",), "the market has no price yet: give one with `--price`, or try again", 422),
        Word(("ReadOnlyMode",), "set `app.read_only` to false; pausing and closing groups work meanwhile", 403),
        Word(
            ("JournalUnavailable",),
            "see that the disk has room and the journal is there: nothing was done, the sender may try again",
            503,
        ),
        Word(("GatewayDown",), "the gateway is being restarted: the sender may try again; `bulkhead ps` shows it", 503),
        Word(("Overloaded",), "more alerts came than can be handled: send less often; the sender may try again", 503),
        Word(("AnswerLate",), "no answer within a second: the sender may try again, it is not executed twice", 503),
    ),
)
