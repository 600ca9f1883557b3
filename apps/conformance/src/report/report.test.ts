import { memory } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import type { Report, Result } from "../result.ts";
import { htmlReport } from "./html.ts";
import { jsonReport } from "./json.ts";
import { junitReport } from "./junit.ts";
import { memoryScreen } from "./screen.ts";
import { terminalProgress, terminalReport } from "./terminal.ts";

const nasty = `<script>alert("1 & 2")</script> ' \u0000 \ud800 ]]>`;

const result = (more: Partial<Result>): Result => ({
  transport: "ws",
  scenario: "RR-01",
  group: "RR",
  level: "must",
  title: "An echo returns the body.",
  verdict: "pass",
  ms: 12,
  witnesses: ["caller", "handler"],
  ...more,
});

const report: Report = {
  suite: { name: "@parley/conformance", version: "1.2.3" },
  core: "4.5.6",
  seed: "abc",
  timeScale: 1,
  profile: "quick",
  equivalence: [],
  machine: { node: "v24.0.0", platform: "linux x64", cpus: 2 },
  startedAt: "2026-01-02T03:04:05.678Z",
  ms: 1234,
  transports: ["memory", "ws"],
  tested: {
    memory: { package: { name: "@parley/core", version: "4.5.6" }, core: "4.5.6" },
    ws: { package: { name: "@parley/transport-ws", version: "7.8.9" }, core: "4.5.0" },
  },
  manifests: { memory: memory().manifest },
  results: [
    result({ transport: "memory" }),
    result({
      transport: "memory",
      scenario: "RR-02",
      verdict: "unsupported",
      message: "declared absent, and refused: kinds.request",
    }),
    result({}),
    result({
      scenario: "RR-02",
      verdict: "fail",
      message: `caller: ${nasty}\n  expected 1\n  observed 2`,
      runs: { passed: 1, total: 2 },
      history: [
        { at: 1.5, lane: "caller", what: "calls conformance.echo.v1", call: "c-1" },
        { at: 2, lane: "wire", what: nasty, from: "dialler" },
        { at: 3, lane: "handler", what: "echo: called", call: "c-1" },
        { at: 4, lane: "wire", what: "reply", from: "listener" },
        { at: 5, lane: "suite", what: "cuts the connection (FIN)" },
      ],
    }),
  ],
};

describe("the JSON report", () => {
  it("holds everything, with totals", () => {
    const read = JSON.parse(jsonReport(report)) as Report & { totals: { counts: Record<string, number> } };
    expect(read).toMatchObject({
      suite: report.suite,
      seed: "abc",
      results: report.results,
      manifests: report.manifests,
    });
    expect(read.totals.counts).toMatchObject({ pass: 2, fail: 1, unsupported: 1 });
  });
});

describe("the JUnit report", () => {
  const xml = junitReport(report);

  it("has a suite per wire with its counts", () => {
    expect(xml).toContain(
      '<testsuite name="parley-conformance.memory" tests="2" failures="0" errors="0" skipped="1" time="0.024"',
    );
    expect(xml).toContain('<testsuite name="parley-conformance.ws" tests="2" failures="1" errors="0" skipped="0"');
  });

  it("escapes what XML cannot hold", () => {
    expect(xml).toContain("&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;");
    expect([...xml].filter((character) => character < " " && !"\n\t".includes(character))).toEqual([]);
    expect(xml.isWellFormed()).toBe(true);
  });
});

describe("the HTML report", () => {
  const page = htmlReport(report);

  it("needs nothing from elsewhere and runs no script of a message", () => {
    expect(page).not.toMatch(/\b(src|srcset)=|@import|url\(|https?:\/\//);
    expect(page).not.toContain("<script>alert");
    expect(page).toContain("&lt;script&gt;alert");
  });

  it("has a tile for every result that leads to its details", () => {
    const targets = [...page.matchAll(/<a class="tile [^>]*href="#([^"]+)"/g)].map(([, id]) => id);
    expect(targets).toEqual(["memory-RR-01", "memory-RR-02", "ws-RR-01", "ws-RR-02"]);
    for (const id of targets) expect(page).toContain(`<article class="detail" id="${id}"`);
  });

  it("names what was tested", () => {
    expect(page).toContain('<th scope="row">ws</th><td>@parley/transport-ws 7.8.9, on @parley/core 4.5.0</td>');
    expect(page).toContain("@parley/conformance 1.2.3, @parley/core 4.5.6, on Node v24.0.0");
  });

  it("draws what happened in a failure", () => {
    expect(page.match(/<svg/g)).toHaveLength(1);
    expect(page).toContain("cuts the connection (FIN)");
    expect(page).toContain("1</em> of 3 expectations does not hold");
  });

  it("marks a flake and tells how often it passed", () => {
    expect(page).toMatch(/class="tile fail flaky"/);
    expect(page).toContain("1 of 2");
  });
});

describe("the terminal", () => {
  it("shows the matrix, the failure with its history, and the totals in one line", () => {
    const screen = memoryScreen();
    const text = terminalReport(report, { written: ["out.html"] }, screen);
    expect(text).toMatch(/^ +memory +ws$/m);
    expect(text).toMatch(/^RR {3}Request and reply +✓ 1\/2 +✗ 1\/2$/m);
    expect(text).toMatch(/^memory RR-02 unsupported /m);
    expect(text).toContain("FAIL ws RR-02 (12 ms)");
    expect(text).toContain("3.0 ms  handler  echo: called");
    expect(text).toContain("wire →");
    expect(text).toContain(
      "@parley/conformance 1.2.3, @parley/core 4.5.6, Node 24.0.0\n  memory  @parley/core 4.5.6\n  ws      @parley/transport-ws 7.8.9, on @parley/core 4.5.0\n",
    );
    expect(text.trimEnd().split("\n").at(-1)).toBe(
      "2 passed, 1 failed, 0 errors, 0 blocked, 1 unsupported, 0 n/a; graded 3 of 4 (75.0 %)",
    );
  });

  it("says which wire was judged too little", () => {
    expect(terminalReport(report, { minGraded: 2, written: [] }, memoryScreen())).toContain(
      "too little was judged on memory: 1 of the scenarios, and at least 2 are asked for",
    );
  });

  it("tells progress by lines where it is no terminal", () => {
    const screen = memoryScreen();
    const progress = terminalProgress(screen, "abc");
    progress.begin(["ws"], [], 1);
    progress.start(0, "RR-01");
    progress.result(0, result({}));
    progress.end();
    expect(screen.text()).toContain("seed abc");
    expect(screen.text()).toMatch(/^pass +ws RR-01 12 ms {2}An echo/m);
    expect(screen.text()).not.toContain("\u001b");
  });
});
