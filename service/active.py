"""The configuration in force, where everybody who builds an actor reads it."""

from __future__ import annotations

from dataclasses import dataclass

from service.config import Config

__all__ = ["ActiveConfig"]


@dataclass(slots=True)
class ActiveConfig:
    """The configuration in force and the number of its version; the config store alone replaces them.

    Factories read it when they run, so that an actor that is restarted begins under the version then in force (EX-1307).
    ``trouble`` says why config.toml, edited while the daemon was down, is not what is in force; empty when it is (EX-111).
    """

    config: Config
    version: int = 0
    trouble: str = ""
