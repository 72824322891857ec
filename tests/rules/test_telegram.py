"""The chat bridge: commands, allow list, limits, roles, codes that work once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.telegram.chats import CODE_MS, LIMIT, WINDOW_MS, Chats, Judged, judge, judge_token, role_of
from rules.telegram.commands import HOUSE, SPEC, Role, parse_command

_FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "learning" / "commands.json"


def _vectors(function: str) -> list[Any]:
    if not _FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {_FILE}"))]
    cases = json.loads(_FILE.read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["function"] == function]


def _ask(chats: Chats, text: str, now_ms: int = 0, **more: Any) -> Judged:
    given = {"chat": 1, "code": lambda: "123456", "role": Role.ADMIN, "token": lambda: "tok", **more}
    return judge(chats, given.pop("chat"), text, now_ms, **given)


@pytest.mark.parametrize("case", _vectors("parse_command"))
def test_commands_are_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    """ML-1081: each vector."""
    found = parse_command(case["input"]["text"])
    said = {"error": found.error} if found.error else {"args": list(found.args)}
    assert said | ({"command": found.command} if found.command else {}) == case["expected"]


@pytest.mark.parametrize("case", _vectors("chat_bridge"))
def test_chats_are_served_as_the_vectors_say(case: dict[str, Any]) -> None:
    """ML-1080 to ML-1084: replies, effects, and whether the tree is paused at the end."""
    given, chats, paused, results = case["input"], Chats(), False, []
    for event in given["events"]:
        role = Role.ADMIN if event["chat"] in given["allowed"] else Role.NOBODY
        found = _ask(chats, event["text"], event["at_ms"], chat=event["chat"], role=role, code=lambda: given["code"])
        paused = {"PAUSE": True, "RESUME": False}.get(found.effect or "", paused)
        results.append({"reply": found.reply, "effect": found.effect, **({"log": found.log} if found.log else {})})
    assert {"results": results, "paused": paused} == case["expected"]


@pytest.mark.parametrize("case", _vectors("chat_rate_limit"))
def test_chats_are_limited_as_the_vectors_say(case: dict[str, Any]) -> None:
    """ML-1081: at most 20 accepted commands in any sliding minute; refused ones do not count."""
    chats = Chats()
    assert [_ask(chats, "/status", at).reply for at in case["input"]["times_ms"]] == case["expected"]


def test_every_command_of_the_requirement_is_there() -> None:
    """ML-1081: the table; the house's own table has all of it and the actions marked T of EX-1611 to EX-1618."""
    names = ["/help", "/pause", "/resume", "/status", "/positions", "/close", "/closeall", "/news", "/pnl", "/latency"]
    assert list(SPEC) == names
    assert {*names, "/run", "/promote", "/remove", "/forceadd", "/closeleg"} <= set(HOUSE)


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_whatever_raises_risk_or_closes_is_confirmed(name: str) -> None:
    """EX-1504: only what trades nothing is done at once; stopping is always one step."""
    command = HOUSE[name]
    assert command.confirm is (command.writes and name not in ("/pause", "/stop", "/reject"))
    assert not command.writes or command.role >= (Role.APPROVE if name in ("/approve", "/reject") else Role.TRADE)


@pytest.mark.parametrize("name", ["/pause", "/resume"])
def test_a_pause_is_of_one_account_or_of_all_and_says_which(name: str) -> None:
    """ML-1080, ML-1082: with several accounts it needs one of them or ``all``; with one account that one is meant."""
    two = ("acct1", "acct2")
    assert _ask(Chats(), name, commands=HOUSE, accounts=two).reply == "AccountNeeded"
    for word in ("acct1", "all"):
        found = _ask(Chats(), f"{name} {word}", commands=HOUSE, accounts=two)
        assert (found.reply != "AccountNeeded", found.parsed.account) == (True, word)
    assert parse_command(f"{name} acct3", HOUSE, two).error == "BadArguments"
    assert parse_command(f"{name} acct1 all", HOUSE, two).error == "BadArguments"
    assert parse_command(name, HOUSE, ("one",)).account == ""


def test_all_stands_for_every_account_only_where_that_is_meant() -> None:
    """ML-1082: no other command is for all accounts at once because somebody writes so."""
    assert [name for name, command in HOUSE.items() if command.for_all] == ["/pause", "/resume", "/closeall"]
    chats = Chats()
    assert _ask(chats, "/closeall all", commands=HOUSE, accounts=("acct1", "acct2")).reply == "confirm"
    assert _ask(chats, "/closeall 123456", commands=HOUSE, accounts=("acct1", "acct2")).effect == "CLOSE_ALL"
    assert parse_command("/stop all", HOUSE, ("acct1", "acct2")).error == "BadArguments"


def test_who_lost_the_role_meanwhile_confirms_nothing() -> None:
    """EX-1505: a code counts by what its user may do when it comes, not when it was asked for."""
    for confirmation in ("/confirm 123456", "/closeall 123456"):
        chats = Chats()
        assert _ask(chats, "/closeall", commands=HOUSE, role=Role.TRADE).reply == "confirm"
        found = _ask(chats, confirmation, commands=HOUSE, role=Role.WATCH)
        assert (found.reply, found.effect) == ("NotAllowed", None)


