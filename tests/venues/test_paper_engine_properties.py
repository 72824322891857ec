"""Properties of the paper exchange over arbitrary sequences of orders, cancels, bars and quotes."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import decode_msgpack, encode_msgpack
from protocol.messages import event_types
from protocol.orders import OrderRequest
from protocol.paper import PaperOrderAccepted, PaperOrderFilled
from protocol.values import OrderSide, OrderType
from tests.venues.paper_helpers import MINUTE, PERP, SPOT, bar, engine, free, instrument, order, place, tick
from venues.paper import OhlcPath, PaperConfig, PaperEngine
from venues.paper.drive import applied, run_bar, run_tick
from venues.paper.numbers import EXACT, ZERO

D = Decimal
cents = st.integers(9000, 11000).map(lambda n: D(n) / 100)
steps = st.integers(60, 5000).map(lambda n: D(n) / 1000)
symbols = st.sampled_from([SPOT, PERP])
bars = st.tuples(st.just("bar"), symbols, st.lists(cents, min_size=4, max_size=4), st.integers(0, 50))
ticks = st.tuples(st.just("tick"), symbols, cents, st.integers(0, 20))
orders = st.tuples(
    st.just("order"), symbols, st.sampled_from(OrderSide), st.sampled_from(OrderType), steps, cents, st.booleans()
)
cancels = st.tuples(st.just("cancel"), st.integers(0, 30))
configs = st.builds(
    lambda **settings: settings,
    half_spread_bps=st.sampled_from([D(0), D("2.5")]),
    slippage_bps=st.sampled_from([D(0), D(7)]),
    fee_in_base=st.booleans(),
    latency_ns=st.sampled_from([0, MINUTE // 2]),
    jitter_ns=st.sampled_from([0, MINUTE]),
    participation=st.sampled_from([None, D("0.03")]),
    smallest_share=st.sampled_from([D(1), D("0.25")]),
    leverage=st.sampled_from([D(1), D(3)]),
    ohlc_path=st.sampled_from(OhlcPath),
)
maker, taker = "0.0003700000037", "0.0011300000071"  # fees that need rounding
odd = instrument(maker=maker, taker=taker), instrument(PERP, maker=maker, taker=taker)


def request(n, action):
    _, symbol, side, type_, qty, price, reduce_only = action
    limited = type_ in (OrderType.LIMIT, OrderType.IOC)
    return OrderRequest(
        client_order_id=f"order{n}",
        symbol=symbol,
        side=side,
        type=type_,
        qty=qty,
        price=price if limited else None,
        stop_price=price if type_ is OrderType.STOP else None,
        reduce_only=reduce_only and symbol == PERP,
    )


def run(made, actions):
    """Play actions, one minute apart, and yield the events of each."""
    placed = 0
    for number, action in enumerate(actions, 1):
        at = number * MINUTE
        if action[0] == "order":
            placed += 1
            yield place(made, request(placed, action), at)
        elif action[0] == "cancel":
            yield applied(made, made.cancel(f"order{action[1]}", at))
        elif action[0] == "tick":
            yield run_tick(made, tick(action[2], action[2] + D(action[3]) / 100, at=at, symbol=action[1]))
        else:
            open_, _, _, close = action[2]
            high, low = max(action[2]), min(action[2])
            yield run_bar(made, bar(open_, high, low, close, at=at, symbol=action[1], volume=str(action[3])))


opening = [("tick", SPOT, D(100), 1), ("tick", PERP, D(100), 1)]
plays = st.lists(st.one_of(bars, ticks, orders, orders, orders, cancels), min_size=25, max_size=60).map(
    lambda actions: opening + actions
)


@settings(max_examples=150, deadline=None)
@given(configs, plays)
def test_money_is_conserved_and_never_overdrawn(config, actions):
    """After any sequence, totals are the starting amounts plus the exact flows of all fills, and spot never overdraws."""
    made = engine(*odd, usdt="700", btc="3", **config)
    usdt, btc, perp_qty = D(700), D(3), ZERO
    perp = False
    with localcontext(EXACT):
        for events in run(made, actions):
            for event in events:
                if not isinstance(event, PaperOrderFilled):
                    continue
                signed = event.qty if event.side is OrderSide.BUY else -event.qty
                usdt -= signed * event.price + (event.fee if event.fee_currency == "USDT" else ZERO)
                btc += (signed if event.symbol == SPOT else ZERO) - (event.fee if event.fee_currency == "BTC" else ZERO)
                perp_qty += signed if event.symbol == PERP else ZERO
                perp = perp or event.symbol == PERP
            account = made.state.memory.account
            cost = sum((p.cost for p in account.perps.values()), ZERO)
            assert account.totals["USDT"] - cost == usdt
            assert account.totals["BTC"] == btc
            assert account.position(PERP) == perp_qty
            assert free(made, "BTC") >= 0
            assert perp or free(made, "USDT") >= 0
            for currency in ("USDT", "BTC"):
                rows = [o for o in made.state.memory.orders.values() if o.lock_currency == currency]
                assert account.locks.get(currency, ZERO) == sum((o.locked for o in rows), ZERO)


@settings(max_examples=150, deadline=None)
@given(configs, plays)
def test_fills_keep_the_orders_terms(config, actions):
    """No order fills beyond its quantity or beyond its limit, before it is active, or off the tick and step."""
    made = engine(*odd, usdt="5000", btc="20", **config)
    accepted, filled, trade_ids = {}, {}, set()
    for events in run(made, actions):
        for event in events:
            if isinstance(event, PaperOrderAccepted):
                accepted[event.request.client_order_id] = event
            if not isinstance(event, PaperOrderFilled):
                continue
            wanted = accepted[event.client_order_id].request
            filled[event.client_order_id] = filled.get(event.client_order_id, ZERO) + event.qty
            assert event.at >= accepted[event.client_order_id].active_at
            assert filled[event.client_order_id] <= wanted.qty
            assert event.qty % D("0.001") == 0
            assert event.price % D("0.01") == 0
            assert event.trade_id not in trade_ids
            trade_ids.add(event.trade_id)
            if wanted.price is not None:
                worse = event.price > wanted.price if wanted.side is OrderSide.BUY else event.price < wanted.price
                assert not worse


@settings(max_examples=100, deadline=None)
@given(configs, plays, st.integers(0, 40))
def test_replay_of_events_is_the_state(config, actions, cut):
    """Stored events give the same state again, under other settings and with a snapshot anywhere between."""
    made = engine(*odd, usdt="700", btc="3", opened=False, **config)
    events = applied(made, made.open_account(0))
    for more in run(made, actions):
        events += more
    names = event_types()
    stored = [decode_msgpack(encode_msgpack(event), names[type(event).__name__]) for event in events]
    rebuilt = PaperEngine(PaperConfig(), odd)
    for number, event in enumerate(stored):
        if number == cut:
            snapshot = rebuilt.state.dump()
            rebuilt = PaperEngine(PaperConfig(), odd)
            rebuilt.state.load(snapshot)
        rebuilt.apply(event)
    assert rebuilt.state.memory == made.state.memory
    assert rebuilt.balances() == made.balances()
    for symbol, book in made.state.books.items():
        again = rebuilt.state.books[symbol]
        assert (again.orders, again.floor, again.ceiling) == (book.orders, book.floor, book.ceiling)
        assert again.due_at == book.due_at


@settings(max_examples=100, deadline=None)
@given(configs, plays, bars)
def test_an_untouched_bar_has_no_events(config, actions, last):
    """When ``touches`` says no, walking the bar would have made no event: the hot path loses nothing."""
    made = engine(*odd, usdt="5000", btc="20", **config)
    for _ in run(made, actions):
        pass
    prices = last[2]
    quiet = bar(prices[0], max(prices), min(prices), prices[3], at=100 * MINUTE, symbol=last[1])
    if not made.touches(quiet):
        for point in made.path(quiet):
            assert made.on_point(last[1], point.price_from, point.price_to, point.at, point.volume) == ()


@settings(max_examples=100, deadline=None)
@given(configs, plays)
def test_commands_change_nothing_durable(config, actions):
    """A command alone leaves the durable memory as it was: only applied events change it."""
    made = engine(*odd, usdt="5000", btc="20", **config)
    for _ in run(made, actions):
        pass
    before = made.state.dump()
    made.place(order("command", "buy", "limit", "1", "100"), 100 * MINUTE)
    made.place(order("another", "sell", "market", "1"), 100 * MINUTE)
    made.cancel("order1", 100 * MINUTE)
    made.on_tick(tick("90", "91", at=100 * MINUTE))
    made.on_point(SPOT, D(90), D(110), 100 * MINUTE)
    assert made.state.dump() == before
