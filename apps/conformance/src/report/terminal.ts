import type { Kill } from "../mutants/kill.ts";
import type { Report, Result } from "../result.ts";
import type { Progress } from "../run.ts";
import { type Group, groups, type Scenario } from "../scenario.ts";
import { testedLine } from "../tested.ts";
import { type ExitRules, totalsLine, totalsOf, underGraded, type Verdict } from "../verdict.ts";
import type { Screen, Style } from "./screen.ts";

export type { Screen };

const styles: Readonly<Record<Verdict, Style>> = {
  pass: "green",
  fail: "red",
  "non-strict": "yellow",
  error: "magenta",
  blocked: "yellow",
  unsupported: "gray",
  "n/a": "gray",
};

/** Tells how a run goes: with a line per wire that is kept up to date on a terminal, else with a line per result. */
export function terminalProgress(screen: Screen, seed: string): Progress {
  let wires: { name: string; done: number; bad: number; running: string }[] = [];
  let total = 0;
  let painted = 0;
  const paint = (): void => {
    if (!screen.live) return;
    const width = Math.max(...wires.map(({ name }) => name.length));
    const text = wires.map(({ name, done, bad, running }) => {
      const bar = 30;
      const full = Math.round((bar * done) / Math.max(1, total));
      const state = done === total ? "done" : running;
      const failures = bad > 0 ? screen.style("red", ` ${bad} not passed`) : "";
      return `  ${name.padEnd(width)}  ${screen.style(bad > 0 ? "red" : "green", "█".repeat(full))}${screen.style("gray", "░".repeat(bar - full))} ${String(done).padStart(3)}/${total} ${state}${failures}`;
    });
    screen.write(`${erase()}${text.join("\n")}\n`);
    painted = text.length;
  };
  const erase = (): string => (painted > 0 ? `\u001b[${painted}A\u001b[0J` : "");
  return {
    begin(names, scenarios, timeScale) {
      total = scenarios.length;
      wires = names.map((name) => ({ name, done: 0, bad: 0, running: "waiting" }));
      screen.write(
        `${scenarios.length} scenario${scenarios.length === 1 ? "" : "s"} on ${names.join(", ")}; seed ${seed}; time scale ${timeScale}\n`,
      );
      paint();
    },
    start(wire, scenario) {
      const one = wires[wire];
      if (one) one.running = scenario;
      paint();
    },
    result(wire, result) {
      const one = wires[wire];
      if (one) {
        one.name = result.transport;
        one.done++;
        if (isBad(result)) one.bad++;
      }
      if (!screen.live) screen.write(`${resultLine(result, screen)}\n`);
      else paint();
    },
    end() {
      if (screen.live) screen.write(erase());
    },
  };
}

/** How a run went: the matrix, then what failed and how, then the totals in one line. */
export function terminalReport(
  report: Report,
  rules: ExitRules & { readonly written: readonly string[] },
  screen: Screen,
): string {
  const bad = report.results.filter((result) => isBad(result) || result.verdict === "non-strict");
  const under = underGraded(report.results, rules.minGraded);
  return [
    "",
    ...matrix(report, screen),
    ...notJudged(report, screen),
    ...bad.flatMap((result) => ["", ...failure(result, screen)]),
    ...[...new Set(report.results.filter(({ verdict }) => verdict === "blocked").map(blockedLine))].flatMap((line) => [
      "",
      line,
    ]),
    "",
    ...under.map(({ transport, graded }) =>
      screen.style(
        "red",
        `too little was judged on ${transport}: ${graded} of the scenarios, and at least ${Math.max(1, rules.minGraded ?? 1)} are asked for`,
      ),
    ),
    ...versionLines(report, screen),
    ...rules.written.map((file) => `wrote ${file}`),
    ...equivalenceLines(report, screen),
    `seed ${report.seed}, profile ${report.profile}, ${(report.ms / 1000).toFixed(1)} s`,
    screen.style("bold", totalsLine(totalsOf(report.results))),
    "",
  ].join("\n");
}

/** G-09 in a line, and a paragraph for each difference. */
function equivalenceLines({ equivalence }: Report, screen: Screen): string[] {
  if (equivalence.length === 0) return [];
  const different = equivalence.filter(({ differences }) => differences.length > 0);
  const same = `${equivalence.length - different.length} of ${equivalence.length} scenarios look the same on all wires that pass them`;
  return [
    ...different.flatMap(({ scenario, transports, differences }) =>
      differences.flatMap(({ transport, call, here, there }) => [
        screen.style("red", `${scenario} looks otherwise on ${transport} than on ${transports[0]}, at call ${call}:`),
        `  ${transport}: ${here}`,
        `  ${transports[0]}: ${there}`,
      ]),
    ),
    different.length > 0 ? screen.style("red", same) : same,
  ];
}

/** What was tested and with what, a line each: the suite first, then each wire. */
function versionLines({ suite, core, machine, transports, tested }: Report, screen: Screen): string[] {
  const width = Math.max(...transports.map(({ length }) => length));
  const wires = transports.map((wire) => `  ${wire.padEnd(width)}  ${testedLine(tested[wire] ?? {}, core)}`);
  const head = `${suite.name} ${suite.version}, @parley/core ${core}, Node ${machine.node.replace(/^v/, "")}`;
  return [head, ...wires].map((line) => screen.style("gray", line));
}

