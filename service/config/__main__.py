"""Write config.toml and its reference page: ``python -m service.config`` in the root of the repository."""

from __future__ import annotations

from pathlib import Path

from service.config.reference import reference_page
from service.config.shipped import default_toml

Path("config.toml").write_text(default_toml(), encoding="utf-8")
Path("docs/reference/config.md").write_text(reference_page(), encoding="utf-8")
