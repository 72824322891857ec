"""The look of a report: type, colours of both themes, what a printer makes of it."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fcfcfa; --card: #ffffff; --ink: #1a1f26; --soft: #5c6672; --rule: #e3e6e8; --grid: #eceef0;
  --total: #1f5a92; --under: #1f5a9214; --realized: #b27a16; --gain: #17764d; --loss: #b3372b;
  --gain-cell: 23 118 77; --loss-cell: 179 55 43; --fall: #b3372b26;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1317; --card: #151b21; --ink: #e7ebef; --soft: #97a3af; --rule: #262f38; --grid: #212931;
    --total: #6fb1ee; --under: #6fb1ee1c; --realized: #e0b45c; --gain: #53c492; --loss: #f0857a;
    --gain-cell: 60 170 120; --loss-cell: 220 95 82; --fall: #f0857a2e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 40px 24px 64px; max-width: 1120px; background: var(--page); color: var(--ink);
  font: 15px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
}
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 6px; }
h1 { font-size: 27px; line-height: 1.2; letter-spacing: -0.02em; margin: 0; font-weight: 650; }
h2 { font-size: 15px; margin: 0 0 12px; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 13px; margin: 18px 0 6px; font-weight: 600; color: var(--soft); }
.badge { font-size: 12px; font-weight: 650; letter-spacing: 0.06em; text-transform: uppercase; padding: 2px 9px;
  border: 1px solid currentColor; border-radius: 99px; color: var(--soft); }
.badge.live { color: var(--loss); }
.about { color: var(--soft); margin: 0 0 26px; }
.keys { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--rule);
  border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; margin: 0 0 22px; }
.keys div { background: var(--card); padding: 13px 16px 12px; }
.keys dt { color: var(--soft); font-size: 12.5px; }
.keys dd { margin: 1px 0 0; font-size: 22px; line-height: 1.25; font-weight: 600; letter-spacing: -0.015em;
  white-space: nowrap; }
.keys small { display: block; font-size: 12.5px; font-weight: 400; color: var(--soft); letter-spacing: 0; min-height: 18px;
  white-space: normal; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 20px 22px 18px;
  margin: 0 0 18px; break-inside: avoid; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 18px; }
.pair > * { min-width: 0; }
@media (max-width: 820px) { .pair { grid-template-columns: 1fr; } body { padding: 24px 14px 40px; }
  .keys { grid-template-columns: 1fr 1fr; }
  section:has(> .drawing) { overflow-x: auto; }
  section > .drawing { min-width: 640px; } .pair .drawing { min-width: 0; } }
@media (max-width: 560px) { section { padding: 16px 14px 12px; } th .quiet { display: block; font-size: 11.5px; }
  table td, table th, table th[scope=row] { padding-left: 3px; padding-right: 3px; font-size: 12.5px; }
  table :is(th, td):first-child, table th[scope=row]:first-child { padding-left: 0; } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { text-align: left; color: var(--soft); font-size: 12.5px; padding-bottom: 8px; }
th { font-weight: 500; color: var(--soft); font-size: 12.5px; text-align: right; padding: 4px 8px 6px; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--grid); white-space: nowrap; }
tr:last-child td, tr:last-child th[scope=row] { border-bottom: 0; }
th[scope=row] { text-align: left; color: var(--ink); font-size: 13.5px; border-bottom: 1px solid var(--grid);
  padding: 5px 8px; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.heat td, .heat th { text-align: center; padding: 7px 6px; }
.heat td { border: 2px solid var(--card); border-radius: 5px; font-size: 13px; line-height: 1.3; }
.heat th:first-child { text-align: left; }
.heat td small { display: block; color: var(--soft); font-size: 11px; }
.heat td.none { color: var(--soft); opacity: 0.55; }
.heat td.sum { font-weight: 600; border-left: 8px solid var(--card); }
.gain { color: var(--gain); } .loss { color: var(--loss); } .quiet { color: var(--soft); }
.legend { display: flex; gap: 18px; color: var(--soft); font-size: 12.5px; margin: -6px 0 8px; flex-wrap: wrap; }
.legend i { display: inline-block; width: 20px; height: 0; border-top: 2px solid; vertical-align: 4px; margin-right: 7px; }
.drawing { display: block; width: 100%; height: auto; overflow: visible; }
.drawing text { font-family: inherit; font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.drawing .word { fill: var(--ink); font-size: 12px; }
.rule { stroke: var(--grid); stroke-width: 1; } .zero { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.total, .realized, .falling { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.total { stroke: var(--total); stroke-width: 2; } .under { fill: var(--under); }
.realized { stroke: var(--realized); stroke-width: 1.4; }
.falling { stroke: var(--loss); stroke-width: 1.3; } .fall { fill: var(--fall); } .worst { fill: var(--loss); }
.flow { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; } .flow-mark { fill: var(--soft); }
rect.gain { fill: var(--gain); } rect.loss { fill: var(--loss); } rect.even { fill: var(--soft); }
footer { color: var(--soft); font-size: 12.5px; max-width: 78ch; margin-top: 26px; }
.nothing { color: var(--soft); margin: 6px 0 2px; }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #111; --soft: #555; --rule: #ccc; --grid: #e6e6e6;
    --total: #1f5a92; --under: #1f5a9214; --realized: #b27a16; --gain: #17764d; --loss: #b3372b;
    --gain-cell: 23 118 77; --loss-cell: 179 55 43; --fall: #b3372b26; }
  body { padding: 0; max-width: none; font-size: 11.5px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  section, .pair { margin-bottom: 10px; } section { padding: 12px 14px; }
  .keys { grid-template-columns: repeat(4, 1fr); } .pair { grid-template-columns: 1fr 1fr; gap: 10px; }
  section > .drawing { min-width: 0; }
  table, th, th[scope=row], .heat td { font-size: 9.5px; } td, th, th[scope=row] { padding: 2px 4px; }
  .heat td, .heat th { padding: 3px 1px; } .heat td small { font-size: 8px; } .heat td.sum { border-left-width: 3px; }
  @page { size: A4; margin: 14mm; }
}
"""
