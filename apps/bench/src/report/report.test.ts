import { describe, expect, it } from "vitest";
import type { Sample } from "../process/party.ts";
import { chart } from "./chart.ts";
import type { BenchDocument } from "./document.ts";
import { figuresOf } from "./figures.ts";
import { resultsOf } from "./goals.ts";
import { markdown } from "./markdown.ts";
import { tableLines } from "./table.ts";

/** A sample of 1,000 operations. */
function sample(elapsedMs: number, cpuSeconds: number): Sample {
  return { operations: 1_000, elapsedMs, cpuSeconds, residentMiB: 100, peakMiB: 120, p50Ms: 0.1, p99Ms: 0.4 };
}

const figures = figuresOf({
  wire: "ws",
  measure: "c64",
  size: "small",
  samples: {
    raw: [sample(100, 0.1), sample(200, 0.2), sample(100, 0.1)],
    parley: [sample(40, 0.06), sample(100, 0.1), sample(50, 0.08)],
    typed: [sample(50, 0.05), sample(100, 0.1), sample(50, 0.05)],
    resilient: [sample(50, 0.05), sample(125, 0.1), sample(50, 0.05)],
  },
});

const besideOthers = [
  ...figuresOf({
    wire: "ws",
    measure: "c64",
    size: "small",
    samples: {
      raw: [sample(100, 0.1), sample(200, 0.2), sample(100, 0.1)],
      parley: [sample(50, 0.05), sample(100, 0.1), sample(50, 0.05)],
      trpc: [sample(250, 0.2), sample(500, 0.4), sample(150, 0.2)],
      rsocket: [sample(100, 0.1), sample(200, 0.2), sample(100, 0.1)],
    },
  }),
  ...figuresOf({
    wire: "grpc",
    measure: "c64",
    size: "small",
    samples: {
      raw: [sample(100, 0.1)],
      parley: [sample(10, 0.01)],
      native: [sample(100, 0.1)],
      connect: [sample(400, 0.4)],
    },
  }),
];

const document: BenchDocument = {
  version: 1,
  createdAt: "2026-11-21T12:00:00.000Z",
  rounds: 9,
  scale: 1,
  machine: { cpu: "Abacus <1>", cpus: 2, memoryGiB: 8, platform: "linux x64" },
  versions: { node: "24.0.0", v8: "13", ws: "8.0.0" },
  figures,
  growth: [
    {
      wire: "ws",
      curve: "connections",
      contender: "parley",
      points: [
        { at: 1, elapsedUs: 10, cpuUs: 10, residentMiB: 80 },
        { at: 5_000, elapsedUs: 25, cpuUs: 10, residentMiB: 300 },
      ],
    },
    { wire: "ws", curve: "connections", contender: "raw", points: [], ended: "EMFILE" },
  ],
  footprints: [
    { wire: "core", contender: "parley", importMs: { median: 9, min: 8, max: 11 }, packages: 2, bytes: 204_800 },
  ],
  allocations: [{ wire: "ws", contender: "raw", requestBytes: 10_000.4, itemBytes: 4_000 }],
  profiles: [
    {
      wire: "ws",
      measure: "c64",
      size: "small",
      contender: "parley",
      busyUs: { system: 2, node: 1, library: 0.5, events: 3, calls: 2, bench: 0.25, garbage: 1.25 },
      idle: { calling: 0.1, serving: 0.254 },
    },
  ],
};

