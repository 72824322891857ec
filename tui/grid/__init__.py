"""The live table of the cockpit: typed columns, fixed left columns, sorting, filtering, selection, cheap updates.

What lives here: ``Column`` (how a field of a row is shown, sorted and searched), ``Rows`` (which rows are shown in which
order), ``Layout`` (which columns fit and how wide they are) and ``Grid`` (the Textual widget that draws them line by line).
What must not: any knowledge of what the rows mean.

Only lines that are on screen are ever formatted, and only cells that changed are drawn again: at 200 rows and ten updates a
second that is the difference between a few percent of a core and half of one (``benchmarks/cockpit.py``).
"""

from tui.grid.column import Align, Column, Row
from tui.grid.layout import Layout, Place
from tui.grid.rows import Rows
from tui.grid.widget import Grid

__all__ = ["Align", "Column", "Grid", "Layout", "Place", "Row", "Rows"]
