import type { Row } from '../bench.ts'
import type { Bar, Figure, Part } from '../exhibit.ts'
import { heatRamp } from '../exhibits/shared/draw.ts'
import { count, figures, percent, tiny } from '../numbers.ts'
import { explorerScript } from './explorer.ts'
import { style } from './style.ts'

/** A figure whose pictures lie in files beside the page. */
export interface PlacedFigure extends Omit<Figure, 'panels'> {
  readonly panels: readonly PlacedPanel[]
}

export type PlacedPanel =
  | {
      readonly label: string
      readonly file: string
      readonly width: number
      readonly height: number
    }
  | { readonly label: string; readonly bars: readonly Bar[] }

/** One operation on the page; without `part` it has no exhibit. */
export interface Entry {
  readonly name: string
  readonly summary: string
  readonly paper: string
  readonly part?: Part
  readonly caption?: string
  readonly rows: readonly Row[]
  readonly figures: readonly PlacedFigure[]
  /** Why the exhibit could not be made. */
  readonly failure?: string
}

/** A matrix for the explorer, as the data: address of a grey picture. */
export interface ExplorerMap {
  readonly operation: string
  readonly label: string
  readonly rows: number
  readonly columns: number
  readonly patch: number
  readonly weights: string
}

export interface PageContent {
  readonly photo: {
    readonly name: string
    readonly note: string
    readonly address: string
    readonly width: number
    readonly height: number
  }
  readonly start: { readonly x: number; readonly y: number }
  /** Label and value, as the head of the page states them. */
  readonly facts: readonly (readonly [string, string])[]
  readonly entries: readonly Entry[]
  readonly explorer: readonly ExplorerMap[]
  readonly credit: string
}

const parts: readonly (readonly [Part, string])[] = [
  ['attention', 'Attention between patches'],
  ['gate', 'Gates over a feature map'],
  ['layer', 'The layers beneath'],
]