describe("figures", () => {
  it("compare round by round: with raw, and policies with none", () => {
    const [raw, parley, , resilient] = figures;
    expect(raw).toMatchObject({ contender: "raw", perSecond: 10_000, cpuSecondsPer100k: 10 });
    expect(raw?.toRaw).toBeUndefined();
    expect(parley?.toRaw?.speed).toEqual({ median: 2, min: 2, max: 2.5 });
    expect(parley?.toRaw?.cpu.median).toBeCloseTo(0.6);
    expect(resilient?.toTyped?.speed).toEqual({ median: 1, min: 0.8, max: 1 });
  });

  it("compare Parley with other frameworks round by round", () => {
    const trpc = besideOthers.find(({ contender }) => contender === "trpc");
    expect(trpc?.toRaw?.speed).toEqual({ median: 0.4, min: 0.4, max: expect.closeTo(2 / 3) });
    expect(trpc?.parleyTo).toEqual({
      parley: { speed: { median: 5, min: 3, max: 5 }, cpu: { median: 0.25, min: 0.25, max: 0.25 } },
    });
    const connect = besideOthers.find(({ contender }) => contender === "connect");
    expect(Object.entries(connect?.parleyTo ?? {}).map(([name, { speed }]) => [name, speed.median])).toEqual([
      ["parley", 40],
      ["native", 4],
    ]);
    expect(besideOthers.find(({ contender }) => contender === "parley")?.parleyTo).toBeUndefined();
  });

  it("of other frameworks have the goals of Parley beside them", () => {
    const goals = besideOthers.flatMap(resultsOf).filter(({ beside }) => beside);
    expect(goals.map(({ beside, contender, bound, isMet }) => [beside, contender, bound, isMet])).toEqual([
      ["trpc", "parley", 4, true],
      ["rsocket", "parley", 2.4, false],
      ["connect", "native", 3.3, true],
      ["connect", "parley", 15, true],
    ]);
  });

  it("are held to the goals", () => {
    const [raw, parley] = figures.map(resultsOf);
    expect(raw).toEqual([]);
    expect(parley?.map(({ of, bound, isMet }) => [of, bound, isMet])).toEqual([
      ["speed", 2, true],
      ["cpu", 0.55, false],
    ]);
  });

  it("are lines in the terminal, with the goals", () => {
    const [, parley] = tableLines(figures).split("\n");
    expect(parley).toMatch(/^ws +c64 +small +parley +2\.00 \(2\.00–2\.50\).*speed ≥ 2 met, cpu ≤ 0\.55 MISSED$/);
    const lines = tableLines(besideOthers).split("\n");
    expect(lines[2]).toMatch(/^ws +c64 +small +trpc .* parley 5\.00 \(3\.00–5\.00\) times it, parley ≥ 4 met$/);
    expect(lines[3]).toMatch(/parley 2\.00 \(2\.00–2\.00\) times it, parley ≥ 2\.4 MISSED$/);
  });
});

describe("the page", () => {
  const page = markdown(document, "performance.svg");

  it("says on what machine, and shows the chart", () => {
    expect(page).toContain("Measured on 2026-11-21: 2 × Abacus <1>, 8 GiB, linux x64, Node 24.0.0, loopback, 9 rounds");
    expect(page).toContain("](performance.svg)");
  });

  it("marks goals, and lists those that were missed", () => {
    expect(page).toContain("| ws |  | **2.00** (2.00–2.50) ✓ ≥ 2 |  |  |  | **0.60** (0.50–0.80) ✗ ≤ 0.55 |");
    expect(page).toContain("- ws, c64, small: 0.60, and the goal is CPU ≤ 0.55");
  });

  it("puts Parley beside other frameworks, with their versions", () => {
    const versions = { ...document.versions, "@trpc/server": "11.0.0", "@connectrpc/connect": "2.0.0" };
    const beside = markdown({ ...document, figures: besideOthers, versions }, "a.svg");
    expect(beside).toContain("| ws | tRPC | 11.0.0 |  | **5.00** (3.00–5.00) ✓ ≥ 4 |  |");
    expect(beside).toContain("| ws | rsocket-js |  |  | **2.00** (2.00–2.00) ✗ ≥ 2.4 |  |");
    expect(beside).toContain("| grpc | Connect | 2.0.0 |  | **40.00** (40.00–40.00) ✓ ≥ 15 |  |");
    expect(beside).toContain("| grpc, native | Connect | 2.0.0 |  | **4.00** (4.00–4.00) ✓ ≥ 3.3 |  |");
    expect(beside).toContain("- ws, c64, small: 2.00 × rsocket-js, and the goal is ≥ 2.4");
    expect(page).not.toContain("Beside other frameworks");
  });

  it("marks what grows, and says what ended", () => {
    expect(page).toContain("| ws | connections | parley | 1 → 5,000 | 10.0 | 10.0 | 25.0 | 2.50 ✗ | 300 |  |");
    expect(page).toContain("| ws | connections | raw | – → – | – | – | – | – | – | EMFILE |");
  });

  it("leaves out what was not measured", () => {
    const bare = markdown({ ...document, figures: [], growth: [], allocations: [], profiles: [] }, "a.svg");
    expect(bare.match(/^## .*/gm)).toEqual(["## Import and size"]);
  });

  it("warns of a short run", () => {
    const warning = "This was a short run";
    expect(page).not.toContain(warning);
    expect(markdown({ ...document, rounds: 2 }, "a.svg")).toContain(warning);
    expect(markdown({ ...document, scale: 0.02 }, "a.svg")).toContain(warning);
  });
});

describe("the chart", () => {
  it("is well-formed, with what was measured", () => {
    const svg = chart(document);
    expect(svg).toContain("2 × Abacus &lt;1&gt;");
    expect(svg).toContain("2.00 (2.00–2.50)");
    expect(svg).toContain("time by connections");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const opened = svg.match(/<(?!\/)[a-z]+[^>]*[^/]>/g) ?? [];
    const closed = svg.match(/<\/[a-z]+>/g) ?? [];
    expect(opened).toHaveLength(closed.length);
  });
});
