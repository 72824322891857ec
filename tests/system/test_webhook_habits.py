"""What webhook senders do, against a whole house over real HTTP: shapes of others, resends, hang-ups, flips out of order."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.pool import SlotFreed, SlotTaken
from protocol.signals import SignalReceived, SignalRouted
from protocol.values import MarketType
from rules.signals import iso_ms
from runtime.clock import WallClock
from tests.system import running
from tests.system.running import PATHS, SECRETS, House, eventually, house_config, running_house

PRICE = Decimal(60_000)


def run(folder: Path, scenario: Any) -> None:
    """Run a scenario against a house of its own."""

    async def main() -> None:
        async with running_house(house_config(folder), step_ns=20_000_000) as house:
            await scenario(house)

    asyncio.run(main())


@pytest.fixture
def perpetuals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the made-up market trade perpetuals, which can be short."""
    spot = running.synthetic

    def synthetic(**how: Any) -> Any:
        market = spot(**how)
        perps = (msgspec.structs.replace(each, market_type=MarketType.PERP) for each in market.instruments)
        return replace(market, instruments=tuple(perps))

    monkeypatch.setattr(running, "synthetic", synthetic)


def signal_bot(action: str, ident: str, **changes: Any) -> bytes:
    """Return the alert of a 3Commas signal bot, as its users have it."""
    fields = {
        "secret": SECRETS.secret.reveal(),
        "max_lag": "300",
        "timestamp": iso_ms(WallClock().now()),
        "trigger_price": str(PRICE),
        "tv_exchange": "BINANCE",
        "tv_instrument": "BTCUSDT",
        "action": action,
        "bot_uuid": "bot-1",
        "id": ident,
        "order": {"amount": "500", "currency_type": "quote"},
        **changes,
    }
    return json.dumps(fields).encode()


def events(house: House, stream: str, kind: type[Any]) -> list[Any]:
    """Return a stream's journalled events of a kind."""
    return [record.event for record in house.journal.reader().read(stream) if isinstance(record.event, kind)]


def routed(house: House) -> list[str]:
    return [each.outcome.partition(":")[0] for each in events(house, running.GATEWAY, SignalRouted)]


def opened(house: House) -> list[Any]:
    return events(house, PATHS.pool, SlotTaken)


def test_an_alert_of_3commas_trades_as_it_is(tmp_path: Path) -> None:
    """The unchanged JSON of a signal bot opens a group and closes it; four identical posts are one trade (EX-305)."""

    async def script(house: House) -> None:
        body = signal_bot("enter_long", "one")
        answers = [await house.post(body) for _ in range(4)]
        assert [status for status, _ in answers] == [200] * 4
        assert [answer["outcome"] for _, answer in answers] == ["accepted", *["duplicate_ignored"] * 3]
        await eventually(lambda: routed(house) == ["opened"], "the group opens")
        assert (await house.post(signal_bot("enter_long", "two")))[1]["outcome"] == "accepted"
        await eventually(lambda: routed(house) == ["opened", "pyramid_added"], "the pyramid is added")
        assert len(opened(house)) == 1
        assert opened(house)[0].group_key == "trader|binance|BTC/USDT|1h|long"
        assert (await house.post(signal_bot("exit_long", "three")))[0] == 200
        await eventually(lambda: len(events(house, PATHS.pool, SlotFreed)) == 1, "the group closes")

    run(tmp_path, script)


def test_a_sender_that_hangs_up_is_traded_once(tmp_path: Path) -> None:
    """The client's socket is gone before the answer: the signal is processed, and once, also when it is sent again."""

    async def script(house: House) -> None:
        body = signal_bot("enter_long", "gone")
        path = house.url.partition("127.0.0.1")[2].partition("/")[2]
        head = f"POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        port = int(house.url.rpartition(":")[2].partition("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        await writer.drain()
        writer.transport.abort()
        await eventually(lambda: routed(house) == ["opened"], "the signal is taken without its sender")
        assert (await house.post(body))[1]["outcome"] == "duplicate_ignored"
        assert len(opened(house)) == 1
        assert [each.outcome for each in events(house, running.GATEWAY, SignalReceived)] == [
            "accepted",
            "duplicate_ignored",
        ]

    run(tmp_path, script)


@pytest.mark.parametrize("close_first", [True, False])
@pytest.mark.usefixtures("perpetuals")
def test_both_orders_of_a_flip_end_alike(tmp_path: Path, close_first: bool) -> None:
    """Close and open of a flip arrive in either order, 0 to 350 ms apart: one short is open at the end, no long (EX-316)."""

    async def script(house: House) -> None:
        assert (await house.post(signal_bot("enter_long", "one")))[0] == 200
        await eventually(lambda: any(view.open_qty > 0 for view in house.groups().values()), "the long is filled")
        flip = [signal_bot("exit_long", "out"), signal_bot("enter_short", "in")]
        for body in flip if close_first else reversed(flip):
            status, answer = await house.post(body)
            assert (status, answer["outcome"]) == (200, "accepted")
        await eventually(lambda: len(opened(house)) == 2, "the short takes its slot")
        await eventually(lambda: len(events(house, PATHS.pool, SlotFreed)) == 1, "the long gives its slot back")
        sides = [each.opening.side.value for each in opened(house)]
        assert sides == ["long", "short"]
        (freed,) = events(house, PATHS.pool, SlotFreed)
        assert freed.group_key.endswith("|long")
        live = {view.side.value for view in house.groups().values() if view.state.value != "closed"}
        assert live == {"short"}

    run(tmp_path, script)


def test_identities_hold_over_every_shape(tmp_path: Path) -> None:
    """One market in four spellings and shapes is one group: a group's key has canonical parts only (EX-301, EX-305)."""

    async def script(house: House) -> None:
        now = iso_ms(WallClock().now())
        secret = SECRETS.secret.reveal()
        bodies = [
            signal_bot("enter_long", "one", timeframe="60"),
            json.dumps(
                {
                    "secret": secret,
                    "ticker": "BINANCE:BTCUSDT",
                    "interval": "1h",
                    "action": "buy",
                    "price": "60000",
                    "qty": "500",
                    "size_type": "quote",
                    "time": now,
                    "id": "two",
                }
            ).encode(),
            f"secret={secret} symbol=BTC-USDT tf=60 action=long price=60000 qty=500 size_type=quote "
            f"time={now} id=3".encode(),
        ]
        for body in bodies:
            status, answer = await house.post(body)
            assert (status, answer["outcome"]) == (200, "accepted")
        await eventually(lambda: len(routed(house)) == 3, "all three are routed")
        assert routed(house) == ["opened", "pyramid_added", "pyramid_added"]
        assert [each.group_key for each in opened(house)] == ["trader|binance|BTC/USDT|1h|long"]

    run(tmp_path, script)