/** The whole page as one HTML file; only its pictures lie beside it. */
export function renderPage(content: PageContent): string {
  const shown = content.entries.filter(({ part }) => part !== undefined)
  const others = content.entries.filter(({ part }) => part === undefined)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fovea: what a patch of a photograph attends to</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<div class="mark">fovea</div>
<h1>What a patch of a photograph attends to</h1>
<p class="lede">The picture is cut into patches. Each patch asks every other how alike they are, in colour, in texture and in place, and looks at the answers through attention. No weight was trained: what lights up is what the photograph itself has in common.</p>
<ul class="facts">${content.facts.map(([label, value]) => `<li><b>${text(label)}</b>${text(value)}</li>`).join('')}</ul>
</header>
<main>
${content.explorer.length > 0 ? explorer(content) : ''}
<h2 class="part">The operations, measured</h2>
<p class="note">One thread, best of several windows, in CPU time. GFLOP/s count what the formula asks for: a multiply-add as two, an exponential as twelve, keys that a pattern hides not at all. The share is of the multiply-adds that one core reached in the same run; operations that do little with each number they read are bound by memory, and their share is small by nature. The difference is the largest one, over every element, from a plain float64 computation.</p>
<div class="scroll">${table(shown)}</div>
${parts
  .map(([part, heading]) =>
    group(
      heading,
      shown.filter(entry => entry.part === part),
    ),
  )
  .join('\n')}
${others.length > 0 ? notShown(others) : ''}
</main>
<footer>
<p>${text(content.photo.name)}: ${text(content.photo.note)}. ${text(content.credit)}</p>
<p>In every map the outlined patch asks, and brightness is the root of a patch’s weight over the largest weight that another patch gets, so that faint answers can be seen. Pictures open in full size.</p>
</footer>
${content.explorer.length > 0 ? `<script type="application/json" id="explore">${exploreData(content)}</script>\n<script>${explorerScript}</script>` : ''}
</body>
</html>
`
}

function explorer({ photo, explorer: maps }: PageContent): string {
  const groups = new Map<string, { index: number; label: string }[]>()
  maps.forEach(({ operation, label }, index) => {
    groups.set(operation, [...(groups.get(operation) ?? []), { index, label }])
  })
  const button = (index: number, label: string): string =>
    `<button type="button" aria-pressed="${index === 0}">${text(label)}</button>`
  const choices = [...groups].map(([operation, variants]) => {
    const alone = variants.length === 1
    const buttons = variants.map(({ index, label }) => button(index, alone ? operation : label))
    const legend = alone ? '' : `<legend>${text(operation)}</legend>`
    return `<fieldset>${legend}${buttons.join('')}</fieldset>`
  })
  return `<div class="explorer">
<div class="stage"><img src="${photo.address}" width="${photo.width}" height="${photo.height}" alt="${text(photo.name)}"><canvas hidden tabindex="0" aria-label="Attention of the patch under the pointer; the arrow keys move it"></canvas></div>
<div class="controls">
<h2>Point at the picture</h2>
<p>The outlined patch asks; the lighter a place, the more of its attention it gets. The arrow keys move the patch.</p>
<div class="choices">${choices.join('')}</div>
<p class="told" aria-live="polite"></p>
<div class="legend"><i></i><span><span>no attention</span><span>most</span></span></div>
</div>
</div>`
}

function exploreData({ photo, start, explorer: maps }: PageContent): string {
  const data = { photo: { width: photo.width, height: photo.height }, start, maps, ramp: heatRamp }
  // A closing tag inside the data would end the script element.
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}

function table(entries: readonly Entry[]): string {
  const lines = entries.flatMap(entry =>
    entry.rows.map(
      (
        row,
        index,
      ) => `<tr><td>${index === 0 ? `<a class="op" href="#${entry.name}">${entry.name}</a>` : ''}</td>
<td class="soft">${text(row.label)}</td><td class="soft">${text(row.shape)}</td>
<td class="n">${figures(row.milliseconds)}</td><td class="n">${figures(row.gflops)}</td>
<td class="n share">${percent(row.share)}<span class="meter"><i style="width:${Math.min(100, row.share * 100).toFixed(1)}%"></i></span></td>
<td class="n${row.agrees ? '' : ' failed'}">${tiny(row.difference)}</td></tr>`,
    ),
  )
  return `<table>
<thead><tr><th>Operation</th><th>Of</th><th>Shape</th><th class="n">ms</th><th class="n">GFLOP/s</th><th class="n">Share of peak</th><th class="n">Largest difference</th></tr></thead>
<tbody>${lines.join('\n')}</tbody>
</table>`
}

function group(heading: string, entries: readonly Entry[]): string {
  if (entries.length === 0) return ''
  return `<h2 class="part">${heading}</h2>\n${entries.map(section).join('\n')}`
}

function section(entry: Entry): string {
  const first = entry.rows[0]
  const metrics =
    first === undefined
      ? ''
      : `<dl><div><dt>Time</dt><dd>${figures(first.milliseconds)} ms</dd></div><div><dt>Speed</dt><dd>${figures(first.gflops)} GFLOP/s</dd></div><div><dt>Share of peak</dt><dd>${percent(first.share)}</dd></div><div><dt>From float64</dt><dd>${tiny(first.difference)}</dd></div></dl>`
  return `<section class="op" id="${entry.name}">
<div class="about">
<h3>${text(entry.name).replace(/(?=[A-Z])/g, '<wbr>')}</h3>
<p class="says">${text(entry.caption ?? '')}</p>
<p>${text(entry.summary)}</p>
${entry.paper === '' ? '' : `<p>${text(entry.paper)}</p>`}
${entry.failure === undefined ? '' : `<p class="failed">This exhibit could not be made: ${text(entry.failure)}</p>`}
${metrics}
</div>
<div class="figures">${entry.figures.map(each => figure(each, span(each, entry.figures))).join('\n')}</div>
</section>`
}

/** Sixths of the row: few figures are given more room. */
function span({ panels }: PlacedFigure, all: readonly PlacedFigure[]): number {
  const most = Math.max(...all.map(each => each.panels.length))
  if (panels.length > 2 || (all.length === 1 && panels.length > 1)) return 6
  return panels.length === 2 || (most === 1 && all.length <= 2) ? 3 : 2
}

function figure({ title, caption, panels }: PlacedFigure, sixths: number): string {
  return `<figure class="w${sixths}"><div class="panels${panels.length > 3 ? ' many' : ''}">${panels.map(each => panel(each, title)).join('')}</div><figcaption><b>${text(title)}.</b> ${text(caption)}</figcaption></figure>`
}

function panel(each: PlacedPanel, title: string): string {
  const label = each.label === '' ? '' : `<span>${text(each.label)}</span>`
  if ('bars' in each) {
    const bars = each.bars.map(
      ({ name, value }) =>
        `<span>${text(name)}</span><i style="width:${(Math.min(1, Math.max(0, value)) * 100).toFixed(1)}%"></i><b>${value.toFixed(2)}</b>`,
    )
    return `<div class="panel"><div class="bars">${bars.join('')}</div>${label}</div>`
  }
  const described = [title, each.label].filter(part => part !== '').join(': ')
  return `<div class="panel"><a href="${each.file}"><img src="${each.file}" width="${each.width}" height="${each.height}" loading="lazy" alt="${text(described)}"></a>${label}</div>`
}

function notShown(entries: readonly Entry[]): string {
  return `<h2 class="part">Not shown</h2>
<p class="note">${count(entries.length)} ${entries.length === 1 ? 'operation has' : 'operations have'} no exhibit on a photograph.</p>
<ul class="hidden-ops">${entries.map(({ name, paper, summary }) => `<li id="${name}"><code>${text(name)}</code>${text(paper === '' ? summary : paper)}</li>`).join('')}</ul>`
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
