"""Paper and simulation side by side on one exchange in one house: nothing of one is ever met in the other (EX-113)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from actors.sender import Alert
from protocol.groups import GroupClosed, GroupOpened, RiskStepEnded
from protocol.pool import EntryPromoted, SignalQueued, SlotTaken
from protocol.signals import SignalReceived, SignalRouted
from protocol.values import Scope
from runtime.memory_journal import MemoryJournal
from service.config import Config, parse
from service.demo import alert_body
from service.replaying import run_replay
from store.ledger import inputs
from store.performance import Wanted
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import MEMORY
from strategies.crossing import Wish
from tests.system.accounts import check_no_order_twice
from tests.system.recorded import SECRETS

D = Decimal
MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000
FALLS = "BTC/USDT", [100 - 0.2 * max(0, minute - 5) for minute in range(60)]
RISES = "ETH/USDT", [100 + 0.2 * max(0, minute - 5) for minute in range(60)]
PAPER = '[[accounts]]\nname = "desk"\nscope = "paper"\nlatency_ms = 0\nbalances = { USDT = 100000 }\n'
SIMULATION = (
    '[[accounts]]\nname = "lab"\nscope = "simulation"\nlatency_ms = 0\nbalances = { USDT = 50000 }\n'
    'maker_fee = 0.004\ntaker_fee = 0.004\nsignals = ["both"]\n'
)


def configured(folder: Path, accounts: str, *, slots: int) -> Config:
    """Return a house on recorded prices: one market falls by a tenth, the other rises by as much."""
    tables = ""
    for symbol, closes in (FALLS, RISES):
        file = folder / f"{symbol[:3]}.csv"
        rows = [f"{(START + minute * MINUTE) // 1_000_000},{c},{c},{c},{c},1000" for minute, c in enumerate(closes)]
        file.write_text("ts,open,high,low,close,volume\n" + "\n".join(map(_dated, rows)) + "\n")
        tables += f'[market.replay."{symbol}"]\npath = "{file}"\ntimeframe = "1m"\n'
    return parse(
        f"""
[app]
data_dir = "{folder}"
[market]
source = "replay"
{tables}
[execution_pool]
max_open_groups = {slots}
[grid_strategy]
levels = [{{ gap_percent = 0, weight_percent = 100, tp_percent = 500 }}]
[risk_engine]
loss_threshold_percent = -2
required_pyramids_for_timer = 1
require_full_pyramids = false
enable_post_full_wait = false
{accounts}
""",
        {},
    )


def _dated(row: str) -> str:
    at, _, rest = row.partition(",")
    return f"{datetime.fromtimestamp(int(at) / 1_000, UTC).isoformat()},{rest}"


def alert(minute: int, symbol: str, label: str, wish: Wish = Wish.ENTER) -> Alert:
    """Return an alert of a strategy in the middle of a bar."""
    at = START + minute * MINUTE + 30_000_000_000 + 7
    body = alert_body(
        secret=SECRETS.secret.reveal(),
        exchange="binance",
        symbol=symbol.replace("/", ""),
        wish=wish,
        price=D(100),
        at=at,
        size=D(10_000),
        label=label,
    )
    return Alert(at, body)


LOSER = alert(2, "BTC/USDT", "mine")
WINNER = alert(3, "ETH/USDT", "both")
ENDS = (alert(40, "BTC/USDT", "mine", Wish.EXIT), alert(55, "ETH/USDT", "both", Wish.EXIT))


class Run(NamedTuple):
    """What a replay left behind."""

    journal: MemoryJournal
    views: Views

    def events(self, *kinds: type[Any]) -> list[Any]:
        return [record.event for record in self.journal.read_all() if isinstance(record.event, kinds)]


def replayed(folder: Path, accounts: str, *, slots: int) -> Iterator[Run]:
    """Run the four alerts through a house with these accounts."""
    journal = MemoryJournal()
    with closing(Projector(MEMORY)) as projector:
        config, alerts = configured(folder, accounts, slots=slots), (LOSER, WINNER, *ENDS)
        run_replay(config, alerts=alerts, secrets=SECRETS, journal=journal, seed=1)
        projector.catch_up(journal)
        yield Run(journal, projector.views())


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Run]:
    """One slot each: the desk's is taken by the loser, so the winner waits there and is opened in the lab."""
    yield from replayed(tmp_path, PAPER + SIMULATION, slots=1)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Run]:
    """The same alerts in one account with a slot for each."""
    yield from replayed(tmp_path, PAPER, slots=2)


def test_one_alert_goes_to_both_accounts_and_each_decides_for_itself(two: Run) -> None:
    """EX-113: the alert fans out; what is full in one scope is free in the other, and neither waits for the other."""
    sent = [event.accounts for event in two.events(SignalReceived)]
    assert sent == [("desk",), ("desk", "lab"), ("desk",), ("desk", "lab")]
    became = [(event.account, event.outcome) for event in two.events(SignalRouted)]
    assert sorted(became[1:3]) == [("desk", "queued:q1:pool_full"), ("lab", "opened")]
    assert [(each.opening.account, each.opening.scope) for each in two.events(SlotTaken)] == [
        ("desk", Scope.PAPER),
        ("lab", Scope.SIMULATION),
        ("desk", Scope.PAPER),
    ]
    assert {each.maximum for each in two.events(SlotTaken)} == {1}
    assert len(two.events(SignalQueued)) == len(two.events(EntryPromoted)) == 1
    opened = {each.group_id: (each.account, each.scope) for each in two.events(GroupOpened)}
    assert sorted(opened.values()) == [("desk", "paper"), ("desk", "paper"), ("lab", "simulation")]
    assert len(two.events(GroupClosed)) == 3
    for account in ("desk", "lab"):
        check_no_order_twice(each for each in two.journal.read_all() if each.stream.startswith(f"/venues/{account}/"))


def test_a_winner_never_pays_for_a_loser_of_the_other_scope(two: Run, one: Run) -> None:
    """EX-113, EX-1004: in one account the winner covers the loser; with the winner in the other scope nothing is offset."""
    assert len(one.events(RiskStepEnded)) >= 2
    assert two.events(RiskStepEnded) == []


def test_what_was_earned_is_counted_by_scope(two: Run) -> None:
    """EX-113, EX-1719: groups, trades, fees and equity of a scope are its own; no sum holds both."""
    views = two.views
    assert [row.account for row in views.groups(scope=Scope.SIMULATION)] == ["lab"]
    assert {row.account for row in views.groups(scope=Scope.PAPER)} == {"desk"}
    rows = {(row.key, row.scope): row for row in views.realised_pnl("account")}
    assert set(rows) == {("desk", Scope.PAPER), ("lab", Scope.SIMULATION)}
    desk, lab = rows["desk", Scope.PAPER], rows["lab", Scope.SIMULATION]
    assert desk.net_quote < 0 < lab.net_quote
    assert lab.fees_quote > 2 * desk.fees_quote > 0
    for scope, account in ((Scope.PAPER, "desk"), (Scope.SIMULATION, "lab")):
        made = inputs(views, Wanted(scope), lambda _: 1.0)
        mine = {row.group_id for row in views.groups() if row.account == account and row.first_fill_at}
        assert {trade.id for trade in made.trades} == mine
        assert inputs(views, Wanted(scope, account="lab" if account == "desk" else "desk"), lambda _: 1.0).trades == []
