"""What is left of a cockpit that fails."""

from __future__ import annotations

import pytest

from rules.signals.redaction import redact_text
from tui.last_words import LastWords


class Failing(LastWords):
    """Fails with a secret in its hands."""

    def on_mount(self) -> None:
        typed = "hunter2" * 3
        assert typed
        raise ValueError("password=swordfish")


def test_a_cockpit_that_fails_shows_no_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """EX-1508: where it failed is printed; what variables held is not, nor what stands behind a secret's name."""
    app = Failing()
    app.hide = redact_text
    app.run(headless=True)
    said = "".join(capsys.readouterr())
    assert app.return_code == 1
    assert "in on_mount" in said
    assert "ValueError: password=***" in said
    assert "hunter2hunter2" not in said