@pytest.mark.parametrize("word", ["", " /help", "help", "\n/help"])
def test_what_does_not_begin_with_a_stroke_is_no_command(word: str) -> None:
    """ML-1081: text not starting with / is NotACommand."""
    assert parse_command(word).error == "NotACommand"


def test_a_leading_account_selects_one() -> None:
    """ML-1082: reads cover all without one; writes need it where there are several."""
    accounts = ("acct1", "acct2")
    assert parse_command("/STATUS Acct2", SPEC, accounts).account == "acct2"
    assert parse_command("/status other", SPEC, accounts).error == "BadArguments"
    assert parse_command("/pnl acct1 week", SPEC, accounts)[:2] == ("/pnl", ("week",))
    assert _ask(Chats(), "/pause", accounts=accounts).reply == "AccountNeeded"
    assert _ask(Chats(), "/pause acct1", accounts=accounts).effect == "PAUSE"
    assert _ask(Chats(), "/pause", accounts=("one",)).effect == "PAUSE"


def test_an_empty_allow_list_serves_nobody() -> None:
    """ML-1080: without entries every chat is a stranger's; entries count for their chat and their user only."""
    assert role_of((), 1, 1) is Role.NOBODY
    members = ((-5, None, Role.WATCH), (-5, 7, Role.TRADE), (7, 7, Role.ADMIN))
    assert [role_of(members, *each) for each in ((-5, 8), (-5, 7), (7, 7), (7, 8), (8, 7))] == [
        Role.WATCH,
        Role.TRADE,
        Role.ADMIN,
        Role.NOBODY,
        Role.NOBODY,
    ]


@pytest.mark.parametrize("late_ms", [0, CODE_MS, CODE_MS + 1])
def test_a_code_is_valid_up_to_and_including_its_last_moment(late_ms: int) -> None:
    """ML-1081: valid up to and including 60 s."""
    chats = Chats()
    _ask(chats, "/closeall", 1_000)
    found = _ask(chats, "/closeall 123456", 1_000 + late_ms)
    assert found.reply == ("code_expired" if late_ms > CODE_MS else "closing_all")


def test_a_wrong_code_cancels() -> None:
    """ML-1081: a wrong code ends the request; the right one afterwards is late."""
    chats = Chats()
    _ask(chats, "/closeall")
    assert _ask(chats, "/closeall 000000").reply == "bad_code"
    assert _ask(chats, "/closeall 123456").reply == "code_expired"


def test_a_code_is_for_who_asked() -> None:
    """DK-155: in a group another user's code or tap does not carry out what somebody else asked for."""
    chats = Chats()
    _ask(chats, "/close g1", commands=HOUSE, user=7)
    tap = judge_token(chats, 1, "tok", 1, user=8, role=Role.ADMIN, commands=HOUSE)
    assert (tap.reply, tap.effect) == ("NotAllowed", None)
    tap = judge_token(chats, 1, "tok", 1, user=7, role=Role.ADMIN, commands=HOUSE)
    assert tap.effect == "CLOSE:g1"


def test_a_second_tap_changes_nothing() -> None:
    """DK-155: a stale or repeated tap has no effect."""
    chats = Chats()
    _ask(chats, "/closeall", commands=HOUSE)
    taps = [
        judge_token(chats, 1, token, 1, user=None, role=Role.ADMIN, commands=HOUSE).effect
        for token in ("old", "tok", "tok")
    ]
    assert taps == [None, "CLOSE_ALL", None]


@pytest.mark.parametrize("role", [Role.WATCH, Role.APPROVE, Role.TRADE, Role.ADMIN])
@pytest.mark.parametrize("name", sorted(HOUSE))
def test_a_role_may_what_it_may(role: Role, name: str) -> None:
    """EX-1505: a command beyond the role is NotAllowed and has no effect."""
    args = " x" * HOUSE[name].least
    found = _ask(Chats(), name + args, role=role, commands=HOUSE)
    assert (found.reply == "NotAllowed") is (role < HOUSE[name].role)


@given(
    st.lists(
        st.tuples(st.sampled_from(["/closeall", "/closeall 123456", "/closeall 1", "/status"]), st.integers(0, 40_000)),
        max_size=40,
    )
)
def test_everything_is_closed_only_right_after_its_code_was_asked_for(steps: list[tuple[str, int]]) -> None:
    """ML-1081: each effect has a request of its own, at most 60 s before, with no other code between them."""
    chats, now, asked = Chats(), 0, None
    for text, wait in steps:
        now += wait
        found = _ask(chats, text, now)
        if found.reply == "confirm":
            asked = now
        if found.effect == "CLOSE_ALL":
            assert asked is not None
            assert now - asked <= CODE_MS
            asked = None
        elif found.reply in ("bad_code", "code_expired"):
            asked = None


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=120))
def test_no_minute_has_more_than_the_limit(waits: list[int]) -> None:
    """ML-1081: in any sliding minute at most 20 are accepted, and a chat that waits is served again."""
    chats, now, accepted = Chats(), 0, []
    for wait in waits:
        now += wait
        if _ask(chats, "/status", now).reply == "status":
            accepted.append(now)
        else:
            assert sum(at > now - WINDOW_MS for at in accepted) == LIMIT
    for at in accepted:
        assert sum(at - WINDOW_MS < other <= at for other in accepted) <= LIMIT
