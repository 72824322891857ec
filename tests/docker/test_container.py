"""Image, compose file and service unit (EX-1801): linted, checked against their schemas and against this project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.main import get_command

from service.cli.commands import app
from service.config.environment import DATABASE_URL, REDIS_URL, variable_of, variables

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKER: Final = ROOT / "docker"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yml").read_text(encoding="utf-8"))
DOCKERFILE: Final = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
UNIT: Final = (DOCKER / "systemd" / "bulkhead.service").read_text(encoding="utf-8")


def tool(name: str) -> str:
    """Return a program of the development set or of the system; skip where there is none."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def last_stage() -> str:
    """Return the lines of the image that runs."""
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_the_image_passes_the_linter() -> None:
    """EX-1801: no finding of hadolint, shell parts included."""
    found = subprocess.run(
        [tool("hadolint"), "--format", "json", str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert json.loads(found.stdout) == []
    assert found.returncode == 0


def test_the_compose_file_keeps_the_schema() -> None:
    """EX-1801: the compose specification's own schema accepts the file."""
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DOCKER / "compose.yml")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_image_runs_without_rights_and_says_how_it_is() -> None:
    """EX-1801: not root, a volume for the data, a health check and an end that the daemon hears."""
    stage = last_stage()
    assert re.search(r"^USER 10001:10001$", stage, re.MULTILINE)
    assert stage.index("\nUSER ") < stage.index("ENTRYPOINT")
    for line in ("VOLUME /var/lib/bulkhead", "STOPSIGNAL SIGTERM", "HEALTHCHECK"):
        assert line in stage
    assert 'CMD ["up", "--no-view"]' in stage


def test_commands_in_the_image_are_commands_of_the_program() -> None:
    """EX-1801: the health check and the default command exist, with the options they use."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for words in (["status", "--json"], ["up", "--no-view"]):
        known = {option for each in commands[words[0]].params for option in (*each.opts, *each.secondary_opts)}
        assert set(words[1:]) <= known


def known_variables() -> set[str]:
    return {*(variable_of(*keys) for keys, _ in variables()), DATABASE_URL, REDIS_URL}


@pytest.mark.parametrize("text", [DOCKERFILE, (DOCKER / "compose.yml").read_text(encoding="utf-8"), UNIT])
def test_settings_in_the_environment_exist(text: str) -> None:
    """EX-1302: each BULKHEAD_ variable that is set in these files is a setting; accounts have names of their own."""
    set_here = {each for each in re.findall(r"(?<!\{)\b(BULKHEAD_[A-Z]\w*)\s*[:=]", text) if "ACCOUNTS__" not in each}
    assert set_here
    assert set_here <= known_variables()


def test_nothing_is_reachable_from_outside() -> None:
    """EX-1504: published ports are this machine's alone; database and cache publish none and have a network of their own."""
    services = COMPOSE["services"]
    assert all(each.startswith("127.0.0.1:") for each in services["bulkhead"]["ports"])
    for name in ("postgres", "redis"):
        assert "ports" not in services[name]
        assert services[name]["networks"] == ["inside"]
        assert "healthcheck" in services[name]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_no_secret_has_a_value_here() -> None:
    """EX-1508: passwords are asked for by name and refused when empty; the example holds none."""
    asked = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yml").read_text(encoding="utf-8")))
    assert asked == {"POSTGRES_PASSWORD", "BULKHEAD_BINDING_ID"}
    assert ":?" in COMPOSE["services"]["bulkhead"]["environment"]["BULKHEAD_DATABASE__PASSWORD"]
    lines = (DOCKER / "example.env").read_text(encoding="utf-8").splitlines()
    names = [each.removeprefix("# ") for each in lines if "=" in each]
    assert asked <= {each.partition("=")[0] for each in names}
    assert all(each.endswith("=") for each in names)


def test_images_of_others_have_a_version() -> None:
    """EX-1801: what starts today is what starts tomorrow: no image without a tag, none called latest."""
    images = [each["image"] for each in COMPOSE["services"].values()] + re.findall(
        r"^FROM (\S+)", DOCKERFILE, re.MULTILINE
    )
    assert all(re.fullmatch(r"\S+:(?!latest)\S+", each) for each in images)


def test_the_service_unit_is_sound(tmp_path: Path) -> None:
    """EX-1801: systemd finds nothing wrong with the unit, with the program where this machine has it."""
    analyze = tool("systemd-analyze")
    copy = tmp_path / "bulkhead.service"
    copy.write_text(UNIT.replace("/opt/bulkhead/bin/bulkhead", sys.executable), encoding="utf-8")
    found = subprocess.run([analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    complaints = [line for line in found.stderr.splitlines() if "bulkhead.service" in line]
    assert not complaints


def context(folder: Path) -> Path:
    """Copy what the build sees: the files of the project that ``.dockerignore`` lets in."""
    wanted = [
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    for name in wanted:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".env"))
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@pytest.mark.slow
def test_the_package_that_the_image_installs_is_whole(tmp_path: Path) -> None:
    """EX-1801: built from the build's context alone, it holds every file of every room, data files too."""
    source = context(tmp_path / "context")
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = [each.rstrip("*") for each in project["tool"]["setuptools"]["packages"]["find"]["include"]]
    files = subprocess.run(
        ["git", "ls-files", *rooms], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert files
    assert [each for each in files if each not in inside] == []
