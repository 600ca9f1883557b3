/** The look of the HTML report: light and dark, wide and narrow, without anything from elsewhere. */
export const style: string = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #14161a);
  --sheet: light-dark(#ffffff, #1c1f25);
  --ink: light-dark(#1d2127, #e9e7e2);
  --soft: light-dark(#646b75, #9aa1ad);
  --line: light-dark(#e3e0d8, #2e333c);
  --pass: light-dark(#1c7a4f, #5bd39b);
  --pass-wash: light-dark(#dff1e7, #17382a);
  --fail: light-dark(#c2292e, #ff6b6b);
  --fail-ink: light-dark(#ffffff, #240606);
  --warn: light-dark(#96620a, #f0b64a);
  --warn-wash: light-dark(#fbeccb, #3b2d10);
  --error: light-dark(#7c3aa8, #cf9bf5);
  --error-ink: light-dark(#ffffff, #1d0a2b);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, monospace;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  background: var(--paper);
  color: var(--ink);
}
* { box-sizing: border-box; }
body { margin: 0; }
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; display: grid; gap: 18px; }
h1 { font-size: 15px; font-weight: 600; letter-spacing: .02em; margin: 0; color: var(--soft); }
.verdict { font-size: clamp(28px, 5vw, 44px); line-height: 1.1; font-weight: 650; letter-spacing: -.02em; margin: 0; text-wrap: balance; }
.verdict.good em { color: var(--pass); } .verdict.bad em { color: var(--fail); }
.verdict em { font-style: normal; }
.bar { display: flex; gap: 2px; height: 10px; border-radius: 5px; overflow: hidden; }
.bar i { display: block; min-width: 3px; }
.bar .pass { background: var(--pass); } .bar .fail { background: var(--fail); } .bar .error { background: var(--error); }
.bar .non-strict, .bar .blocked { background: var(--warn); } .bar .unsupported, .bar .na { background: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 0; padding: 0; list-style: none; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 8px; } .legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
main { padding-top: 30px; }
.scroll { overflow-x: auto; margin: 0 -24px; padding: 0 24px; }
table.matrix { border-collapse: collapse; width: 100%; }
.matrix th { text-align: left; font-weight: 600; }
.matrix thead th { padding: 0 18px 12px 0; vertical-align: bottom; }
.matrix thead small { display: block; font-weight: 400; color: var(--soft); font-variant-numeric: tabular-nums; }
.matrix tbody tr { border-top: 1px solid var(--line); }
.matrix tbody th { padding: 12px 16px 12px 0; white-space: nowrap; font-weight: 500; }
.matrix tbody th b { display: inline-block; width: 3.2em; font-family: var(--mono); font-size: 13px; font-weight: 600; color: var(--soft); }
.matrix td { padding: 10px 14px 10px 0; min-width: 274px; }
.matrix td:last-child { padding-right: 0; }
.matrix.many thead th + th { width: 11.5%; vertical-align: top; } .matrix.many td { min-width: 0; } .matrix.many .tile { width: 24px; height: 24px; font-size: 11px; }
.tiles { display: flex; flex-wrap: wrap; gap: 4px; }
.tile { display: grid; place-items: center; width: 29px; height: 29px; border-radius: 7px; font: 600 12px/1 var(--mono); text-decoration: none; border: 1.5px solid transparent; position: relative; }
a.tile { transition: transform .12s; } a.tile:hover { transform: translateY(-2px); } a.tile:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
.tile.pass { background: var(--pass-wash); color: var(--pass); }
.tile.fail { background: var(--fail); color: var(--fail-ink); }
.tile.error { background: var(--error); color: var(--error-ink); }
.tile.non-strict { background: var(--warn-wash); color: var(--warn); border-color: var(--warn); }
.tile.blocked { color: var(--warn); border: 1.5px dashed var(--warn); }
.tile.unsupported { color: var(--soft); border: 1.5px dashed var(--line); }
.tile.na { color: var(--soft); } .tile.na::after { content: ""; position: absolute; inset: 13px 5px auto; border-top: 1.5px solid var(--soft); opacity: .5; }
.tile.flaky::before { content: ""; position: absolute; top: -3px; right: -3px; width: 8px; height: 8px; border-radius: 50%; background: var(--warn); border: 1.5px solid var(--paper); }
.tile.mini { width: 16px; height: 16px; border-radius: 4px; font-size: 0; }
.tile.lit { outline: 2px solid var(--ink); outline-offset: 2px; }
h2 { font-size: 18px; font-weight: 650; margin: 44px 0 12px; letter-spacing: -.01em; }
.failures { display: grid; gap: 10px; margin: 0; padding: 0; list-style: none; }
.failures a { display: block; padding: 14px 16px; border-radius: 10px; border: 1px solid var(--line); border-left: 4px solid var(--fail); background: var(--sheet); color: inherit; text-decoration: none; }
.failures a:hover { border-color: var(--soft); border-left-color: var(--fail); } .failures .error a { border-left-color: var(--error); } .failures .non-strict a, .failures .blocked a { border-left-color: var(--warn); }
.failures b { font-family: var(--mono); font-size: 13px; } .failures p { margin: 2px 0 6px; } .failures pre { margin: 0; }
pre { font: 12.5px/1.55 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; color: var(--soft); }
details { border-top: 1px solid var(--line); } details:last-of-type { border-bottom: 1px solid var(--line); }
summary { padding: 12px 0; cursor: pointer; font-weight: 500; } details .scroll { padding-bottom: 14px; }
table.plain { border-collapse: collapse; font-size: 14px; } .plain th, .plain td { text-align: left; padding: 4px 28px 4px 0; border-top: 1px solid var(--line); font-weight: 400; vertical-align: top; } .plain th { color: var(--soft); white-space: nowrap; } .plain thead th { border: 0; font-weight: 600; color: var(--ink); }
.plain td { font-family: var(--mono); font-size: 13px; }
footer { padding: 40px 24px 64px; color: var(--soft); font-size: 14px; } footer code { font: 13px var(--mono); color: var(--ink); overflow-wrap: anywhere; }
.detail { display: none; position: fixed; inset: 0 0 0 auto; width: min(720px, 100vw); background: var(--sheet); border-left: 1px solid var(--line); box-shadow: 0 0 60px light-dark(#0002, #0009); overflow-y: auto; overscroll-behavior: contain; padding: 22px 28px 60px; z-index: 2; outline: none; }
.detail:target { display: block; animation: in .18s ease-out; }
@keyframes in { from { transform: translateX(24px); opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .detail:target { animation: none; } a.tile { transition: none; } }
.detail nav { display: flex; justify-content: space-between; font-size: 14px; } .detail nav span { display: flex; gap: 18px; } .detail nav a { color: var(--soft); } .detail nav a:hover { color: var(--ink); }
.detail h3 { font-size: 20px; line-height: 1.35; font-weight: 600; margin: 14px 0 16px; text-wrap: pretty; }
.detail .id { font: 600 14px var(--mono); color: var(--soft); display: flex; align-items: center; gap: 12px; margin-top: 18px; }
.chip { display: inline-block; padding: 2px 10px; border-radius: 20px; font: 600 12.5px/1.6 system-ui, sans-serif; }
.chip.pass { background: var(--pass-wash); color: var(--pass); } .chip.fail { background: var(--fail); color: var(--fail-ink); } .chip.error { background: var(--error); color: var(--error-ink); } .chip.non-strict, .chip.blocked { background: var(--warn-wash); color: var(--warn); } .chip.unsupported, .chip.na { border: 1px solid var(--line); color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 0 0 18px; } .facts div { display: flex; gap: 8px; } .facts dt { color: var(--soft); } .facts dd { margin: 0; }
.detail pre { background: light-dark(#f6f4ef, #15181d); color: var(--ink); padding: 14px 16px; border-radius: 8px; margin: 0 0 18px; }
.sequence { width: 100%; min-width: 560px; height: auto; font: 11.5px var(--mono); fill: var(--ink); }
.sequence .lane { stroke: var(--line); stroke-width: 1.5; } .sequence .lane-wire { stroke-dasharray: 2 5; }
.sequence .head { text-anchor: middle; font: 600 12.5px system-ui, sans-serif; fill: var(--soft); }
.sequence .time { fill: var(--soft); font-size: 10px; } .sequence .label, .sequence .band { text-anchor: middle; } .sequence .end { text-anchor: end; }
.sequence text.label, .sequence text.start, .sequence text.end, .sequence text.band { paint-order: stroke; stroke: var(--sheet); stroke-width: 4px; stroke-linejoin: round; }
.sequence .wire .arrow { stroke: var(--soft); stroke-width: 1.25; } .sequence .wire .tip { fill: var(--soft); } .sequence .wire .label { fill: var(--soft); font-size: 10.5px; }
.sequence .caller circle { fill: var(--pass); } .sequence .handler circle { fill: var(--error); }
.sequence .across { stroke: var(--fail); stroke-dasharray: 5 4; } .sequence .band { fill: var(--fail); font-weight: 600; }
@media (max-width: 720px) {
  .scroll { margin: 0 -18px; padding: 0 18px; }
  .matrix thead { display: none; } .matrix, .matrix tbody, .matrix tr, .matrix th, .matrix td { display: block; }
  .matrix tbody tr { padding: 14px 0; } .matrix tbody th { padding: 0 0 6px; white-space: normal; } .matrix td { min-width: 0; display: grid; grid-template-columns: 5em 1fr; align-items: start; padding: 5px 0; }
  .matrix td::before { content: attr(data-wire); font-size: 13px; color: var(--soft); padding-top: 5px; }
  .detail { padding: 18px 18px 60px; } header, main, footer { padding-left: 18px; padding-right: 18px; }
}
@media print { .detail { display: none !important; } }
`;

/** Keys: Escape closes what is open, arrows go from one to the next; a tile lights up its like on the other wires. */
export const script: string = `
const go = (rel) => { const link = document.querySelector('.detail:target a[rel="' + rel + '"]'); if (link) location.replace(link.href); };
addEventListener("keydown", (event) => {
  if (event.key === "Escape") go("up");
  else if (event.key === "ArrowRight" || event.key === "ArrowDown") { if (document.querySelector(".detail:target")) { event.preventDefault(); go("next"); } }
  else if (event.key === "ArrowLeft" || event.key === "ArrowUp") { if (document.querySelector(".detail:target")) { event.preventDefault(); go("prev"); } }
});
const light = (event, on) => {
  const tile = event.target.closest?.("a.tile");
  if (tile) for (const like of document.querySelectorAll('a.tile[data-scenario="' + tile.dataset.scenario + '"]')) if (like !== tile) like.classList.toggle("lit", on);
};
addEventListener("mouseover", (event) => light(event, true));
addEventListener("mouseout", (event) => light(event, false));
`;
