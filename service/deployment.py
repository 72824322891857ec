"""The four characters that mark this installation's orders at a venue (EX-1108)."""

from __future__ import annotations

import re
import secrets
import string
from pathlib import Path

from protocol.errors import BulkheadError

__all__ = ["DeploymentUnreadable", "deployment_tag"]

_TAG = re.compile(r"[a-z0-9]{4}")


class DeploymentUnreadable(BulkheadError):
    """The file that holds the tag is damaged; making a new tag would disown every open order."""


def deployment_tag(data_dir: Path) -> str:
    """Return the tag of a data directory, made by chance when it is first used."""
    path = data_dir / "deployment"
    try:
        tag = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        letters = string.ascii_lowercase + string.digits
        tag = "".join(secrets.choice(letters) for _ in range(4))  # house: two installations must not share a tag
        data_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(tag + "\n", encoding="ascii")
        return tag
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentUnreadable(f"{path} cannot be read: {error}") from error
    if not _TAG.fullmatch(tag):
        raise DeploymentUnreadable(f"{path} does not hold four of a-z, 0-9: restore it, open orders carry its tag")
    return tag
