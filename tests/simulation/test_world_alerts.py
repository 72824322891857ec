"""Alerts of a world: what senders want, and what they get wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from protocol.signals import Problem
from rules.signals import classify_signal, validate_payload
from simulation.scenario import Post, Scenario
from simulation.world import PROFILES, SECRETS, scenario_of
from simulation.world.bodies import Wish, body_of, broken_text
from simulation.world.draw import stream
from simulation.world.markets import MARKETS

NANOS = 1_000_000_000


@pytest.fixture(scope="module")
def worlds() -> list[Scenario]:
    """Return twenty weeks without faults."""
    return [scenario_of(seed, profile=PROFILES["none"]) for seed in range(20)]


def posts(scenario: Scenario) -> Iterator[Post]:
    """Yield the posts of a scenario."""
    return (item for item in scenario.items if isinstance(item, Post))


def readable(post: Post) -> bool:
    """Whether an alert is proven and passes every check of its fields."""
    try:
        payload = msgspec.json.decode(post.body)
    except (msgspec.DecodeError, RecursionError):
        return False
    _, problems = validate_payload(payload)
    return not problems and payload.get("secret") == SECRETS.secret.reveal()


def test_most_alerts_are_good_and_some_cannot_be_read(worlds: list[Scenario]) -> None:
    """A week has a few dozen good alerts and some that are refused."""
    for scenario in worlds:
        counts = Counter(readable(post) for post in posts(scenario))
        assert 30 <= counts[True] <= 250
        assert 1 <= counts[False] <= 40


def test_alerts_ask_for_everything_that_can_be_asked(worlds: list[Scenario]) -> None:
    """Entries, exits, reductions and reversals occur, and alerts that contradict themselves."""
    kinds: Counter[str] = Counter()
    for scenario in worlds:
        for post in filter(readable, posts(scenario)):
            clean, _ = validate_payload(msgspec.json.decode(post.body))
            found = classify_signal(clean)
            kinds[found.code if isinstance(found, Problem) else found.kind.value] += 1
    assert {"entry", "exit", "reduce", "reverse", "SideConflict", "AmbiguousSignal"} <= set(kinds)
    assert kinds["entry"] > 20 * len(worlds)


def test_alerts_come_twice_late_and_in_bursts(worlds: list[Scenario]) -> None:
    """Exact duplicates come up to 90 s later, some alerts are old when they come, some come ten a second."""
    twice = late = bursts = 0
    for scenario in worlds:
        seen: dict[str, int] = {}
        instants = [post.at for post in posts(scenario)]
        bursts += sum(later - first < NANOS for first, later in zip(instants, instants[9:], strict=False))
        for post in posts(scenario):
            twice += post.at - seen.get(post.body, -(10**18)) < 91 * NANOS
            seen[post.body] = post.at
            if readable(post):
                told = msgspec.json.decode(post.body)["timestamp"]
                late += isinstance(told, int) and told > 10**12 and post.at // 1_000_000 - told > 60_000
    assert twice > 20
    assert late > 20
    assert bursts > 5


def test_an_alert_says_the_price_of_its_moment(worlds: list[Scenario]) -> None:
    """The entry price of a good alert is a whole number of ticks near the path's price."""
    scenario = worlds[0]
    names = {symbol.replace("/", "").replace(":USDT", ".P"): symbol for symbol in MARKETS}
    for post in filter(readable, posts(scenario)):
        tv = msgspec.json.decode(post.body)["tv"]
        if tv["symbol"] == "NOSUCHUSDT":
            continue
        market = MARKETS[names[tv["symbol"]]]
        price = msgspec.convert(tv["entry_price"], type=type(market.start_price), strict=False)
        assert price % market.instrument.rules.tick_size == 0
        assert market.start_price / 4 < price < market.start_price * 4


def test_every_broken_alert_can_be_posted_and_few_pass() -> None:
    """Whatever a broken alert is, it is text; nearly all are refused by form, proof or fields."""
    draw = stream(1, "test")
    wish = Wish("BTC/USDT", "15", "buy", ("long", 1), ("flat", 0))
    body = body_of(wish, draw, MARKETS["BTC/USDT"].start_price, 1_700_000_000 * NANOS, "t")
    texts = [broken_text(body, draw) for _ in range(400)]
    assert len(set(texts)) > 40
    assert all(text.encode() is not None for text in texts)
    assert sum(readable(Post(0, text)) for text in texts) < 60
