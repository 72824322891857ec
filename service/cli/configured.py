"""The way from a command line to its configuration, for whoever starts a daemon: without what reads command lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from service.config import Config
    from service.config.sources import Sources

__all__ = ["CONFIG_VARIABLE", "config_file", "config_to_start", "load_config", "sources_of"]

CONFIG_VARIABLE: Final = "BULKHEAD_CONFIG"
"""Names the configuration where no option does."""

_DEFAULT_FILE: Final = Path("config.toml")


def config_file(given: Path | None) -> Path | None:
    """Return the configuration file to read: the given one, else config.toml here, else none."""
    if given is not None:
        return given
    return _DEFAULT_FILE if _DEFAULT_FILE.exists() else None


def load_config(given: Path | None) -> Config:
    """Return the checked configuration; raise ``ConfigError`` with every mistake."""
    from service.config import load

    return load(config_file(given), os.environ)


def sources_of(given: Path | None) -> Sources:
    """Return file and environment of a command line, for a daemon that goes on reading them."""
    from service.config.sources import Sources

    return Sources.of(config_file(given), os.environ)


def config_to_start(given: Path | None) -> Config:
    """Return the configuration to start with; one with mistakes is refused unless something began here before.

    Then the daemon goes on under the version that was in force, so that open groups are managed (EX-111); what can be read
    of the file says where that is.
    """
    from service.config import ConfigError
    from service.config.venue_access import missing_credentials
    from service.journals import has_journal

    try:
        loaded = load_config(given)
    except ConfigError:
        found = sources_of(given).guess()
        if not has_journal(found):
            raise
        return found
    # Later an account without its credentials stops alone: the others have positions to look after.
    if (lacking := missing_credentials(loaded)) and not has_journal(loaded):
        raise ConfigError(lacking, source=str(config_file(given) or "the configuration"))
    return loaded
