"""The report page's style sheet: colours that people with any colour vision tell apart, in light and dark."""

STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f6f8fa; --edge: #d0d7de;
  --c0: #0072b2; --c1: #d55e00; --c2: #008a63; --c3: #8a4f9e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --card: #161b22;
  --edge: #30363d; --c0: #56b4e9; --c1: #ff9e4a; --c2: #3fc9a0; --c3: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .8rem; margin: 0; }
.tiles div, figure { background: var(--card); border: 1px solid var(--edge); border-radius: .5rem;
  padding: .8rem 1rem; }
dt { color: var(--soft); font-size: .9rem; } dd { margin: 0; font-size: 1.15rem; font-weight: 600; }
dd small { display: block; color: var(--soft); font-size: .85rem; font-weight: 400; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: .8rem; }
figure { margin: 0; } figure > strong { font-size: .95rem; } figcaption { color: var(--soft); font-size: .85rem; }
figure > svg { width: 100%; height: auto; display: block; }
svg line, svg polyline { fill: none; stroke-width: 2; } svg .grid { stroke: var(--edge); stroke-width: 1; }
svg .tick { fill: var(--soft); font-size: 12px; } svg .ideal { stroke: var(--soft); stroke-dasharray: 3 4; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 7 4; } .s2 { stroke: var(--c2);
  stroke-dasharray: 2 3; } .s3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; }
.d0 { fill: var(--c0); } .d1 { fill: var(--c1); } .d2 { fill: var(--c2); } .d3 { fill: var(--c3); }
.b0, .b1, .b2, .b3 { opacity: .18; } .b0 { fill: var(--c0); } .b1 { fill: var(--c1); } .b2 { fill: var(--c2); }
.b3 { fill: var(--c3); }
.legend { margin: .3rem 0 0; color: var(--soft); font-size: .85rem; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.key { width: 24px; height: 8px; margin-right: .4rem; }
.side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: .8rem;
  align-items: start; }
.scroll { overflow-x: auto; margin: 0 0 1rem; } .scroll:focus-visible { outline: 2px solid var(--c0); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { border-bottom: 1px solid var(--edge); padding: .35rem .6rem; text-align: right; vertical-align: top;
  white-space: nowrap; }
th:first-child, .text { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
tbody th { font-weight: 400; }
thead th { color: var(--soft); font-weight: 600; }
code { overflow-wrap: anywhere; background: var(--card); padding: .1rem .3rem; border-radius: .25rem; }
summary { cursor: pointer; }
"""
