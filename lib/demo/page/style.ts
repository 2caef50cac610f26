/** The page's style sheet: two themes by what the reader's system prefers, no font or picture from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #faf8f4; --raised: #ffffff; --sunken: #f1ede6; --line: #e3ddd2;
  --ink: #1c1a17; --soft: #5f5a52; --faint: #8d867b; --accent: #b8431f; --bar: #f0c9b4;
  --serif: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1014; --raised: #16191f; --sunken: #1a1e25; --line: #272c35;
    --ink: #ece8e1; --soft: #a9a59d; --faint: #77746e; --accent: #ff9a5c; --bar: #54301f;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 var(--sans); }
main, header, footer { max-width: 1400px; margin: 0 auto; padding: 0 32px; }
a { color: inherit; text-decoration-color: var(--faint); text-underline-offset: 3px; }
a:hover { color: var(--accent); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
code { font-family: var(--mono); font-size: .92em; }

header { padding-top: 56px; padding-bottom: 36px; }
.mark { font: 600 13px/1 var(--mono); letter-spacing: .04em; color: var(--accent); }
h1 { font: 400 clamp(34px, 5.2vw, 60px)/1.06 var(--serif); letter-spacing: -.018em; margin: 18px 0 18px; max-width: 18ch; text-wrap: balance; }
.lede { font-size: 18px; color: var(--soft); max-width: 62ch; margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 26px 0 0; padding: 0; list-style: none; font-size: 14px; color: var(--soft); }
.facts b { display: block; font-weight: 500; color: var(--faint); font-size: 12px; }

.explorer { display: grid; grid-template-columns: minmax(0, 1fr) 300px; background: var(--raised); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.stage { background: #07080b; display: flex; align-items: center; justify-content: center; min-width: 0; }
.stage canvas, .stage img { display: block; width: 100%; height: auto; max-height: 76vh; object-fit: contain; cursor: crosshair; touch-action: pan-y; }
.controls { padding: 26px 26px 24px; display: flex; flex-direction: column; gap: 18px; }
.controls h2 { font: 400 26px/1.15 var(--serif); margin: 0; letter-spacing: -.01em; }
.controls p { margin: 0; font-size: 14.5px; color: var(--soft); }
.choices { display: flex; flex-direction: column; gap: 10px; max-height: 330px; overflow: auto; }
.choices fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 6px; }
.choices legend { font: 12.5px/1.6 var(--mono); color: var(--faint); padding: 0; }
.choices button { font: 14px/1 var(--sans); color: var(--ink); background: var(--sunken); border: 1px solid transparent; border-radius: 999px; padding: 8px 13px; cursor: pointer; }
.choices button:hover { border-color: var(--faint); }
.choices button[aria-pressed=true] { background: var(--ink); color: var(--ground); }
.told { font-variant-numeric: tabular-nums; min-height: 4.6em; }
.legend { margin-top: auto; font-size: 12.5px; color: var(--faint); }
.legend i { display: block; height: 8px; border-radius: 4px; margin-bottom: 5px; background: linear-gradient(90deg, #17181c, #261652 12%, #7a1e7a 32%, #d63c58 54%, #fa8c2a 76%, #fff0aa); }
.legend span { display: flex; justify-content: space-between; }

h2.part { font: 400 32px/1.2 var(--serif); letter-spacing: -.012em; margin: 72px 0 8px; }
.note { color: var(--soft); font-size: 14.5px; max-width: 78ch; margin: 0 0 22px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; font-variant-numeric: tabular-nums; }
th { font-weight: 500; font-size: 12.5px; color: var(--faint); text-align: left; padding: 0 18px 9px 0; white-space: nowrap; border-bottom: 1px solid var(--line); }
td { padding: 9px 18px 9px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td.n, th.n { text-align: right; }
td .op { font-family: var(--mono); font-size: 14px; }
td.soft { color: var(--soft); }
td.share { min-width: 150px; }
.meter { display: inline-block; width: 84px; height: 7px; border-radius: 4px; background: var(--sunken); margin-left: 10px; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--accent); border-radius: 4px; }
.unit { color: var(--faint); font-size: 12.5px; }

section.op { display: grid; grid-template-columns: 252px minmax(0, 1fr); gap: 40px; padding-top: 40px; margin-top: 44px; border-top: 1px solid var(--line); }
h2.part + section.op { margin-top: 22px; }
.about { position: sticky; top: 28px; align-self: start; }
.about h3 { font: 600 17px/1.3 var(--mono); letter-spacing: -.02em; margin: 0 0 10px; }
.about .says { font: 400 19px/1.36 var(--serif); margin: 0 0 14px; }
.about p { font-size: 14px; color: var(--soft); margin: 0 0 10px; }
.about dl { display: grid; grid-template-columns: 1fr 1fr; gap: 10px 16px; margin: 18px 0 0; padding-top: 16px; border-top: 1px solid var(--line); }
.about dt { font-size: 12px; color: var(--faint); }
.about dd { margin: 0; font-size: 15px; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 30px 22px; align-items: start; }
figure { margin: 0; min-width: 0; }
figure.w2 { grid-column: span 2; }
figure.w3 { grid-column: span 3; }
figure.w6 { grid-column: span 6; }
.panels { display: grid; gap: 8px; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); align-items: start; }
.panels.many { grid-auto-flow: row; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px 6px; }
.panel img { display: block; width: 100%; height: auto; border-radius: 7px; background: #07080b; }
.panel a { display: block; }
.panel.small img { image-rendering: pixelated; }
.panel > span { display: block; font-size: 12.5px; color: var(--faint); margin-top: 5px; }
figcaption { margin-top: 9px; font-size: 14px; line-height: 1.45; color: var(--soft); max-width: 64ch; }
figcaption b { color: var(--ink); font-weight: 600; }
.bars { display: grid; grid-template-columns: max-content minmax(40px, 1fr) max-content; gap: 3px 10px; align-items: center; font-size: 12.5px; line-height: 1.3; color: var(--soft); background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 12px 14px; }
.bars i { display: block; height: 9px; border-radius: 3px; background: var(--accent); min-width: 1px; }
.bars b { font-weight: 400; font-variant-numeric: tabular-nums; color: var(--faint); text-align: right; }
.failed { color: var(--accent); }

.hidden-ops { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 10px 32px; padding: 0; margin: 0; list-style: none; font-size: 14px; }
.hidden-ops li { color: var(--soft); }
.hidden-ops code { color: var(--ink); display: block; }
footer { margin-top: 84px; padding-top: 26px; padding-bottom: 56px; font-size: 13.5px; color: var(--faint); }
footer p { max-width: 78ch; margin: 0 0 8px; }

@media (max-width: 1000px) {
  section.op { grid-template-columns: minmax(0, 1fr); gap: 24px; }
  .about { position: static; max-width: 62ch; }
  .explorer { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 680px) {
  main, header, footer { padding-left: 18px; padding-right: 18px; }
  .figures { grid-template-columns: minmax(0, 1fr); }
  figure.w2, figure.w3, figure.w6 { grid-column: span 1; }
  .panels { grid-auto-flow: row; }
  .panels.many { grid-template-columns: minmax(0, 1fr); }
}
@media print { .explorer, .about { position: static; } }
`
