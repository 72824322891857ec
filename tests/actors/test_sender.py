"""The senders of alerts: posts at their instants, counted answers, a demo that trades what it sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from actors.group import GROUPS
from actors.sender import Alert, DemoSymbol, DemoTrader, DirectPlayer, SignalPlayer
from actors.session import market_topic
from protocol.groups import GroupChanged, GroupState
from protocol.market import PriceTick
from protocol.values import Scope, Side
from strategies.crossing import Wish
from tests.actors.cast import START, D, S, Stage, play
from tests.actors.groups import Standing
from tests.actors.orders import SYMBOL


class Server:
    """An HTTP server on a free port that remembers bodies and answers with ``status``."""

    def __init__(self) -> None:
        self.bodies: list[tuple[int, bytes]] = []
        self.status = 200
        self.port = 0
        self.now: Callable[[], int] = lambda: 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        self.bodies.append((self.now(), await request.read()))
        return web.Response(status=self.status, text="answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def alerts(*seconds: int) -> list[Alert]:
    """Return an alert at each of these seconds after the start."""
    return [Alert(START + each * S, str(each).encode()) for each in seconds]


def test_alerts_are_posted_at_their_instants() -> None:
    """Each alert is posted once at its time, while virtual time stands still; answers are counted by status."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            server.now = stage.system.now
            stage.add("player", lambda: SignalPlayer(alerts(10, 20, 30), lambda: server.url))
            await stage.passes(15)
            assert [(at // S - START // S, body) for at, body in server.bodies] == [(10, b"10")]
            server.status = 503
            await stage.passes(20)
            assert [(at // S - START // S, body) for at, body in server.bodies[1:]] == [(20, b"20"), (30, b"30")]
            player = stage.actor("player")
            assert (player.posted, player.answers) == (3, {200: 1, 503: 2})
            stage.remove("player")
            await stage.passes(1)

    play(script)


def test_a_restart_posts_only_what_is_still_to_come() -> None:
    """No alert is posted twice, and none of the past is posted late."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            stage.add("player", lambda: SignalPlayer(alerts(-5, 0, 10, 20), lambda: server.url))
            await stage.passes(15)
            await stage.crash("player")
            await stage.passes(15)
            assert [body for _, body in server.bodies] == [b"10", b"20"]
            stage.remove("player")
            await stage.passes(1)

    play(script)


def test_nobody_there_is_no_crash() -> None:
    """A post that reaches nobody is counted as unanswered; the next one is tried all the same."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            gone = server.url
        stage.add("player", lambda: SignalPlayer(alerts(1, 2), lambda: gone))
        await stage.passes(3)
        player = stage.actor("player")
        assert (player.posted, player.answers) == (2, {0: 2})
        stage.remove("player")
        await stage.passes(1)

    play(script)


def test_alerts_without_http() -> None:
    """A fast replay hands the very same bodies to the gateway itself, at their instants."""

    async def script(stage: Stage) -> None:
        gateway = stage.probe("gateway")
        stage.add("player", lambda: DirectPlayer(alerts(-1, 5, 6), user="ann", gateway="/house/gateway"))
        await stage.passes(5.5)
        assert [(each.user, each.body) for each in gateway] == [("ann", b"5")]
        await stage.crash("player")
        await stage.passes(1)
        assert [each.body for each in gateway] == [b"5", b"6"]

    play(script)


# --- the demo ----------------------------------------------------------------------------------------------------------


def group(
    state: GroupState, *, account: str = "acc", symbol: str = SYMBOL, timeframe: str = "1h", group_id: str = "g1"
) -> GroupChanged:
    """Return how a group stands."""
    return GroupChanged(
        group_id=group_id,
        key="k",
        user="u",
        scope=Scope.PAPER,
        venue="paper",
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=Side.LONG,
        state=state,
        reason=None,
        received=1,
        placed_legs=1,
        placed_dca_legs=0,
        all_layers_sent=True,
        all_layers_filled=False,
        open_qty=D(0),
        avg_entry=None,
        base_entry_price=D(100),
        realized_quote=D(0),
        fees={},
        first_fill_at=None,
        at=1,
    )


async def demo(stage: Stage, server: Server, symbols: tuple[str, ...] = (SYMBOL,)) -> Any:
    """Start a demo trader that looks once a second; return its actor."""

    def body(symbol: str) -> DemoSymbol:
        return DemoSymbol(symbol, lambda wish, price, at: f"{symbol} {wish.value} {price}".encode())

    stage.add(
        "demo",
        lambda: DemoTrader(
            account="acc",
            timeframe="1h",
            symbols=[body(symbol) for symbol in symbols],
            interval_s=1.0,
            url=lambda: server.url,
        ),
    )
    await stage.settle()
    return stage.actor("demo")


def test_a_demo_follows_prices_and_groups() -> None:
    """It enters when its rule wants to, once it is told of a live group it wants no second, and of others' nothing."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            trader = await demo(stage, server)
            await stage.passes(3)
            assert server.bodies == []
            for number in range(400):
                price = D(100) + D(number % 40) * (1 if number % 80 < 40 else -1)
                tick = PriceTick(SYMBOL, number, price, price, price)
                stage.system.bus.publish(market_topic("acc", SYMBOL), tick)
                await stage.passes(1)
            entries = [body.decode().split()[1] for _, body in server.bodies]
            assert Wish.ENTER.value in entries
            assert trader.posted == len(server.bodies) == sum(trader.answers.values())
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, account="other"))
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, symbol="DOGE/USDT", group_id="g3"))
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, timeframe="4h", group_id="g4"))
            await stage.settle()
            assert trader._live == {SYMBOL: {}}
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE))
            await stage.settle()
            assert list(trader._live[SYMBOL]) == ["g1"]
            stage.add("standing", lambda: Standing(lambda: group(GroupState.LIVE)))
            await stage.crash("demo")
            trader = stage.actor("demo")
            assert list(trader._live[SYMBOL]) == ["g1"]
            stage.system.bus.publish(GROUPS, group(GroupState.CLOSED))
            await stage.settle()
            assert trader._live == {SYMBOL: {}}
            stage.remove("demo")
            await stage.passes(1)

    play(script)
