"""What the first command says where it cannot do its work: one line with the reason, one with what to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT

OLD = '#!/bin/sh\ncase "$*" in *sys.exit*) exit 1 ;; *) echo Python 3.9.6 ;; esac\n'
NEW = "#!/bin/sh\nexit 0\n"
FULL = '#!/bin/sh\nprintf "Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 9 9 28672 99%% /\\n"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a clone's folder; programs in ``bin`` of it come before those of this machine."""
    (tmp_path / "bin").mkdir()
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "setup", tmp_path / ".ci" / "setup")
    (tmp_path / "requirements.lock").touch()
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        program(tmp_path, name, NEW)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    """Put a program before those of this machine."""
    path = machine / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def said(machine: Path) -> str:
    """Run the setup, which must fail, leave nobody's turn behind and show no line of another program."""
    command = ["/bin/sh", ".ci/setup", ".venv", "run"]
    path = f"{machine / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(command, cwd=machine, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (machine / ".venv.turn").exists()
    assert all(line.startswith("setup: ") for line in done.stderr.splitlines())
    return done.stderr


def test_an_old_python_is_named_with_where_a_new_one_comes_from(machine: Path) -> None:
    """The version that was found and how to get another."""
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        program(machine, name, OLD)
    assert "python3 here is: Python 3.9.6" in said(machine)
    assert "apt install python3" in said(machine)


def test_too_little_room_is_said_before_anything_is_fetched(machine: Path) -> None:
    """What is free and what is needed; no environment is begun."""
    program(machine, "df", FULL)
    assert "28 MB are free here and about 500 MB are needed" in said(machine)
    assert not (machine / ".venv").exists()


def test_a_folder_that_cannot_be_written_to(machine: Path) -> None:
    """It does not wait for a turn that can never come."""
    program(machine, "mkdir", "#!/bin/sh\necho mkdir: Permission denied >&2\nexit 1\n")
    assert "cannot write to .: mkdir: Permission denied" in said(machine)


def test_a_turn_of_somebody_who_was_killed_is_taken_over(machine: Path) -> None:
    """A folder left by a process that is gone keeps nobody waiting for ever."""
    (machine / ".venv.turn").mkdir()
    (machine / ".venv.turn" / "pid").write_text("999999999")
    program(machine, "df", FULL)
    assert "28 MB are free" in said(machine)
