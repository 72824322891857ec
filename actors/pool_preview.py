"""What a pool says of settings that are not in force."""

from __future__ import annotations

from actors.pool_adoption import AdoptingPool
from actors.pool_world import PoolWorld
from protocol.preview import PoolPreview, PreviewPool
from rules.pool import PoolSettings, PoolState
from rules.pool.preview import preview_pool
from runtime.actor import handles

__all__ = ["PreviewingPool"]


class PreviewingPool(AdoptingPool):
    """A pool that says what other settings would do to it (EX-1309)."""

    _account: str
    _state: PoolState
    _settings: PoolSettings
    _world: PoolWorld

    @handles
    def preview(self, msg: PreviewPool) -> PoolPreview:
        """Look at the queue under other settings; nothing is changed by it."""
        assert isinstance(msg.settings, PoolSettings), msg.settings
        now = self.now()
        seen = self._world.seen
        return preview_pool(self._state, self._account, seen(now, self._settings), seen(now, msg.settings))
