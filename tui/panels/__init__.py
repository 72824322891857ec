"""The panels, one module each; a panel that is added is named in ``PANELS``, in the order of the tabs.

What lives here: what is on the screen between the frame's lines, and which commands its keys run. What must not: asking the
daemon for what a topic brings (``tui/topics.py``), telling it anything (``tui/commands``), numbers' looks (``tui/cells``).
"""

from tui.panels.actors import ActorsPanel
from tui.panels.base import Panel, PanelKey
from tui.panels.dashboard import DashboardPanel
from tui.panels.history import HistoryPanel
from tui.panels.inject import InjectPanel
from tui.panels.logs import LogsPanel
from tui.panels.notices import NoticesPanel
from tui.panels.performance import PerformancePanel
from tui.panels.positions import PositionsPanel
from tui.panels.queue import QueuePanel
from tui.panels.risk import RiskPanel
from tui.panels.settings import SettingsPanel
from tui.panels.system import SystemPanel
from tui.panels.trace import TracePanel

__all__ = [
    "PANELS",
    "ActorsPanel",
    "DashboardPanel",
    "HistoryPanel",
    "InjectPanel",
    "LogsPanel",
    "NoticesPanel",
    "Panel",
    "PanelKey",
    "PerformancePanel",
    "PositionsPanel",
    "QueuePanel",
    "RiskPanel",
    "SettingsPanel",
    "SystemPanel",
    "TracePanel",
]

PANELS: tuple[type[Panel], ...] = (
    DashboardPanel,
    PositionsPanel,
    RiskPanel,
    QueuePanel,
    LogsPanel,
    SettingsPanel,
    SystemPanel,
    PerformancePanel,
    HistoryPanel,
    ActorsPanel,
    NoticesPanel,
    TracePanel,
    InjectPanel,
)
"""Every panel."""
