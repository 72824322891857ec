"""Projections of what the engine goes by: versions of the configuration, trading rules of the markets."""

from __future__ import annotations

from protocol.codec import encode_json
from protocol.configuration import ConfigApplied, ConfigRolledBack
from protocol.precision import RulesFetched
from store.views.registry import Writer, insert, projection, run

__all__ = ["config_applied", "config_rolled_back", "rules_fetched"]


@projection(ConfigApplied)
def config_applied(writer: Writer, event: ConfigApplied) -> None:
    """Write a version with its author and what it changed."""
    insert(
        writer,
        "config_versions",
        position=writer.record.position,
        version=event.version,
        author=event.author,
        document=event.document,
        changes=encode_json(event.changes).decode(),
        applied_at=event.at,
    )


@projection(ConfigRolledBack)
def config_rolled_back(writer: Writer, event: ConfigRolledBack) -> None:
    """Note why a version was taken back."""
    sql = "UPDATE config_versions SET rolled_back = ? WHERE version = ?"
    run(writer, sql, f"{event.actor}: {event.cause}", event.version)


@projection(RulesFetched)
def rules_fetched(writer: Writer, event: RulesFetched) -> None:
    """Write the rules that are new or changed; when all were fetched holds for every market of the account."""
    for each in event.changed:
        rules = {name: getattr(each.rules, name) for name in each.rules.__struct_fields__}
        names = {"venue": each.venue, "venue_symbol": each.venue_symbol}
        insert(
            writer, "precision_rules", account=event.account, symbol=each.symbol, **names, **rules, fetched_at=event.at
        )
    for symbol in event.gone:
        sql = "UPDATE precision_rules SET gone_at = ? WHERE account = ? AND symbol = ?"
        run(writer, sql, event.at, event.account, symbol)
    sql = "UPDATE precision_rules SET fetched_at = ? WHERE account = ? AND gone_at IS NULL"
    run(writer, sql, event.at, event.account)
