"""Who executes is not changed under open groups: not by an apply, not by an edited file, not by the environment (PF-230)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.pool import Pool
from actors.topics import pool_topic
from protocol.configuration import GetConfig
from protocol.pool import PoolIdentities, SlotFreed, SlotTaken
from runtime.bus import Bus
from runtime.journal import Entry, Snapshot
from runtime.memory_journal import MemoryJournal
from service.config import ConfigError, parse
from service.config.sources import Sources
from service.config.venue_changes import venue_changes
from service.config_setup import begin_with
from service.open_groups import open_before, open_now
from tests.actors.cast import Stage, play
from tests.actors.groups import opening, signal
from tests.actors.pool_rig import PATH, PoolRig, entry
from tests.service.backup_rig import slot_taken
from tests.service.store_rig import Rig, codes, life

BYBIT, OANDA = '[[accounts]]\nname = "main"\nvenue = "bybit"\n', '[[accounts]]\nname = "main"\nvenue = "oanda"\n'
KEY = "trader|bybit|BTC/USDT|1h|long"
CODE = "BrokerChangeWithOpenPositions"


def holding(*keys: str) -> Any:
    """Say that the account ``main`` has these groups open."""
    return lambda account: keys if account == "main" else ()


@pytest.mark.parametrize(
    ("after", "paths"),
    [
        (BYBIT, []),
        (OANDA + 'account_id = "1"\n', ["accounts[0].venue"]),
        ('[[accounts]]\nname = "main"\n', ["accounts[0].exchange"]),
        ('[[accounts]]\nname = "main"\nexchange = "bybit"\n', ["accounts[0].venue"]),
        (BYBIT + 'market_type = "futures"\n', ["accounts[0].market_type"]),
        (BYBIT + 'account_id = "2"\n', ["accounts[0].account_id"]),
        (BYBIT + "mute_after_s = 5\n", []),
        (BYBIT.replace("main", "other"), []),
    ],
    ids=["same", "another venue", "paper", "paper of it", "futures", "number", "otherwise", "another name"],
)
def test_an_account_with_open_groups_stays_where_they_are(after: str, paths: list[str]) -> None:
    """PF-230: whatever would send its orders elsewhere is refused while groups are open, and free when none is."""
    before, wanted = parse(BYBIT, {}), parse(after, {})
    assert [(each.path, each.code) for each in venue_changes(before, wanted, holding(KEY))] == [
        (path, CODE) for path in paths
    ]
    assert venue_changes(before, wanted, holding()) == ()


def test_an_apply_that_changes_the_broker_is_refused_until_all_is_closed(tmp_path: Path) -> None:
    """PF-230: the draft stays, nothing comes into force; with nothing open the same draft is applied."""
    file = tmp_path / "config.toml"
    open_keys = [KEY.replace("bybit", "binance")]

    async def script(rig: Rig) -> None:
        await rig.set(accounts=[{"name": "paper", "venue": "bybit"}])
        answer = await rig.apply(1)
        assert [(each.path, each.code, each.value) for each in answer.mistakes] == [
            ("accounts[0].venue", CODE, "bybit")
        ]
        assert "1 groups are open, at binance" in answer.mistakes[0].message
        assert (await rig.stage.ask("config", GetConfig())).version == 1
        open_keys.clear()
        done = await rig.apply(1)
        assert codes(done) == [], done.mistakes

    life(script, file, held=lambda _: open_keys)


def test_an_edited_file_leaves_the_broker_of_open_groups_in_force(tmp_path: Path) -> None:
    """PF-230: at a start the version before stands and its groups are managed; the file can be put right."""
    file = tmp_path / "config.toml"
    file.write_text(BYBIT)

    async def nothing(rig: Rig) -> None:
        assert rig.active.trouble == ""

    journal = life(nothing, file)
    file.write_text(OANDA + 'account_id = "1"\n')

    async def troubled(rig: Rig) -> None:
        assert CODE in rig.active.trouble
        assert rig.config.accounts[0].exchange == "bybit"

    journal = life(troubled, file, journal=journal, held=holding(KEY))
    file.write_text(BYBIT)
    life(nothing, file, journal=journal, held=holding(KEY))


def test_a_change_that_waited_for_the_restart_is_noticed_there(tmp_path: Path) -> None:
    """A version that was applied with nothing open does not start over groups that opened since; the old venue does."""
    file = tmp_path / "config.toml"
    file.write_text(OANDA + 'account_id = "1"\n')
    journal = life(_nothing, file)
    sources = Sources.of(file, {})
    boot = sources.guess()
    assert not begin_with(journal, sources, boot).trouble
    journal.append([_event(1, taken())])
    with pytest.raises(ConfigError) as caught:
        begin_with(journal, sources, boot)
    assert [each.code for each in caught.value.problems] == [CODE]
    file.write_text(BYBIT)
    assert begin_with(journal, sources, boot).config.accounts[0].exchange == "bybit"


async def _nothing(rig: Rig) -> None:
    assert rig.active.trouble == ""


def taken(key: str = KEY) -> SlotTaken:
    """Return how a group of that key took its slot."""
    return slot_taken(msgspec.structs.replace(opening(signal()), key=key, group_id=f"g-{key}"))


def _event(seq: int, event: SlotTaken | SlotFreed) -> Entry:
    return Entry("/risk/pool-main", seq, event, 0, 0, 0, 0)


def test_what_is_open_is_read_from_the_pools_journal() -> None:
    """A slot that was taken and not given back is an open group, whether a snapshot of the pool tells it or its events."""
    journal = MemoryJournal()
    second = KEY.replace("BTC", "ETH")
    journal.append([_event(1, taken()), _event(2, taken(second))])
    assert open_before(journal, "main") == (KEY, second)
    assert open_before(journal, "other") == ()

    async def snapshot(stage: Stage) -> bytes:
        rig = PoolRig(stage)
        await rig.told(entry("s1"))
        assert rig.started()
        state: bytes = stage.actor(PATH.rpartition("/")[2]).snapshot()
        return state

    journal.save_snapshot(Snapshot("/risk/pool-main", 1, Pool.SNAPSHOT_VERSION, play(snapshot)))
    assert open_before(journal, "main") == (signal().group_key, second), "its events after the snapshot count too"
    freed = SlotFreed(group_key=second, group_id=f"g-{second}", occupied=0, maximum=2, at=0)
    journal.append([_event(3, freed)])
    assert open_before(journal, "main") == (signal().group_key,)


def test_what_is_open_now_is_what_the_pool_says() -> None:
    """While the daemon runs the pool's own word counts."""
    bus = Bus()
    assert open_now(bus, "main") == ()
    bus.publish(pool_topic("main"), PoolIdentities("main", (KEY,), ("queued",), False), keep=True)
    assert open_now(bus, "main") == (KEY,)
