"""Every theme can be read: contrast as WCAG 2.1 reckons it, between each ink and each ground it stands on."""

from __future__ import annotations

import pytest
from textual.color import Color

from tui.themes import THEMES

READ = 4.5
"""Least contrast of text (WCAG 2.1, 1.4.3 AA)."""
OLD = 3.0
"""Least contrast of values that are dimmed because they are old: weaker, and still to be read."""


@pytest.mark.parametrize("name", THEMES)
def test_every_ink_can_be_read_on_every_ground(name: str) -> None:
    """Text, gains, losses and warnings on background, panels, the selected row; old values too (EX-1602, EX-1604)."""
    theme = THEMES[name].theme
    own = theme.variables
    grounds = (theme.background, theme.surface, theme.panel, own["cursor"])
    inks = dict.fromkeys(
        (
            theme.foreground,
            theme.accent,
            theme.warning,
            theme.error,
            own["gain"],
            own["loss"],
            own["risk"],
            own["text-muted"],
        ),
        READ,
    )
    inks[own["text-disabled"]] = OLD
    weak = [
        (ink, ground, round(contrast(str(ink), str(ground)), 2))
        for ink, least in inks.items()
        for ground in grounds
        if contrast(str(ink), str(ground)) < least
    ]
    assert not weak


@pytest.mark.parametrize("name", THEMES)
def test_badges_can_be_read(name: str) -> None:
    """What stands on a coloured ground (mode, severity, unread) is as easy to read as text (EX-1402, EX-1604)."""
    theme = THEMES[name].theme
    for ground in (theme.accent, theme.warning, theme.error, theme.variables["gain"]):
        assert contrast(str(theme.background), str(ground)) >= READ


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in Color.parse(colour).normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
