"""What a loss offset says of settings that are not in force."""

from __future__ import annotations

from actors.offset_cycles import CycleRunner
from protocol.preview import OffsetPreview, PreviewOffset
from rules.offset import OffsetSettings
from rules.offset.preview import Structure, preview_offset
from runtime.actor import handles

__all__ = ["PreviewingOffset"]


class PreviewingOffset(CycleRunner):
    """A loss offset that says what other settings would do to it (EX-1309)."""

    @handles
    def preview(self, msg: PreviewOffset) -> OffsetPreview:
        """Weigh the groups under other settings; nothing is changed by it."""
        assert isinstance(msg.settings, OffsetSettings), msg.settings
        _, priced = self.weighed()
        standings = (known.standing for known in self.figures)
        structures = {
            each.group_id: Structure(each.received, each.all_layers_sent, each.all_layers_filled) for each in standings
        }
        return preview_offset(self.account, priced, structures, self.now(), self.settings, msg.settings)