/** The packages of which the suite has subjects, and which are not installed. */
export function absentLine(absent: readonly string[]): string {
  return `not installed, so not run: ${absent.join(", ")}`;
}

/** The catalogue, for `--list`. */
export function catalogue(scenarios: readonly Scenario[], screen: Screen): string {
  const lines = Object.entries(groups).flatMap(([group, title]) => {
    const own = scenarios.filter((scenario) => scenario.group === group);
    return own.length === 0
      ? []
      : [
          screen.style("bold", `${group}  ${title}`),
          ...own.map(({ id, level, title }) => `  ${id}  ${level.padEnd(6)}  ${title}`),
          "",
        ];
  });
  return `${lines.join("\n")}${scenarios.length} scenarios\n`;
}

/** What became of one mutant. */
export function killLine({ mutant, scenario, killed, result }: Kill, screen: Screen): string {
  const verdict = killed ? screen.style("green", "killed  ") : screen.style("red", "survived");
  return `${verdict}  ${scenario.id}  ${mutant.id} ${screen.style("gray", `(${mutant.fault})  ${result.ms} ms`)}\n`;
}

function matrix({ transports, results }: Report, screen: Screen): string[] {
  const present = Object.entries(groups).filter(([group]) => results.some((result) => result.group === group));
  const titleWidth = Math.max(...present.map(([, title]) => title.length), 8);
  const width = Math.max(...transports.map(({ length }) => length), 11) + 2;
  const head = `${" ".repeat(titleWidth + 7)}${transports.map((name) => screen.style("bold", name.padEnd(width))).join("")}`;
  const rows = present.map(([group, title]) => {
    const cells = transports.map((transport) => cell(results, transport, group as Group, width, screen)); // a key of groups
    return `${screen.style("bold", group.padEnd(5))}${title.padEnd(titleWidth + 2)}${cells.join("")}`.trimEnd();
  });
  return [head.trimEnd(), ...rows];
}

function cell(results: readonly Result[], transport: string, group: Group, width: number, screen: Screen): string {
  const own = results.filter((result) => result.transport === transport && result.group === group);
  const { counts, graded } = totalsOf(own);
  if (own.length === 0) return "".padEnd(width);
  const worst = (["error", "fail", "blocked", "non-strict"] as const).find((verdict) => counts[verdict] > 0);
  if (graded === 0 && worst === undefined)
    return screen.style("gray", (counts.unsupported > 0 ? "unsupported" : "n/a").padEnd(width));
  if (worst === "blocked" && graded === 0) return screen.style("yellow", "blocked".padEnd(width));
  const mark = worst === undefined ? "✓" : worst === "error" ? "!" : "✗";
  const text = `${mark} ${counts.pass}/${own.length - counts["n/a"]}`;
  return screen.style(worst ? styles[worst] : "green", text.padEnd(width));
}

/** Why a cell holds fewer than its group: what the wire declares absent, and what has no meaning on it. */
function notJudged({ results }: Report, screen: Screen): string[] {
  const left = results.filter(({ verdict }) => verdict === "unsupported" || verdict === "n/a");
  const wire = Math.max(...left.map(({ transport }) => transport.length));
  const id = Math.max(...left.map(({ scenario }) => scenario.length));
  const lines = left.map(({ transport, scenario, verdict, message }) =>
    screen.style("gray", `${transport.padEnd(wire)} ${scenario.padEnd(id)} ${verdict.padEnd(11)} ${message}`),
  );
  return lines.length === 0 ? [] : ["", ...lines];
}

function failure(result: Result, screen: Screen): string[] {
  const { transport, scenario, title, verdict, message = "", history = [], ms } = result;
  const from = Math.max(0, history.length - 16);
  return [
    `${screen.style(styles[verdict], verdict.toUpperCase())} ${screen.style("bold", `${transport} ${scenario}`)} (${ms} ms)`,
    `  ${title}`,
    ...message.split("\n").map((line) => `    ${line}`),
    ...(from > 0 ? [screen.style("gray", `      … ${from} earlier entries in the reports`)] : []),
    ...history.slice(from).map(({ at, lane, what, from: sender }) => {
      const who = lane === "wire" ? `wire ${sender === "dialler" ? "→" : "←"}` : lane;
      return screen.style("gray", `      ${at.toFixed(1).padStart(8)} ms  ${who.padEnd(8)} ${what}`);
    }),
  ];
}

function resultLine(result: Result, screen: Screen): string {
  const { transport, scenario, verdict, ms, runs, title } = result;
  const flakes = runs ? ` ${runs.passed}/${runs.total} runs` : "";
  return `${screen.style(styles[verdict], verdict.padEnd(11))} ${transport} ${scenario} ${ms} ms${flakes}  ${screen.style("gray", title)}`;
}

function blockedLine({ transport, message }: Result): string {
  return `${transport} is blocked: ${message}`;
}

function isBad({ verdict }: Result): boolean {
  return verdict === "fail" || verdict === "error";
}
