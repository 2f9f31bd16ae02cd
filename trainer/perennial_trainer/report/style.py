"""The looks, in the light and in the dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfbf8; --card: #fff; --ink: #1d2420; --faint: #66706a; --line: #e1e5df;
  --leaf: #2f7d4f; --clay: #b4552d; --sky: #3a6ea5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141816; --card: #1b211e; --ink: #e6ebe7; --faint: #98a39c; --line: #2e3732;
    --leaf: #6cc08b; --clay: #e08a5f; --sky: #7fb0e3;
  }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.6rem; margin: 0 0 .25rem; letter-spacing: -.01em }
h2 { font-size: 1.1rem; margin: 0 0 .75rem }
h3 { font-size: .95rem; margin: 0 0 .5rem; font-weight: 600 }
p { margin: .25rem 0 }
small, .faint { color: var(--faint); font-size: .875rem }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.25rem; margin-top: 1.25rem;
}
.badge {
  display: inline-block; padding: .1rem .7rem; border-radius: 1rem; font-weight: 600;
  font-size: .9rem; color: var(--card);
}
.Accepted { background: var(--leaf) } .Rejected { background: var(--clay) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .925rem }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--line) }
th { font-weight: 500 } thead th { color: var(--faint); font-size: .825rem }
tbody th { text-align: left } tbody tr:last-child > * { border-bottom: 0 }
.wide { width: 100% } td code { white-space: normal }
.chosen { font-weight: 600 }
.side { display: flex; flex-wrap: wrap; gap: 2rem }
.heat td {
  border: 2px solid var(--card); border-radius: .4rem; min-width: 5rem; text-align: center
}
.heat td small { display: block }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0 }
dt { color: var(--faint) } dd { margin: 0; overflow-wrap: anywhere }
code { font: .85em ui-monospace, SFMono-Regular, Menlo, monospace }
svg { display: block } .axis { stroke: var(--faint); stroke-dasharray: 2 3 }
.gain { fill: var(--leaf) } .loss { fill: var(--clay) } .open { fill: var(--sky) }
.mark { fill: var(--ink) }
"""
