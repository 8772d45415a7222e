"""The report's style sheet: paper by day, slate by night; colour for data and limits only."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --page: #f4f5f6; --panel: #ffffff; --edge: #d9dcdf; --ink: #16191c; --soft: #565d63;
  --rule: #e6e8ea; --load: #8a9299; --grid: #1c4f8f; --battery: #0f766e; --chargers: #7a4fa0;
  --it: #b0762a; --hot: #b3261e; --warm: #c77d1f; --cold: #2f7fb5; --limit: #a80f1a;
  --band: #1c4f8f12; --event: #16191c40; --fault: #b3261e14; --good: #17663a;
  --c0: #1c4f8f; --c1: #b0762a; --c2: #0f766e; --c3: #7a4fa0; --c4: #b3261e; --c5: #5a6b1f;
  --c6: #2f7fb5; --c7: #8a9299; }
@media (prefers-color-scheme: dark) { :root {
  --page: #24282b; --panel: #2c3135; --edge: #41484e; --ink: #eceeef; --soft: #aab1b7;
  --rule: #3a4046; --load: #8d959c; --grid: #8fbcf0; --battery: #5fc7bb; --chargers: #c3a2e3;
  --it: #e0b36a; --hot: #ff8f86; --warm: #f0b35e; --cold: #83c3ea; --limit: #ff8f86;
  --band: #8fbcf018; --event: #eceeef40; --fault: #ff8f8620; --good: #7fd6a0;
  --c0: #8fbcf0; --c1: #e0b36a; --c2: #5fc7bb; --c3: #c3a2e3; --c4: #ff8f86; --c5: #c5d37a;
  --c6: #83c3ea; --c7: #aab1b7; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.45 Inter, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums lining-nums; }
main { max-width: 1128px; margin: 0 auto; padding: 28px 24px 48px; }
header p { margin: 2px 0 0; color: var(--soft); }
h1 { margin: 0; font-size: 22px; font-weight: 600; }
h2 { margin: 0 0 6px; font-size: 14px; font-weight: 600; }
figure, section, .tiles { margin: 14px 0 0; padding: 12px 16px; background: var(--panel);
  border: 1px solid var(--edge); border-radius: 6px; break-inside: avoid; }
figcaption { display: flex; gap: 10px; align-items: center; margin-bottom: 4px; }
figcaption .unit { color: var(--soft); }
figcaption .keys { margin-left: auto; display: flex; flex-wrap: wrap; gap: 4px 16px;
  justify-content: end; color: var(--soft); }
.key { display: inline-flex; gap: 6px; align-items: center; }
.swatch { width: 16px; height: 3px; border-radius: 2px; background: currentColor; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 10px; }
.tiles dt { color: var(--soft); font-size: 12px; }
.tiles dd { margin: 0; font-size: 18px; font-weight: 600; white-space: nowrap; }
svg { display: block; width: 100%; height: auto; }
.label { font-size: 12px; fill: var(--soft); }
.limit-text { font-size: 12px; fill: var(--limit); }
.rule, .tick { stroke: var(--rule); } .tick { stroke: var(--soft); }
.zero { stroke: var(--soft); }
.limit { stroke: var(--limit); stroke-dasharray: 6 4; stroke-width: 1.2; }
.event { stroke: var(--event); stroke-dasharray: 2 3; }
.band { fill: var(--band); } .fault { fill: var(--fault); }
.band-text { font-size: 11px; fill: var(--soft); }
.mark-text { font-size: 10px; fill: var(--soft); }
.verdict { font-size: 15px; border-left-width: 4px; }
.verdict.held { border-left-color: var(--good); }
.verdict.broken { border-left-color: var(--limit); }
.verdict b { margin-right: 8px; } .held b { color: var(--good); } .broken b { color: var(--limit); }
.verdict ul { margin: 6px 0 0; padding-left: 20px; }
.line { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linejoin: round; }
.line.load { stroke-width: 1; }
.load { color: var(--load); } .grid { color: var(--grid); } .battery { color: var(--battery); }
.chargers { color: var(--chargers); } .it { color: var(--it); } .hot { color: var(--hot); }
.warm { color: var(--warm); } .cold { color: var(--cold); } .reading { color: var(--chargers); }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.c6 { color: var(--c6); } .c7 { color: var(--c7); }
table { border-collapse: collapse; }
th, td { padding: 3px 24px 3px 0; text-align: left; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; }
td:first-child { white-space: nowrap; }
.number { text-align: right; }
@media print { body { background: none; } figure, section, .tiles { border-color: #ccc; } }
"""
