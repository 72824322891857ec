"""Rules that tie several keys together (EX-1304), checked after every key has been read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from protocol.values import MarketType
from service.config.data_rules import check_data
from service.config.document import Config
from service.config.errors import Problems
from service.config.exchange import VENUES
from service.config.grid import GridStrategy
from service.config.ladder_rules import check_layers, check_shorthand
from service.config.mappings import check_mappings
from service.config.market import MarketSource
from service.config.overrides import applied
from service.config.queue import RANKING
from service.config.safety_rules import check_access, check_api, check_protection
from service.config.venue_access import market_type_of
from service.config.venue_rules import check_venues

__all__ = ["check_across"]


def check_across(config: Config, problems: Problems) -> None:
    """Note every broken rule of the whole document, in the order of EX-1304 and then our own."""
    problems.begin_rules()
    _check_required_pyramids(config, problems)
    _check_grid(config.grid_strategy, "grid_strategy", problems)
    for index, override in enumerate(config.grid_strategy.overrides):
        grid, _ = applied(config, override)
        _check_grid(grid, f"grid_strategy.overrides[{index}]", problems)
    _check_priorities(config.waiting_rule.selection_priority, problems)
    check_protection(config, problems)
    check_access(config, problems)
    check_api(config, problems)
    check_mappings(config.signal.mappings, problems)
    _check_accounts(config, problems)
    check_venues(config, problems)
    check_data(config, problems)
    _check_market(config, problems)
    _check_supervision(config, problems)


def _check_required_pyramids(config: Config, problems: Problems) -> None:
    required, most = config.risk_engine.required_pyramids_for_timer, config.grid_strategy.max_pyramids_per_group
    if required > most:
        message = f"must be at most grid_strategy.max_pyramids_per_group ({most}), or no group ever has them all"
        problems.add("risk_engine.required_pyramids_for_timer", "ExceedsMaxPyramids", message, value=required)


def _check_priorities(names: tuple[str, ...], problems: Problems) -> None:
    if not names or set(names) - set(RANKING) or len(set(names)) < len(names):
        message = f"must name at least one of {', '.join(RANKING)}, each at most once"
        problems.add("waiting_rule.selection_priority", "InvalidPriorityList", message, value=", ".join(names))


def _check_grid(grid: GridStrategy, path: str, problems: Problems) -> None:
    if grid.levels is not None:
        check_layers(grid.levels, grid, f"{path}.levels", problems)
    for pyramid, layers in grid.pyramid_specific_levels.items():
        check_layers(layers, grid, f"{path}.pyramid_specific_levels[{pyramid}]", problems)
    most = grid.max_pyramids_per_group - 1
    _check_indices(grid.pyramid_specific_levels, 1, most, f"{path}.pyramid_specific_levels", problems)
    _check_indices(grid.pyramid_tp_percents, 0, most, f"{path}.pyramid_tp_percents", problems)
    check_shorthand(grid, path, problems)


def _check_indices(indices: Iterable[int], least: int, most: int, path: str, problems: Problems) -> None:
    for index in indices:
        if not least <= index <= most:
            message = f"pyramid indices here go from {least} to {most} (max_pyramids_per_group counts pyramid 0)"
            problems.add(f"{path}[{index}]", "PyramidIndexOutOfRange", message)


def _check_accounts(config: Config, problems: Problems) -> None:
    if not config.accounts:
        problems.add("accounts", "OutOfRange", "must hold at least one account; leave it out for the default one")
    names = [account.name for account in config.accounts]
    for index in _repeats(names):
        problems.add(f"accounts[{index}].name", "Duplicate", "another account has this name", value=names[index])
    meant: dict[str, str] = {each: each for each in VENUES} | {each.exchange: each.exchange for each in config.accounts}
    for index, account in enumerate(config.accounts):
        for name in account.alert_names:
            if meant.setdefault(name.lower(), account.exchange) != account.exchange:
                message = f"alerts of {name} are meant for {meant[name.lower()]} already"
                problems.add(f"accounts[{index}].alert_names", "Duplicate", message, value=name)
    taken: set[tuple[object, ...]] = set()
    for index, account in enumerate(config.accounts):
        route = (account.exchange, config.scope_of(account))
        both = tuple(MarketType)
        families = (market_type_of(config, account),) if account.venue.is_known else both
        if any((*route, family) in taken for family in families):
            message = "another account of this scope trades this exchange: an alert would have two places to go"
            problems.add(f"accounts[{index}].exchange", "Duplicate", message, value=account.exchange)
        taken |= {(*route, family) for family in families}


def _check_market(config: Config, problems: Problems) -> None:
    market = config.market
    if not market.symbols:
        problems.add("market.symbols", "OutOfRange", "must name at least one symbol")
    for index in _repeats(market.symbols):
        problems.add(f"market.symbols[{index}]", "Duplicate", "is named twice", value=market.symbols[index])
    if market.replay:
        return
    wanted = [("market.source", market.source)]
    wanted += [(f"accounts[{index}].market", account.market) for index, account in enumerate(config.accounts)]
    for path, source in wanted:
        if source is MarketSource.REPLAY:
            problems.add(path, "MissingValue", "replay needs files: name them in market.replay")


def _check_supervision(config: Config, problems: Problems) -> None:
    limits = config.supervision
    if limits.backoff_base_ms > limits.backoff_cap_ms:
        message = f"must be at most backoff_cap_ms ({limits.backoff_cap_ms})"
        problems.add("supervision.backoff_base_ms", "OutOfRange", message, value=limits.backoff_base_ms)


def _repeats(values: Iterable[object]) -> Iterator[int]:
    """Yield the positions of values that stood before."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index
        seen.add(value)
