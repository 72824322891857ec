"""Installations are exact: every file is pinned by version and hash, from no particular host."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import pytest

from tests.house.sources import ROOT

CONTAINER: Final = "docker/requirements.lock"
INSTALLER: Final = ".ci/uv.lock"
LOCKS: Final = ("requirements.lock", "requirements-dev.lock", CONTAINER, INSTALLER)


def pins(lock: str) -> dict[str, set[str]]:
    """Return the pinned ``name==version`` of a lock file, by name."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def required(*extras: str) -> set[str]:
    """Return the names of the dependencies in pyproject.toml, with those of some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [name for extra in extras for name in project["optional-dependencies"][extra]]
    return {re.split(r"[^A-Za-z0-9._-]", name)[0].lower().replace("_", "-") for name in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_hash(lock: str) -> None:
    """Each requirement of a lock has a version and at least one hash, and no address of a host."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert [block.splitlines()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []


def test_the_locks_hold_what_the_project_needs() -> None:
    """A dependency that was added is in its lock: ``make lock`` was not forgotten."""
    assert required() <= pins("requirements.lock").keys()
    assert required("dev") <= pins("requirements-dev.lock").keys()
    assert required("alpaca", "charts", "ibkr", "oanda", "postgres", "redis", "telegram") <= pins(CONTAINER).keys()


def test_a_first_start_waits_for_no_library_of_an_extra() -> None:
    """What only an extra needs is not in the lock of a plain installation: its hundred megabytes are fetched when wanted."""
    extras = required("alpaca", "charts", "ibkr", "oanda", "postgres", "redis", "telegram") - required()
    assert extras & pins("requirements.lock").keys() == set()


@pytest.mark.parametrize("lock", ["requirements.lock", CONTAINER])
def test_tests_run_on_the_versions_that_users_get(lock: str) -> None:
    """The development lock holds everything of the others at the same versions."""
    tested = pins("requirements-dev.lock")
    differing = {name: versions for name, versions in pins(lock).items() if tested.get(name) != versions}
    assert differing == {}
