"""An account's option chains over the API: what one is worth, and its contracts, raw quotes beside the broker's Greeks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from actors.chains import LOOK_WITHIN_S
from protocol.chains import AskChain, ChainReply
from protocol.options import OptionContract
from rules import notation
from rules.notation import whole_number
from rules.options.expiry import days_to_expiry, session_date
from rules.options.quality import is_clean
from rules.options.spread import FLAGGED_ABOVE, spread_quality
from runtime.clock import NANOS
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.api.answers import Refused

__all__ = ["DEFAULT_DTE", "chain_of"]

DEFAULT_DTE: Final = "30-45"
_DTE: Final = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_MOST_DAYS: Final = 3650
_MOST_STRIKES: Final = 500


async def chain_of(system: ActorSystem, account: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the chain of ``underlying`` for ``dte`` days (MIN-MAX) and ``strikes``, valid or not; raise a refusal.

    An invalid one is fetched once and shown as it is, not again and again: a person looks at it.
    """
    keeper = system.lookup(AccountPaths(account).chains)
    if keeper is None:
        text = f"account {account} trades at a venue without option chains; `bulkhead venue list` shows which has them"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "VenueCapabilityMissing", text, path="account", value=account)
    least, most = _days(query.get("dte") or DEFAULT_DTE)
    asked = AskChain(
        underlying=_underlying(query.get("underlying", "")),
        least_dte=least,
        most_dte=most,
        strikes=_strikes(query.get("strikes") or "40"),
        look=True,
    )
    said: ChainReply = await keeper.ask(asked, LOOK_WITHIN_S)
    if said.chain is None:
        down = said.code == "VenueUnavailable"
        status = HTTPStatus.SERVICE_UNAVAILABLE if down else HTTPStatus.BAD_GATEWAY
        raise Refused(status, said.code, f"no chain of {asked.underlying}: {said.reason}", value=asked.underlying)
    return _plain(account, asked, said, system.now())


def _days(text: str) -> tuple[int, int]:
    found = _DTE.fullmatch(text.strip())
    ends = sorted(int(each) for each in found.groups() if each) if found else []
    if not ends or ends[-1] > _MOST_DAYS:
        message = "write days to expiry as MIN-MAX or as one number, for example 30-45"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message, path="dte", value=text)
    return ends[0], ends[-1]


def _underlying(text: str) -> str:
    """Return our symbol: a share without a currency is one in dollars."""
    name = text.strip().upper()
    if not name:
        message = "say of which underlying, for example AAPL"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "MissingField", message, path="underlying")
    return name if re.search(r"[/_.]", name) else f"{name}/USD"


def _strikes(text: str) -> int:
    number = whole_number(text, _MOST_STRIKES)
    if not number:
        message = f"must be a number from 1 to {_MOST_STRIKES}"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message, path="strikes", value=text)
    return number


def _plain(account: str, asked: AskChain, said: ChainReply, now: int) -> dict[str, Any]:
    chain = said.chain
    assert chain is not None
    today = session_date(now)
    return {
        "account": account,
        "underlying": asked.underlying,
        "dte": [asked.least_dte, asked.most_dte],
        "valid": not said.fault,
        "fault": said.fault,
        "reason": said.reason,
        "retry_at": said.retry_at,
        "underlying_price": _text(chain.underlying_price),
        "at": chain.at,
        "age_s": round(max(0, now - chain.at) / NANOS, 1),
        "cached": said.cached,
        "listed": list(chain.expirations),
        "expiries": [
            {
                "expiration": each.expiration,
                "dte": days_to_expiry(each.expiration, today),
                "target": number == 0,
                "fault": each.fault,
                "contracts": each.contracts,
                "missing_greeks": each.missing_greeks,
                "missing_quotes": each.missing_quotes,
                "crossed": each.crossed,
                "clean": each.clean,
            }
            for number, each in enumerate(said.expiries)
        ],
        "contracts": [_contract(each, today) for each in chain.contracts],
    }


def _contract(each: OptionContract, today: date) -> dict[str, Any]:
    quality = spread_quality(each)
    return {
        "symbol": each.symbol,
        "expiration": each.expiration,
        "dte": days_to_expiry(each.expiration, today),
        "strike": notation.plain(each.strike),
        "right": each.right.value,
        "bid": _text(each.bid),
        "ask": _text(each.ask),
        "mid": _text(each.mid),
        "delta": each.delta,
        "gamma": each.gamma,
        "theta": each.theta,
        "vega": each.vega,
        "implied_vol": each.implied_vol,
        "open_interest": each.open_interest,
        "volume": each.volume,
        "spread_quality": None if quality is None else f"{quality:.4f}",
        "wide": quality is None or quality > FLAGGED_ABOVE,
        "clean": is_clean(each),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
