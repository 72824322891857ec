"""Has a daemon record what its durable actors are given, and what the house was built from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from actors.input_keeper import InputKeeper
from protocol.instruments import Instrument
from runtime.recording import MOST_WAITING, Recorder
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets
from service.hiding import Hiding
from service.markets import Market
from store.inputs.codec import fingerprint_of
from store.inputs.writing import InputWriter
from supervision.backoff import Backoff
from supervision.child import ChildSpec

__all__ = [
    "CONFIG",
    "HOUSE",
    "KEEPER",
    "SECRETS",
    "HouseMark",
    "HouseRecord",
    "begin_recording",
    "inputs_folder",
    "keep_inputs",
    "note_config",
]

HOUSE: Final = "house"
"""Mark: what the tree was built from that no configuration says (``HouseRecord``)."""

CONFIG: Final = "config"
"""Mark: a configuration came into force: its version, itself, why config.toml is not it."""

SECRETS: Final = "secrets"
"""Mark: the fingerprints of the secrets that counted: who does not know them cannot check alerts."""

KEEPER: Final = "inputs"

HouseMark = tuple[str, dict[str, tuple[Instrument, ...]], dict[str, int], tuple[str, ...], float]


class HouseRecord:
    """Names the parts of the mark ``HOUSE``: tag, instruments and longest bar by account, accounts outside, interval."""

    def __init__(self, mark: HouseMark) -> None:
        self.tag, self.instruments, self.lookback_ns, self.outside, self.reconcile_every_s = mark


def inputs_folder(config: Config) -> Path:
    """Return where the records of inputs are."""
    return config.app.data_dir / "inputs"


def begin_recording(
    active: ActiveConfig,
    system: ActorSystem,
    secrets: WebhookSecrets | None,
    markets: Mapping[str, Market],
    *,
    tag: str,
    reconcile_every_s: float,
    outside: Iterable[str] = (),
) -> Recorder:
    """Record from now on what durable actors are given, and what the house is built from; before its tree starts."""
    recorder = Recorder(about={"version": version("bulkhead")}, limit=MOST_WAITING)
    recorder.attach(system)
    instruments = {name: market.instruments for name, market in markets.items()}
    lookback = {name: market.lookback_ns for name, market in markets.items()}
    mark: HouseMark = (tag, instruments, lookback, tuple(outside), reconcile_every_s)
    recorder.stands(HOUSE, mark)
    recorder.stands(SECRETS, _fingerprints(secrets.shown_nowhere if secrets is not None else ()))
    note_config(system, active)
    return recorder


def keep_inputs(
    active: ActiveConfig,
    system: ActorSystem,
    secrets: WebhookSecrets | None,
    markets: Mapping[str, Market],
    hiding: Hiding,
    **house: Any,
) -> list[ChildSpec]:
    """Record from now on; return who writes it, nobody when it is switched off. ``house`` as for ``begin_recording``."""
    if not active.config.self_check.record:
        return []
    recorder = begin_recording(active, system, secrets, markets, **house)
    hidden = _hidden(hiding, recorder)

    def writer(trouble: Callable[[OSError | None], None]) -> InputWriter:
        folder = inputs_folder(active.config)
        days = partial(_days, active)
        return InputWriter(recorder, folder, hidden=hidden, keep_days=days, trouble=trouble)

    # Whatever is wrong with the record, trading never ends because of it.
    keeper = partial(InputKeeper, recorder, writer)
    return [ChildSpec(KEEPER, keeper, backoff=Backoff(1.0, limit_s=60.0), on_exhausted="quarantine")]


def _fingerprints(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(fingerprint_of(each) for each in secrets)


def note_config(system: ActorSystem, active: ActiveConfig) -> None:
    """Record which configuration is in force from now on."""
    if system.recorder is not None:
        system.recorder.stands(CONFIG, (active.version, active.config, active.trouble))


def _days(active: ActiveConfig) -> int:
    return active.config.self_check.retention_days


def _hidden(hiding: Hiding, recorder: Recorder) -> Callable[[], tuple[str, ...]]:
    """Return what gives the secrets that no record may hold, and marks which of alerts have come to them."""
    marked = hiding.of_alerts

    def found() -> tuple[str, ...]:
        nonlocal marked
        secrets = hiding.newest()
        if hiding.of_alerts != marked:
            marked = hiding.of_alerts
            recorder.stands(SECRETS, _fingerprints(marked))
        return secrets

    return found
