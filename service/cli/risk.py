"""The loss offset: see what loses and what would be done about it, run it, leave groups out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.asking import confirmed
from service.cli.codes import epilog
from service.cli.output import print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["block", "decisions", "register", "risk", "run_now", "skip_once", "unblock"]

_Group = Annotated[str, typer.Argument(metavar="GROUP", help="Id of a group, as `bulkhead risk` shows it.")]
_Account = Annotated[str, typer.Option("--account", help="Only this account.")]
_risk = typer.Typer(
    help="Closing losers out of winners' profit: what loses, what it waits for, what would be done.", epilog=epilog()
)

_CONDITIONS: Final = {
    "pyramids_incomplete": "not all required pyramids have come in",
    "timer_not_started": "its waiting time has not begun",
    "timer_running": "its waiting time still runs",
    "loss_too_small": "its loss is above the threshold",
    "too_young": "it is too young",
    "skip_once": "it is to be skipped once",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _risk.callback(invoke_without_command=True, epilog=epilog())(risk)
    for command in (decisions, run_now, skip_once, block, unblock):
        _risk.command(epilog=epilog())(command)
    app.add_typer(_risk, name="risk")


# --- looking -----------------------------------------------------------------------------------------------------------


def risk(
    context: typer.Context,
    account: _Account = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show each losing group: loss, what it waits for, and the plan that would close it out of winners' profit.

    Looking changes nothing. A group is offset by itself once all its conditions hold; `run-now GROUP` does not wait for
    them.
    """
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get("/v1/risk", account=account)
    if as_json:
        print_json(found)
        return
    for picture in found["accounts"]:
        _show(picture)


def _show(picture: dict[str, Any]) -> None:
    from service.cli.views import instant

    last = f"; last: {picture['text']} ({instant(picture['acted_at'])})" if picture["text"] else ""
    print_line(f"{picture['account']}: {picture['status']}, {picture['why']}{last}")
    print_line(f"winners: {picture['winners']}, {_money(picture['winners_usd'])} USD")
    for name, groups in (("blocked", picture["blocked"]), ("skipped once", picture["skip_once"])):
        if groups:
            print_line(f"{name}: {', '.join(groups)}")
    if not picture["losers"]:
        print_line("no group loses")
        return
    columns = ("group", "pair", "loss %", "loss USD", "pyramids", "timer", "age", "waits for")
    rows = (_row(each) for each in picture["losers"])
    show(table(columns, rows, right=("loss %", "loss USD")))
    # Beneath the table, as they would make it wider than most terminals.
    for each in picture["losers"]:
        able = f"{each['winners']} winners with {_money(each['winners_usd'])} USD"
        print_line(f"{each['group_id']}: {able}; {_plan(each['plan'], 'would close')}")


def _row(loser: dict[str, Any]) -> tuple[str, ...]:
    left_out = [loser["left_out"]] if loser["left_out"] else []
    return (
        loser["group_id"],
        f"{loser['symbol']} {loser['timeframe']} {loser['side']}",
        "?" if loser["loss_percent"] is None else _money(loser["loss_percent"]),
        "?" if loser["loss_usd"] is None else _money(loser["loss_usd"]),
        f"{'yes' if loser['pyramids_ok'] else 'no'} ({loser['received']} / {loser['required']})",
        _timer(loser),
        _age(loser),
        ", ".join([*left_out, *loser["reasons"]]) or "nothing",
    )


def _timer(loser: dict[str, Any]) -> str:
    if loser["timer"] != "running":
        return str(loser["timer"]).replace("_", " ")
    return f"{loser['remaining_s'] // 60:02d}:{loser['remaining_s'] % 60:02d}"


def _age(loser: dict[str, Any]) -> str:
    if loser["age_ok"] is None:
        return "off"
    minutes = "?" if loser["age_minutes"] is None else loser["age_minutes"]
    return f"{'yes' if loser['age_ok'] else 'no'} ({minutes} min)"


def _plan(plan: dict[str, Any] | None, does: str = "close") -> str:
    """Return a plan in words: winners with quantities and USD, then the loser and what is left over."""
    if plan is None:
        return "no plan"
    if plan["status"] == "not_executable":
        return f"nothing: {plan['reason']}"
    payers = ", ".join(
        f"{'all' if each['full'] else each['qty']} of {each['group_id']} (+{_money(each['profit_usd'])})"
        for each in plan["winners"]
    )
    loser = "all" if plan["loser_full"] else plan["loser_close_qty"]
    return f"{does} {payers}, then {loser} of it; net {_money(plan['net_usd'])} USD"


