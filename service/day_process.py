"""Checks one day in a process of its own: ``python -m service.day_process``.

What it is to check comes as one line of JSON on standard input (it may hold secrets, a command line is public); the outcome
goes as JSON into a file beside the record and to standard output. It runs at the lowest priority.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BulkheadError
from protocol.self_check import SelfChecked
from runtime.child_log import child_environment, heard, speak
from service.config import Secret, WebhookSecrets
from service.config.secret_files import Former
from service.day_report import DayOutcome, sentence_of
from store.inputs.files import days
from store.journals import open_reader
from store.postgres.place import Place

__all__ = ["NICENESS", "DayTask", "check_beside", "main", "newest_outcome", "outcome_path", "said_of", "task_of"]

NICENESS: Final = 19
"""How far it steps back behind whatever trades: as far as there is."""

_CHECKER: Final = "/operators/self_check"

_MOST: Final = 16 * 1024 * 1024
"""Bytes of an outcome that are read at most."""


class DayTask(msgspec.Struct, frozen=True, kw_only=True):
    """What to check: which day of which records, against which journal, with which secrets of the webhook."""

    day: str
    folder: str
    path: str = ""
    place: Place | None = None
    token: str = ""
    secret: str = ""
    hmac_key: str = ""
    former: tuple[tuple[str, str, int], ...] = ()


def task_of(day: str, folder: Path, journal: Path | Place, secrets: WebhookSecrets) -> DayTask:
    """Return the task of checking a day."""
    return DayTask(
        day=day,
        folder=str(folder),
        path="" if isinstance(journal, Place) else str(journal),
        place=journal if isinstance(journal, Place) else None,
        token=secrets.token.reveal(),
        secret=secrets.secret.reveal(),
        hmac_key=secrets.hmac_key.reveal(),
        former=tuple((each.which, each.secret.reveal(), each.until) for each in secrets.former),
    )


def outcome_path(folder: Path, day: str) -> Path:
    """Return the file with the outcome of a day's check."""
    return folder / f"{day}.check.json"


def newest_outcome(folder: Path) -> SelfChecked | None:
    """Return the outcome of the newest day that was checked and still has its record."""
    for day in reversed(days(folder)):
        try:
            found = msgspec.json.decode(outcome_path(folder, day).read_bytes(), type=DayOutcome)
        except (OSError, msgspec.DecodeError):
            continue
        return said_of(found)
    return None


def said_of(outcome: DayOutcome) -> SelfChecked:
    """Return an outcome as the house is told of it."""
    verdict = "failed" if outcome.trouble else "equal" if outcome.equal else "diverged"
    return SelfChecked(outcome.day, verdict, sentence_of(outcome))


async def check_beside(task: DayTask) -> SelfChecked:
    """Have another process check a day; it is killed when this is cut off."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.day_process"), stdin=PIPE, stdout=PIPE, stderr=PIPE, env=child_environment()
    )
    try:
        answer, said = await process.communicate(msgspec.json.encode(task))
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    heard(said, _CHECKER)
    if process.returncode != 0:
        raise ChildProcessError(f"the check of {task.day} ended with exit code {process.returncode}; see its log")
    return said_of(msgspec.json.decode(answer[:_MOST], type=DayOutcome))


def main() -> int:
    """Check the day that standard input names."""
    os.nice(NICENESS)
    speak()
    try:
        _check()
    except Exception:
        logging.getLogger("bulkhead").exception("the check of a day cannot go on")
        return 1
    return 0


def _check() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=DayTask)
    outcome = _checked(task)
    data = msgspec.json.encode(outcome)
    path = outcome_path(Path(task.folder), task.day)
    draft = path.with_suffix(".draft")
    draft.write_bytes(data)
    draft.chmod(0o600)
    draft.replace(path)
    sys.stdout.buffer.write(data)


def _checked(task: DayTask) -> DayOutcome:
    from service.day_check import check_day

    former = tuple(Former(which, Secret(value), until) for which, value, until in task.former)
    secrets = WebhookSecrets(Secret(task.token), Secret(task.secret), Secret(task.hmac_key), former)
    try:
        with closing(open_reader(task.place if task.place is not None else task.path, check=False)) as journal:
            return check_day(journal, Path(task.folder), task.day, secrets=secrets)
    except BulkheadError as error:
        return DayOutcome(day=task.day, equal=False, trouble=str(error))


if __name__ == "__main__":
    sys.exit(main())
