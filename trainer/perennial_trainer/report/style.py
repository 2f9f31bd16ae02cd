"""The looks, in the light and in the dark, on paper, and on a phone."""

from .heat_map import DEPTHS
from .svg import COLOURS

_BASE = """
:root {
  color-scheme: light dark;
  --paper: #fbfbf8; --card: #fff; --ink: #1d2420; --faint: #5c665f; --line: #e1e5df;
  --edge: #7c877f; --well: #f3f5f1; --right: #2f7d4f; --wrong: #c25a30;
  --leaf: #2f7d4f; --leaf-soft: #a9cdb7; --clay: #a94a24;
  --c0: #2f7d4f; --c1: #b4552d; --c2: #3a6ea5; --c3: #8a5fa8;
  --c4: #8a6800; --c5: #00797f; --c6: #b23a6b; --c7: #5c665f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141816; --card: #1b211e; --ink: #e6ebe7; --faint: #a3ada6; --line: #2e3732;
    --edge: #74817a; --well: #232a26; --right: #2f7d4f; --wrong: #a94a24;
    --leaf: #6cc08b; --leaf-soft: #37604a; --clay: #eb9a72;
    --c0: #6cc08b; --c1: #eb9a72; --c2: #7fb0e3; --c3: #c3a0e0;
    --c4: #d8b64c; --c5: #5cc4cc; --c6: #f08fb5; --c7: #a3ada6;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 2rem; line-height: 1.15; margin: .1rem 0 .5rem; letter-spacing: -.02em }
h1, h2, h3, p, dt, dd, caption, figcaption, li { overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 0 0 .75rem }
h3 { font-size: .925rem; margin: 1.25rem 0 .5rem; font-weight: 600 }
h2 + h3, figcaption h3 { margin-top: 0 }
h3 small { font-weight: 400; margin-left: .4rem }
p { margin: .25rem 0 }
small, .faint { color: var(--faint); font-size: .875rem }
p.faint { margin-top: .75rem; max-width: 46rem }
code { font: .85em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
dd code { user-select: all; overflow-wrap: anywhere }
:focus-visible { outline: 2px solid var(--leaf); outline-offset: 2px }
ul { list-style: none; margin: 0; padding: 0 }
svg { display: block } figure { margin: 0; min-width: 0 }

.brand { display: flex; gap: .4rem; align-items: center; color: var(--faint); font-size: .9rem }
.brand svg { fill: var(--leaf) }
.badge {
  display: inline-block; padding: .1rem .8rem; border-radius: 1rem; font-weight: 600;
  font-size: .9rem; color: var(--card);
}
.Accepted { background: var(--leaf) } .badge.Rejected { background: var(--clay) }
.lead { font-size: 1.075rem; margin: .5rem 0 1rem; max-width: 46rem }
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: 1rem }
nav a {
  padding: .3rem .8rem; border: 1px solid var(--line); border-radius: 2rem; color: var(--leaf);
  background: var(--card); text-decoration: none; font-size: .9rem;
}
nav a:hover { border-color: var(--leaf) }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.25rem; margin-top: 1.25rem;
}

dl { display: grid; gap: .2rem; margin: 0 }
dl div { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 1rem }
dl div { align-items: baseline }
dt { color: var(--faint); font-size: .9rem } dd { margin: 0 }
dl.columns { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .2rem 1.5rem }
dl.columns div { grid-template-columns: 7rem minmax(0, 1fr) }
dl.key { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem }
dl.key div { display: flex; gap: .5rem } dl.key dd { font-weight: 500 }

.tiles { display: grid; gap: .75rem }
.tiles { grid-template-columns: repeat(auto-fill, minmax(9.75rem, 1fr)) }
.tiles li { background: var(--well); border-radius: .6rem; padding: .7rem .85rem }
.tiles li.leads { box-shadow: inset 0 0 0 2px var(--leaf) }
.tiles .name { display: block; font-size: .9rem; color: var(--faint) }
.tiles strong { font-size: 1.6rem; line-height: 1.2; letter-spacing: -.01em }
.tiles svg { width: 100%; margin: .15rem 0 } .tiles small { display: block; font-size: .8rem }
.tiles, table { font-variant-numeric: tabular-nums }

.scroll { overflow-x: auto; position: relative }
table { border-collapse: collapse; font-size: .9rem }
caption { text-align: left; color: var(--faint); font-size: .825rem; padding-bottom: .35rem }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line) }
th { font-weight: 500 } thead th { color: var(--faint); font-size: .825rem; vertical-align: bottom }
tbody th, thead th:first-child { text-align: left } tbody th { max-width: 18rem }
tbody th { overflow-wrap: anywhere; min-width: 8.5rem }
tbody tr:last-child > * { border-bottom: 0 }
.wide { width: 100% } .wide td { white-space: nowrap }
.wide .why { white-space: normal; display: block; text-align: left; min-width: 12rem }
.told th:last-child, .told td:last-child { text-align: left }
h3 + .scroll caption, figcaption + .scroll caption {
  position: absolute; clip-path: inset(50%); white-space: nowrap;
}
.told tbody th { min-width: 11.5rem }
.charts + .scroll { margin-top: 1.25rem }
th code { display: block; font-weight: 400; color: var(--faint) }
.pill {
  display: inline-block; padding: 0 .6rem; border-radius: 1rem; font-size: .825rem;
  border: 1px solid var(--edge);
}
.pill.Kept { background: var(--leaf); border-color: var(--leaf); color: var(--card) }
.pill.Refused, .pill.Failed, .pill.OverBudget { border-color: var(--clay); color: var(--clay) }

.beside { display: flex; flex-wrap: wrap; gap: 1.5rem } .beside figure { max-width: 100% }
.heat { border-collapse: separate; border-spacing: 2px }
.heat td { border: 0; border-radius: .35rem; min-width: 5rem; text-align: center }
.heat td small { display: block; color: inherit; font-size: .775rem }
.heat th { border: 0; padding: .2rem .45rem } .heat thead th { text-align: center }
.heat thead th:first-child { text-align: left; font-size: .75rem }
.heat tbody th, .heat thead th:first-child {
  position: sticky; left: 0; background: var(--card); min-width: 3rem; max-width: 8rem;
}
.heat thead th { max-width: 8rem; overflow-wrap: anywhere }
.heat th span { white-space: nowrap; display: block }
.heat.small td { min-width: 2.45rem; padding: .2rem .1rem; font-size: .825rem; line-height: 1.25 }
.heat.small td small { font-size: .7rem } .heat .d0 { color: var(--faint) }

.charts { display: grid; gap: 1.5rem }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)) }
.charts figure { max-width: 32rem } .chart { width: 100% }
svg text { fill: var(--faint); font-size: 12px }
.chart .pick {
  fill: var(--ink); font-weight: 600; font-size: 13px;
  paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round;
}
.grid, .base, .track { stroke: var(--line) } .track { stroke-width: 4; stroke-linecap: round }
.reference, .limit { stroke: var(--edge); stroke-dasharray: 4 4 } .limit { stroke: var(--clay) }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
.dashed { stroke-dasharray: 5 3 }
.dots { fill: none; stroke-width: 7; stroke-linecap: round }
.dots.small { stroke-width: 4.5; opacity: .6 }
.marker { stroke: var(--card); stroke-width: 1; fill-opacity: .85 } .hollow { fill-opacity: .3 }
.ring { fill: none; stroke: var(--ink); stroke-width: 1.5 }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .85rem; margin-top: .25rem }
.legend li { display: flex; align-items: center; gap: .35rem }
.legend svg { width: 18px; flex: none } .legend line { stroke-width: 3 }

.whiskers { width: 190px; height: 22px } .whisker { stroke-width: 3.5; stroke-linecap: round }
.whiskers circle { stroke: var(--card); stroke-width: 1.5 }
.mark { stroke: var(--ink); stroke-width: 3; stroke-linecap: round }
.dummy { stroke: var(--clay); stroke-width: 2.5 }
.bar { fill: var(--c0) } .bar.c2 { fill: var(--c2); stroke: none }
.length { width: 80px; margin: 2px 0 0 auto }
.multiples {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(9.25rem, 45%), 1fr));
  gap: 1.1rem 1.25rem;
}
.multiples figcaption { font-size: .85rem; line-height: 1.3; margin-bottom: .25rem }
.multiples b { font-weight: 600 } .multiples small { font-size: .8rem }
.histogram { width: 100%; max-width: 14rem } .bar.open { fill: var(--leaf-soft) }
.outline { fill: none; stroke: var(--c1); stroke-width: 1.5 }
details { margin-top: 1rem } summary { cursor: pointer; color: var(--leaf); margin-bottom: .75rem }

@media (max-width: 30rem) {
  section { padding: 1rem .85rem } h1 { font-size: 1.6rem }
  dl div { grid-template-columns: 7.25rem minmax(0, 1fr); gap: .75rem }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem } .tiles li { padding: .6rem .65rem }
  .forest th, .forest td { padding: .3rem .35rem } .forest tbody th { min-width: 6rem }
  .forest th small { display: block }
  .whiskers { width: 160px }
}
@media print {
  :root { --paper: #fff; color-scheme: light }
  nav { display: none } section { break-inside: auto; border-color: #ccc }
  figure, tr, .tiles li { break-inside: avoid } h2, h3 { break-after: avoid }
  .scroll { overflow: visible } * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  details::details-content { content-visibility: visible; height: auto }
}
"""
_SERIES = "".join(
    f".c{index} {{ stroke: var(--c{index}) }}\ncircle.c{index} {{ fill: var(--c{index}) }}\n"
    for index in range(COLOURS)
)
_DEPTHS = "".join(
    f".{kind}.d{depth} {{ background: color-mix(in srgb, var(--{kind}) {6 * depth + 8}%, "
    "transparent) }\n"
    for kind in ("right", "wrong")
    for depth in range(1, DEPTHS + 1)
)
STYLE = _SERIES + _BASE + _DEPTHS
"""A style sheet that names no file and no address."""
