import { escapeHtml } from './charts.ts';

const STYLE = `:root{color-scheme:light dark;--fg:#1f2328;--soft:#59636e;--bg:#fff;--box:#f6f8fa;--line:#d1d9e0;--band:#c4320a26;--good:#1a7f37;--bad:#cf222e;--open:#9a6700}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--soft:#9198a1;--bg:#0d1117;--box:#161b22;--line:#30363d;--band:#ff7b7233;--good:#3fb950;--bad:#f85149;--open:#d29922}}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;padding:12px;max-width:1280px}
h1{font-size:1.5rem;margin:.3em 0}h2{font-size:1.15rem;margin:1.6em 0 .5em}h3{font-size:1rem;margin:0 0 .3em}p{margin:.4em 0}
a{color:#0b6bcb}.soft,.none{color:var(--soft)}.holds{color:var(--good)}.violated{color:var(--bad)}.unknown{color:var(--open)}
.verdict{display:inline-block;font-weight:600;text-transform:uppercase;font-size:.85rem;letter-spacing:.03em;white-space:nowrap;overflow-wrap:normal}
.grid-of{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:12px}
.box{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:10px;min-width:0}
svg{display:block;width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--soft)}.grid{stroke:var(--line);stroke-width:.7}
.band{fill:var(--band)}.mark{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:4 3}
.legend{font-size:.8rem;color:var(--soft);display:flex;flex-wrap:wrap;gap:2px 12px}.legend i{display:inline-block;width:10px;height:10px;margin-right:4px;border-radius:2px}.legend .line-key{height:3px;width:14px;vertical-align:middle}.legend .dot-key{border-radius:5px;width:7px;height:7px}.legend .band-key{background:var(--band)}.legend .mark-key{height:0;width:14px;vertical-align:middle;border-top:2px dashed var(--bad)}
.axis{stroke:var(--soft);stroke-width:.8}.note{font-size:.8rem;color:var(--soft);line-height:1.35;margin:.4em 0 0}nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:.6em 0}
.fault{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,4fr) minmax(0,4fr);gap:4px 16px;padding:5px 0;border-bottom:1px solid var(--line);font-size:.9rem;overflow-wrap:anywhere}.fault:last-child{border:0}
.track{position:relative;min-height:14px;background:var(--box);border:1px solid var(--line);border-radius:3px;align-self:center}.track i{position:absolute;top:0;bottom:0;background:#c4320a99}.ends{display:flex;justify-content:space-between}
.wide{overflow-x:auto}.wide svg{max-width:none}table{border-collapse:collapse;font-size:.9rem;width:100%}td,th{text-align:left;padding:4px 8px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500;overflow-wrap:normal}td.n{overflow-wrap:normal}td>a:only-child{white-space:nowrap}summary{cursor:pointer;margin:.5em 0}td.n,th.n{text-align:right}tr:target{background:var(--band)}
@media(max-width:600px){.fault{grid-template-columns:minmax(0,1fr)}.track{align-self:auto}.verdicts td{display:block;border:0;padding:2px 0}.verdicts tr{display:block;border-bottom:1px solid var(--line);padding:6px 0}}
@media print{.box,.fault,tr{break-inside:avoid}nav{display:none}}
pre{overflow-x:auto;font-size:.8rem;background:var(--box);border:1px solid var(--line);border-radius:6px;padding:10px}`;

/** A page that stands alone: no script, no font, no picture from elsewhere. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>
${body}
</body></html>
`;
}

/** @param note what is measured, in a sentence */
export function box(title: string, content: string, note = ''): string {
  const below = note === '' ? '' : `<p class="note">${escapeHtml(note)}</p>`;
  return `<section class="box"><h3>${escapeHtml(title)}</h3>${content}${below}</section>`;
}

/** A table; cells are HTML already. Columns named in `numeric` are set to the right. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string {
  const cell = (tag: string, text: string, k: number): string =>
    `<${tag}${numeric.includes(k) ? ' class="n"' : ''}>${text}</${tag}>`;
  const head = `<tr>${header.map((text, k) => cell('th', escapeHtml(text), k)).join('')}</tr>`;
  return `<div class="wide"><table>${head}${rows.map((row) => `<tr>${row.map((text, k) => cell('td', text, k)).join('')}</tr>`).join('')}</table></div>`;
}