def _money(value: str) -> str:
    from decimal import Decimal

    return f"{Decimal(value):.2f}"


def decisions(
    account: _Account = "",
    group: Annotated[str, typer.Option("--group", metavar="GROUP", help="Only decisions that name this group.")] = "",
    text: Annotated[str, typer.Option("--search", metavar="WORD", help="Only those with this word (no_winners).")] = "",
    plans: Annotated[bool, typer.Option("--plans", help="Only those that closed something.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many, newest first.")] = 20,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List what the loss offset decided and why; a decision that came out the same again is listed once, with a count."""
    query = {"account": account, "group": group, "text": text, "plans": "1" if plans else "", "limit": str(limit)}
    found = connect(config, socket).get("/v1/risk/decisions", **{name: value for name, value in query.items() if value})
    if as_json:
        print_json(found)
        return
    rows = list(_decision_rows(found["decisions"]))
    if not rows:
        print_line("nothing was decided yet")
        return
    columns = ("time", "account", "id", "times", "why", "decision", "booked USD", "outcome")
    show(table(columns, rows, right=("times", "booked USD")))


def _decision_rows(found: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    from service.cli.views import instant

    for each in found:
        said = f"{each['plan']['loser']}: {_plan(each['plan'])}" if each["plan"] else _why(each)
        yield (
            instant(each["at"]),
            each["account"],
            each["decision_id"],
            str(each["repeats"] + 1),
            each["trigger"],
            said,
            _money(each["booked_usd"]) if each["outcome"] else "",
            f"{each['outcome']} {each['code']}".strip(),
        )


def _why(decision: dict[str, Any]) -> str:
    found = [f"{group}: {next(iter(why), 'eligible')}" for group, why in decision["reasons"].items()]
    found += [f"{group}: {code}" for group, code in decision["left_out"].items()]
    return ", ".join(found)


# --- acting ------------------------------------------------------------------------------------------------------------


def run_now(
    group: Annotated[
        str, typer.Argument(metavar="[GROUP]", help="Offset this group now; without it a normal cycle.")
    ] = "",
    account: _Account = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Run a cycle at once with the normal rules, or offset one group whatever it still waits for.

    For one group it shows the plan and lists the conditions that are passed over, and asks, unless --yes. Its state, a
    block and a loss still count.
    """
    client = connect(config, socket)
    body = {"group": group, "account": account}
    if not yes:
        if as_json:
            raise usage("run-now asks first, and with --json nobody can answer", "add --yes", path="--yes")
        checked = client.post("/v1/risk/run-now", {**body, "check": True})
        for run in checked["runs"]:
            _say_check(run)
        if not any(run["plan"] and run["plan"]["winners"] for run in checked["runs"]):
            return
        confirmed("do it?")
    done = client.post("/v1/risk/run-now", body)
    if as_json:
        print_json(done)
        return
    for run in done["runs"]:
        _say_done(run)


def _say_check(run: dict[str, Any]) -> None:
    name = run["group_id"] or run["account"]
    plan = run["plan"]
    print_line(f"{name}: " + (f"{plan['loser']}: {_plan(plan)}" if plan else "nothing is to be offset now"))
    if run["skipped"]:
        print_line("passed over: " + "; ".join(_CONDITIONS.get(each, each) for each in run["skipped"]))


def _say_done(run: dict[str, Any]) -> None:
    name, plan = run["group_id"] or run["account"], run["plan"]
    if run["plan_id"]:
        print_line(f"{name}: plan {run['plan_id']} has begun: {_plan(plan)}")
    else:
        print_line(f"{name}: nothing was begun" + (f": {run['message'] or plan['reason']}" if plan else ""))


def skip_once(group: _Group, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Leave a group out of the first cycle that would act on it; until then it pays for nobody either."""
    _flag("skip-once", group, "will be skipped once", config, socket, as_json=as_json)


def block(group: _Group, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Exempt a group as loser and as winner until it is unblocked or closed."""
    _flag("block", group, "is blocked", config, socket, as_json=as_json)


def unblock(group: _Group, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """End a group's exemption."""
    _flag("unblock", group, "is not blocked", config, socket, as_json=as_json)


def _flag(name: str, group: str, said: str, config: Any, socket: Any, *, as_json: bool) -> None:
    done = connect(config, socket).post(f"/v1/risk/{name}", {"group": group})
    print_json(done) if as_json else print_line(f"{group} {said} ({done['account']})")
