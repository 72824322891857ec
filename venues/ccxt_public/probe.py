"""Ask quietly whether Binance's public interface can be reached; decides between live and synthetic prices."""

from __future__ import annotations

from typing import NamedTuple

import aiohttp

from venues.ccxt_public.policy import LIVE

__all__ = ["Probe", "probe"]


class Probe(NamedTuple):
    """Outcome of ``probe``; true when reachable. ``detail`` says why not, in words for an operator."""

    reachable: bool
    detail: str

    def __bool__(self) -> bool:
        """Whether the interface answered as Binance does."""
        return self.reachable


async def probe(timeout_s: float = 3.0, *, rest_url: str = LIVE.rest) -> Probe:
    """Return within ``timeout_s`` seconds whether the interface answers as Binance does. Never raises, never logs.

    An answer that is not Binance's ``{}`` (a captive portal, a refused country) counts as unreachable.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
            session.get(f"{rest_url}/ping", allow_redirects=False) as answer,
        ):
            body = (await answer.content.read(64)).strip()
            if answer.status == 200 and body == b"{}":
                return Probe(True, "")
            return Probe(False, f"answered {answer.status}, not as Binance does")
    except TimeoutError:
        return Probe(False, f"no answer within {timeout_s:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Probe(False, f"{type(error).__name__}: {error}"[:300])
