"""What ``store.cache.contract.Cache`` promises, asked of both."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.codec import MAX_MESSAGE_BYTES
from protocol.nodes import Quote
from store.cache.opening import Shared
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.anyio

QUOTE = Quote("binance", 1_700_000_000_000_000_000, Decimal("60000.10"), Decimal("60000.20"), Decimal("60000.150"))


async def test_what_was_put_is_read(shared: Shared) -> None:
    """A value comes back equal, decimals to the last zero; it is another object."""
    assert await shared.cache.set("quotes:paper:BTC/USDT", QUOTE, 120)
    found = await shared.cache.get("quotes:paper:BTC/USDT", Quote)
    assert found == QUOTE
    assert found is not QUOTE
    assert str(found.last) == "60000.150"


async def test_what_was_never_put_is_nothing(shared: Shared) -> None:
    """An unknown key is None, in its place among several; an unknown map is empty."""
    await shared.cache.set("b", 2)
    assert await shared.cache.get("a", int) is None
    assert await shared.cache.get_many(["a", "b", "a"], int) == [None, 2, None]
    assert await shared.cache.get_many([], int) == []
    assert await shared.cache.get_map("c", int) == {}


async def test_a_newer_value_takes_the_place(shared: Shared) -> None:
    """A key has one value, also where a map stood before; what nothing is known of can be put again."""
    await shared.cache.set("a", 1)
    await shared.cache.set_many({"a": 2, "b": "text"})
    assert await shared.cache.get("a", int) == 2
    await shared.cache.set_in_map("m", {"x": 1})
    await shared.cache.set("m", 5)
    assert await shared.cache.get("m", int) == 5


async def test_deleted_is_gone(shared: Shared) -> None:
    """Values and maps can be taken away; taking away what is not there is no error."""
    await shared.cache.set("a", 1)
    await shared.cache.set_in_map("m", {"x": 1, "y": 2})
    await shared.cache.delete_in_map("m", "x", "nobody")
    assert await shared.cache.get_map("m", int) == {"y": 2}
    await shared.cache.delete("a", "m", "nothing")
    assert await shared.cache.get("a", int) is None
    assert await shared.cache.get_map("m", int) == {}


async def test_maps_take_in_one_subject_after_the_other(shared: Shared) -> None:
    """RG-1201: readings by subject stand in one map; a writer of one leaves the others."""
    assert await shared.cache.set_in_map("regime:fx:current", {"EURUSD": "carry"}, 60)
    assert await shared.cache.set_in_map("regime:fx:current", {"USDJPY": "momentum", "EURUSD": "neutral"}, 60)
    assert await shared.cache.get_map("regime:fx:current", str) == {"EURUSD": "neutral", "USDJPY": "momentum"}


async def test_another_type_is_nothing(shared: Shared) -> None:
    """RG-1211: a payload that is not of the type asked for is ignored and counted; in a map the others are read."""
    await shared.cache.set("a", {"no": "quote"})
    assert await shared.cache.get("a", Quote) is None
    await shared.cache.set_in_map("m", {"good": QUOTE, "bad": 7})
    assert await shared.cache.get_map("m", Quote) == {"good": QUOTE}
    assert shared.cache.stats().undecodable == 2


async def test_maps_and_values_are_not_mixed(shared: Shared) -> None:
    """A map is not read as a value nor a value as a map, and no field is put into a value."""
    await shared.cache.set("value", 1)
    await shared.cache.set_in_map("map", {"x": 1})
    assert await shared.cache.get("map", int) is None
    assert await shared.cache.get_map("value", int) == {}
    assert not await shared.cache.set_in_map("value", {"x": 1})
    assert await shared.cache.get("value", int) == 1
    assert shared.cache.stats().refused >= 2


async def test_nothing_larger_than_a_message_is_kept(shared: Shared) -> None:
    """A value beyond the limit of a message is dropped and counted, and what stood before stays."""
    await shared.cache.set("a", "small")
    assert not await shared.cache.set("a", "x" * (MAX_MESSAGE_BYTES + 1))
    assert await shared.cache.get("a", str) == "small"
    assert shared.cache.stats().dropped == 1


async def test_hits_and_misses_are_counted(shared: Shared) -> None:
    """The counts say how often something was there."""
    await shared.cache.set("a", 1)
    await shared.cache.get_many(["a", "a", "b"], int)
    assert shared.cache.stats()[:2] == (2, 1)


async def test_a_value_ends(shared: Shared, time: Any, redis_server: RedisServer) -> None:
    """A value and a whole map are gone after their time; writing to a map again begins its time anew."""
    await shared.cache.set("short", 1, 0.001)
    await shared.cache.set("long", 1, 60)
    await shared.cache.set_in_map("map", {"x": 1}, 60)
    await shared.cache.set_in_map("map", {"y": 1}, 0.001)
    await shared.cache.set("for-ever", 1)
    if shared.link is not None:
        assert 0 < int(redis_server.ask("PTTL", "long").strip(b":\r\n")) <= 60_000
        assert redis_server.ask("PTTL", "for-ever") == b":-1\r\n"
        while redis_server.ask("EXISTS", "short", "map") != b":0\r\n":
            pass
    else:
        time.ahead_ns = 1_000_000
    assert await shared.cache.get_many(["short", "long", "for-ever"], int) == [None, 1, 1]
    assert await shared.cache.get_map("map", int) == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40) | st.binary(max_size=3_000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


KEYS = st.sampled_from(["a", "b", "c|d", "e:f", "ü"])
STEPS = st.lists(
    st.tuples(st.just("set"), KEYS, VALUES)
    | st.tuples(st.just("delete"), KEYS, st.none())
    | st.tuples(st.just("many"), st.just(""), st.dictionaries(KEYS, VALUES, max_size=3)),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_cache_is_a_dictionary(shared: Shared, steps: list[tuple[str, str, Any]]) -> None:
    """Whatever is put, overwritten and deleted: what is read is what a dictionary would say."""
    keys = ["a", "b", "c|d", "e:f", "ü"]
    await shared.cache.delete(*keys)
    model: dict[str, Any] = {}
    for step, key, value in steps:
        if step == "set":
            model[key] = value
            await shared.cache.set(key, value, 60)
        elif step == "many":
            model |= value
            await shared.cache.set_many(value)
        else:
            model.pop(key, None)
            await shared.cache.delete(key)
    assert await shared.cache.get_many(keys, object) == [model.get(key) for key in keys]
