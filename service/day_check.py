"""Checks one day: the record of its inputs through the actors of the house, against the journal.

The house is built as the daemon built it, from what the record says of it: configuration, instruments, accounts. Only its
recipes are used: no tree is started, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from actors.equity import EquityKeeper
from actors.event_log import EventLog
from actors.groups import GroupHouse
from actors.notifier import Notifier
from runtime.differing import Report
from runtime.durable import DurableActor
from runtime.journal import StreamReader
from runtime.tape import LifeBegan, TapeItem, Unreadable
from runtime.verifying import Verifier
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets
from service.config.market import MarketSource as Kind
from service.day_report import DayOutcome, outcome_of
from service.house import GATEWAY, Plan, build_house
from service.input_recording import CONFIG, HOUSE, SECRETS, HouseRecord
from service.markets import Market
from service.notices import zone_of
from service.performance_settings import equity_settings
from service.telegram.replayed import replayed_bridge
from store.inputs.codec import fingerprint_of
from store.inputs.reading import read_day
from supervision.child import ChildSpec
from supervision.tree import outline, supervisor

__all__ = ["RecordedHouse", "check_day", "check_items"]


def check_day(
    journal: StreamReader,
    folder: Path,
    day: str,
    *,
    secrets: WebhookSecrets | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> DayOutcome:
    """Check a day (ISO 8601); raise NoRecord when nothing of it was recorded. ``progress`` hears of segments read."""
    began = perf_counter()  # house: measures the machine, decides nothing
    hidden = secrets.shown_nowhere if secrets is not None else ()
    house = RecordedHouse(secrets)
    report = check_items(journal, read_day(folder, day, hidden=lambda: hidden, progress=progress), house)
    seconds = perf_counter() - began  # house: measures the machine, decides nothing
    return outcome_of(day, report, seconds=seconds, hidden=hidden)


def check_items(journal: StreamReader, items: Iterable[TapeItem], house: RecordedHouse) -> Report:
    """Check a record, its actors made by the recipes of the house that it describes."""
    verifier = Verifier(journal, house.make, on_mark=house.heard)
    house.verifier = verifier
    for item in items:
        verifier.take(item)
    return verifier.finish()


class _NoSystem(NamedTuple):
    """Stands where a plan has its system: no recipe of a durable actor uses it."""

    recorder: None = None


class RecordedHouse:
    """The recipes of the house that a record describes, under the configuration that was in force."""

    def __init__(self, secrets: WebhookSecrets | None) -> None:
        self.verifier: Verifier | None = None
        # Without their folder: nothing here reads them anew, under a configuration from which secrets were left out.
        self._secrets = secrets._replace(folder=None) if secrets is not None else None
        self._active: ActiveConfig | None = None
        self._record: HouseRecord | None = None
        self._recipes: dict[str, ChildSpec] = {}
        self._stranger = False
        """Whether a secret that counted then is not known here."""

    def heard(self, what: str, value: Any) -> None:
        """Take a mark of the record."""
        if isinstance(value, Unreadable):
            self._active, self._recipes = None, {}
            return
        if what == HOUSE:
            self._record = HouseRecord(value)
        elif what == CONFIG:
            self._under(*value)
        elif what == SECRETS:
            known = (
                {fingerprint_of(each) for each in self._secrets.shown_nowhere} if self._secrets is not None else set()
            )
            self._stranger = bool(set(value) - known)

    def _under(self, version: int, config: Config, trouble: str) -> None:
        if self.verifier is not None:
            self.verifier.about["config"] = version
        if self._active is None:
            self._active = ActiveConfig(config, version, trouble)
        else:
            self._active.config, self._active.version, self._active.trouble = config, version, trouble
        self._recipes = dict(outline(build_house(self._plan(self._active)))) if self._record is not None else {}

    def _plan(self, active: ActiveConfig) -> Plan:
        record = self._record
        assert record is not None, "the house is described before its configuration"
        markets = {
            name: Market("recorded", Kind.REPLAY, _nowhere, instruments, record.lookback_ns[name])
            for name, instruments in record.instruments.items()
        }
        return Plan(
            active=active,
            system=_NoSystem(),  # type: ignore[arg-type]
            tag=record.tag,
            secrets=self._secrets,
            markets=markets,
            reconcile_every_s=record.reconcile_every_s,
            store=[
                ChildSpec("events", EventLog),
                ChildSpec("equity", lambda: EquityKeeper(equity_settings(active.config))),
            ],
            operators=[
                ChildSpec("notifier", lambda: Notifier(zone=zone_of(active.config))),
                supervisor("telegram", ChildSpec("bridge", lambda: replayed_bridge(active.config))),
            ],
            venues=dict.fromkeys(record.outside, _nowhere),
        )

    def make(self, life: LifeBegan) -> DurableActor:
        """Return the actor of a life; raise LookupError when the house has no recipe for it."""
        if self._stranger and life.path == GATEWAY:
            raise LookupError(
                "a secret of alerts that counted then is not known here: it was rotated, or stands elsewhere"
            )
        recipe = self._recipes.get(life.path) or self._group(life)
        if recipe is None:
            raise LookupError("the record does not say how it was made")
        actor = recipe.factory() if isinstance(recipe, ChildSpec) else recipe()
        if not isinstance(actor, DurableActor):
            raise LookupError(f"{type(actor).__name__} keeps no journal today")
        return actor

    def _group(self, life: LifeBegan) -> Callable[[], DurableActor] | None:
        above = self._recipes.get(life.path.rpartition("/")[0])
        if above is None or not isinstance(life.born, dict) or "_group_id" not in life.born:
            return None
        house = above.factory()
        assert isinstance(house, GroupHouse), f"{life.path} is a group"
        return partial(house.made, life.born["_group_id"])


def _nowhere() -> Any:
    raise LookupError("a replay opens no market and no venue")
