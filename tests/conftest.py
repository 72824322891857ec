"""What tests of every room may ask for by name."""

from __future__ import annotations

from tests.servers.postgres import postgres_url, server

__all__ = ["postgres_url", "server"]
