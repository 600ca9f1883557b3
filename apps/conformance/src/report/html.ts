import type { Report, Result } from "../result.ts";
import { groups } from "../scenario.ts";
import { testedLine } from "../tested.ts";
import { totalsLine, totalsOf, type Verdict, verdicts } from "../verdict.ts";
import { commandOf } from "./command.ts";
import { script, style } from "./html-style.ts";
import { manifestTable } from "./manifest-table.ts";
import { html, type Markup, raw } from "./markup.ts";
import { sequenceDiagram } from "./sequence.ts";

/** The report to look at: one page that needs nothing else. */
export function htmlReport(report: Report): string {
  const { results, transports } = report;
  const bad = results.filter(({ verdict }) => verdict === "fail" || verdict === "error" || verdict === "non-strict");
  const blocked = results.filter(
    ({ verdict }, at) =>
      verdict === "blocked" && results.findIndex((other) => other.message === results[at]?.message) === at,
  );
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley conformance: ${transports.join(", ")}</title>
<style>${raw(style)}</style>
${head(report)}
<main>
${matrix(report)}
${bad.length + blocked.length > 0 && html`<h2>What does not hold</h2><ul class="failures">${[...bad, ...blocked].map(failure)}</ul>`}
<h2>What was tested</h2>
${versions(report)}
<h2>What the wires promise</h2>
${manifestTable(report)}
${equivalenceSection(report)}
</main>
${foot(report)}
${results.map((result, at) => detail(result, results[at - 1], results[at + 1]))}
<script>${raw(script)}</script>
</html>
`;
  return page.markup;
}

function head({ results, transports, startedAt }: Report): Markup {
  const totals = totalsOf(results);
  const { counts, graded } = totals;
  const bad = counts.fail + counts.error;
  const sentence =
    graded + counts.error === 0
      ? html`<em>Nothing</em> was judged`
      : bad === 0
        ? html`<em>All ${counts.pass}</em> expectations hold on ${listed(transports)}`
        : html`<em>${bad}</em> of ${graded + counts.error} expectations ${bad === 1 ? "does" : "do"} not hold`;
  const there = verdicts.filter((verdict) => counts[verdict] > 0);
  return html`<header>
<h1>Parley conformance · ${new Date(startedAt).toISOString().slice(0, 16).replace("T", " ")} UTC</h1>
<p class="verdict ${bad === 0 && counts.blocked === 0 && graded > 0 ? "good" : "bad"}">${sentence}</p>
<div class="bar" role="img" aria-label="${totalsLine(totals)}">${there.map((verdict) => html`<i class="${className(verdict)}" style="flex:${counts[verdict]}"></i>`)}</div>
<ul class="legend">${there.map((verdict) => html`<li><span class="tile mini ${className(verdict)}"></span><span><b>${counts[verdict]}</b> ${names[verdict]}</span></li>`)}</ul>
</header>`;
}

function matrix({ results, transports }: Report): Markup {
  const rows = Object.entries(groups).filter(([group]) => results.some((result) => result.group === group));
  return html`<div class="scroll"><table class="matrix${transports.length > 3 && " many"}">
<thead><tr><th></th>${transports.map((transport) => wireHead(transport, results))}</tr></thead>
<tbody>${rows.map(
    ([group, title]) => html`<tr><th scope="row"><b>${group}</b>${title}</th>${transports.map(
      (transport) =>
        html`<td data-wire="${transport}"><div class="tiles">${results
          .filter((result) => result.transport === transport && result.group === group)
          .map(tile)}</div></td>`,
    )}</tr>
`,
  )}</tbody></table></div>`;
}

function wireHead(transport: string, results: readonly Result[]): Markup {
  const { counts, graded, applicable } = totalsOf(results.filter((result) => result.transport === transport));
  return html`<th scope="col">${transport}<small>${counts.pass} of ${graded} hold${graded < applicable && html`, ${applicable - graded} not judged`}</small></th>`;
}

function tile(result: Result): Markup {
  const { scenario, title, verdict, transport, runs } = result;
  const flaky = runs !== undefined && runs.passed > 0 && runs.passed < runs.total;
  return html`<a class="tile ${className(verdict)}${flaky && " flaky"}" href="#${anchor(result)}" data-scenario="${scenario}" title="${scenario} ${names[verdict]}: ${title}" aria-label="${scenario} on ${transport}: ${names[verdict]}">${verdict === "n/a" ? "" : scenario.slice(scenario.indexOf("-") + 1)}</a>`;
}

function failure(result: Result): Markup {
  const { scenario, transport, title, verdict, message = "" } = result;
  return html`<li class="${className(verdict)}"><a href="#${anchor(result)}"><b>${transport} ${verdict === "blocked" ? "" : scenario}</b> <span class="chip ${className(verdict)}">${names[verdict]}</span>${verdict !== "blocked" && html`<p>${title}</p>`}<pre>${message.split("\n").slice(0, 4).join("\n")}</pre></a></li>`;
}

function detail(result: Result, before: Result | undefined, after: Result | undefined): Markup {
  const { scenario, title, verdict, transport, level, ms, witnesses, message, history, runs, group } = result;
  return html`<article class="detail" id="${anchor(result)}" aria-label="${scenario} on ${transport}">
<nav><span>${before && html`<a rel="prev" href="#${anchor(before)}">← ${before.scenario}</a>`}${after && html`<a rel="next" href="#${anchor(after)}">${after.scenario} →</a>`}</span><a rel="up" href="#_">Close</a></nav>
<div class="id">${scenario} on ${transport}<span class="chip ${className(verdict)}">${names[verdict]}</span></div>
<h3>${title}</h3>
<dl class="facts"><div><dt>Group</dt><dd>${groups[group]}</dd></div><div><dt>Level</dt><dd>${level}</dd></div><div><dt>Took</dt><dd>${ms} ms</dd></div>${runs && html`<div><dt>Runs that passed</dt><dd>${runs.passed} of ${runs.total}</dd></div>`}${witnesses.length > 0 && html`<div><dt>Witnesses</dt><dd>${witnesses.join(", ")}</dd></div>`}</dl>
${message !== undefined && html`<pre>${message}</pre>`}
${history !== undefined && history.length > 0 && html`<div class="scroll">${sequenceDiagram(history)}</div>`}
</article>
`;
}

function versions({ transports, tested, core }: Report): Markup {
  return html`<div class="scroll"><table class="plain"><tbody>${transports.map(
    (wire) => html`<tr><th scope="row">${wire}</th><td>${testedLine(tested[wire] ?? {}, core)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** G-09. */
function equivalenceSection({ equivalence }: Report): Markup | false {
  if (equivalence.length === 0) return false;
  const different = equivalence.filter(({ differences }) => differences.length > 0);
  const items = different.flatMap(({ scenario, transports, differences }) =>
    differences.map(
      ({ transport, call, here, there }) =>
        html`<li><b>${scenario}</b> on ${transport}, call ${call}: <code>${here}</code>; on ${transports[0] ?? ""}: <code>${there}</code></li>`,
    ),
  );
  return html`<section class="same"><h2>The same on every wire</h2>
<p>What callers and handlers saw of ${equivalence.length} scenarios was compared between wires: ${equivalence.length - different.length} look the same on all.</p>
${items.length > 0 && html`<ul class="failures">${items}</ul>`}</section>`;
}

function foot(report: Report): Markup {
  const { suite, core, timeScale, profile, machine, ms, results } = report;
  return html`<footer><p>${totalsLine(totalsOf(results))}</p>
<p>${suite.name} ${suite.version}, @parley/core ${core}, on Node ${machine.node}, ${machine.platform}, ${machine.cpus} processors; ${(ms / 1000).toFixed(1)} s at time scale ${timeScale}, profile ${profile}. The same again:<br><code>${commandOf(report)}</code></p></footer>`;
}

const names: Readonly<Record<Verdict, string>> = {
  pass: "holds",
  fail: "fails",
  "non-strict": "non-strict",
  error: "error of the suite",
  blocked: "blocked",
  unsupported: "unsupported",
  "n/a": "not applicable",
};

function className(verdict: Verdict): string {
  return verdict === "n/a" ? "na" : verdict;
}

function anchor({ transport, scenario }: Result): string {
  return `${transport}-${scenario}`.replaceAll(/[^\w-]/g, "_");
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
