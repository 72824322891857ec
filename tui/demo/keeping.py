"""What the made-up house keeps: masks of secrets, backups; and what a test of an account comes to there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tui.demo.world import World
from tui.link import LinkRefused

__all__ = ["back_up", "backups", "keep", "mark_backup", "prune_backups", "secrets", "tested"]

_FIELDS: Final = {"main": ("api_key", "api_secret"), "perp": ("api_key", "api_secret")}
_FOLDER: Final = "~/.local/share/bulkhead/backups"
_KEEP_NEWEST: Final = 14


def secrets(world: World, query: Mapping[str, Any]) -> Any:  # noqa: ARG001 - every answer has this shape
    """Answer ``/v1/secrets``."""
    names = dict.fromkeys([*((holder, each) for holder, fields in _FIELDS.items() for each in fields), *world.masks])
    rows = [
        {
            "holder": holder,
            "field": field,
            "masked": world.masks.get((holder, field), "(not set)"),
            "source": "vault" if (holder, field) in world.masks else "",
            "variable": f"BULKHEAD_ACCOUNTS__{holder.upper()}__{field.upper()}",
            "used": True,
        }
        for holder, field in names
    ]
    return {
        "secrets": rows,
        "path": "vault",
        "exists": True,
        "key_from": "file",
        "binding": "machine-id",
        "trouble": "",
    }


def keep(world: World, body: Mapping[str, Any]) -> Any:
    """Answer ``/v1/secrets/set``."""
    holder, field = str(body.get("holder")), str(body.get("field"))
    world.masks[holder, field] = masked = "********"
    return {"holder": holder, "field": field, "masked": masked, "counts": "now", "restarted": [holder]}


def tested(world: World, account: str, typed: Mapping[str, str]) -> Any:
    """Answer ``/v1/venues/test``: of an account that has no credentials the login fails."""
    known = typed or (account, "api_secret") in world.masks
    steps = list(_fine(account)) if known else [_step("connect", 312, "401 Invalid API-key", code="AuthFailed")]
    return {
        "account": account,
        "venue": "binance" if account == "main" else "bybit",
        "testnet": account != "main",
        "ok": bool(known),
        "steps": [*steps, _step("disconnect", 4, "done")],
        "advice": "" if known else "correct key, secret or passphrase: Enter on the account, type it, Ctrl+T",
    }


def _fine(account: str) -> Iterator[dict[str, Any]]:
    withdraws = account == "main"
    said = "the key may trade; it may not withdraw"
    warned = "the key may trade; it may WITHDRAW too: bulkhead never does, take that right off the key"
    yield _step("connect", 318, "login accepted")
    yield _step("rights", 41, warned if withdraws else said, warns=withdraws)
    yield _step("clock", 39, "0.012 s ahead of ours")
    yield _step("balances", 44, "50000 USDT, 0.25 BTC")
    yield _step("markets", 182, "412")
    yield _step("quote", 64, "BTC/USDT 67412.4 / 67412.6")


def _step(name: str, ms: float, text: str, *, code: str = "", warns: bool = False) -> dict[str, Any]:
    return {"name": name, "ms": ms, "text": text, "code": code, "warns": warns}


def backups(world: World, query: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """Answer ``/v1/backups``."""
    doing = {"doing": "", "done": 0, "of": 0}
    free = {"keep_newest": _KEEP_NEWEST, "free": 181_422_718_976, "goes": [each["name"] for each in _old(world, 1)]}
    return {"folder": _FOLDER, "backups": list(world.backups), **free, **doing}


def back_up(world: World, name: str) -> Any:
    """Make a backup as the daemon would say it."""
    name = f"{name or world.now // 1_000_000_000}.bulkhead"
    world.backups.insert(0, {"name": name, "size": 48_211_904, "written_at": world.now, "kept": False})
    return {
        "name": name,
        "path": f"{_FOLDER}/{name}",
        "size": 48_211_904,
        "files": 9,
        "unpacked": 226_400_112,
        "made_at": world.now,
        "encrypted": False,
        "removed": [each["name"] for each in prune_backups(world, {})["removed"]],
        "trouble": "",
    }


def prune_backups(world: World, body: Mapping[str, Any]) -> Any:
    """Remove what is no longer kept, or say what that would be."""
    gone = _old(world, 0)
    if not body.get("preview"):
        world.backups = [each for each in world.backups if each not in gone]
    return {"preview": bool(body.get("preview")), "removed": gone, "trouble": ""}


def mark_backup(world: World, body: Mapping[str, Any]) -> Any:
    """Mark a backup, or take its mark away."""
    for each in world.backups:
        if each["name"] == body.get("name"):
            each["kept"] = bool(body.get("keep"))
            return each
    message = f"there is no backup {body.get('name')}"
    raise LinkRefused(404, {"code": "NotFound", "message": message, "path": "", "value": ""})


def _old(world: World, coming: int) -> list[dict[str, Any]]:
    """Return the backups that go, oldest first, once so many more were made."""
    return [each for each in reversed(world.backups[_KEEP_NEWEST - coming :]) if not each["kept"]]
