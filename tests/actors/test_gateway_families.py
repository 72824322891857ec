"""A venue with an account for spot and one for perpetuals: the symbol of an alert says which is meant (EX-303)."""

from __future__ import annotations

import pytest

from actors.gateway import Route
from actors.session import session_topic
from protocol.signals import EntryRequest
from protocol.values import MarketType
from protocol.venue import SessionUp
from tests.actors.cast import Stage, play
from tests.actors.gateway_rig import GatewayRig
from tests.actors.orders import SYMBOL, market

PERPETUAL = "BTC/USDT:USDT"


def opened(stage: Stage, *, futures: bool = True) -> GatewayRig:
    """Return a gateway of two accounts, each with its own pool and its own markets."""
    routes = [Route("acc", "/house/pool", "/house/prices", family=MarketType.SPOT)]
    routes += [Route("fut", "/house/futures", "/house/prices", family=MarketType.PERP)] if futures else []
    rig = GatewayRig(stage, routes={"paper": tuple(routes)})
    rig.futures = stage.probe("futures")  # type: ignore[attr-defined]
    listed = (market(PERPETUAL, MarketType.PERP),)
    if futures:
        stage.system.bus.publish(session_topic("fut"), SessionUp("fut", listed, stage.now), keep=True)
    return rig


def entries(heard: list[object]) -> list[str]:
    """Return the symbols of the entries that a pool was handed."""
    return [each.signal.symbol for each in heard if type(each) is EntryRequest]


@pytest.mark.parametrize("written", ["BTCUSDT", "BTC/USDT", "BINANCE:BTCUSDT", "btc-usdt"])
def test_a_spot_symbol_goes_to_the_spot_account(written: str) -> None:
    """Any form of a spot symbol is one of the account that trades spot, and of no other."""

    async def script(stage: Stage) -> None:
        rig = opened(stage)
        assert (await rig.post(tv__symbol=written)).outcome == "accepted"
        await stage.settle()
        assert (entries(rig.pool), entries(rig.futures)) == ([SYMBOL], [])  # type: ignore[attr-defined]

    play(script)


@pytest.mark.parametrize("written", ["BTCUSDT.P", "BINANCE:BTCUSDT.P", "BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDTPERP"])
def test_a_perpetual_goes_to_the_account_of_futures(written: str) -> None:
    """Any form of a perpetual, TradingView's .P among them, is one of the account that trades futures."""

    async def script(stage: Stage) -> None:
        rig = opened(stage)
        assert (await rig.post(tv__symbol=written)).outcome == "accepted"
        await stage.settle()
        assert (entries(rig.pool), entries(rig.futures)) == ([], [PERPETUAL])  # type: ignore[attr-defined]

    play(script)


def test_a_market_that_no_account_trades_is_refused() -> None:
    """A perpetual where there is only a spot account: nothing is opened in a market of another kind."""

    async def script(stage: Stage) -> None:
        rig = opened(stage, futures=False)
        assert (await rig.post(tv__symbol="BTCUSDT.P")).outcome == "UnknownSymbol"
        stage.system.bus.publish(
            session_topic("acc"), SessionUp("acc", (market(), market(PERPETUAL, MarketType.PERP)), stage.now), keep=True
        )
        await stage.settle()
        assert (await rig.post(tv__symbol="BTCUSDT.P")).outcome == "NoAccountForSignal"

    play(script)
