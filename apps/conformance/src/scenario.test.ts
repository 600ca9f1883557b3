import { type CallKind, callKinds, type Manifest, memory } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { mutants } from "./mutants/index.ts";
import { groups, missing } from "./scenario.ts";
import { scenarios, selectScenarios } from "./scenarios/index.ts";

/** How many rows each group of the catalogue has. */
const rows = {
  ENV: 8,
  BIN: 3,
  RR: 8,
  SS: 6,
  CS: 4,
  BD: 3,
  PS: 7,
  HS: 5,
  ERR: 5,
  DL: 6,
  BP: 4,
  ORD: 2,
  CON: 3,
  LIM: 4,
  REC: 10,
  DUP: 3,
  AUTH: 6,
  MAL: 7,
  FLT: 9,
  BRK: 6,
  PRC: 5,
};

describe("the catalogue", () => {
  it("has every row of its groups, in order, once", () => {
    const expected = Object.entries(rows).flatMap(([group, count]) =>
      Array.from({ length: count }, (_, at) => `${group}-${String(at + 1).padStart(2, "0")}`),
    );
    expect(scenarios.map(({ id }) => id)).toEqual(expected);
    expect(Object.keys(groups)).toEqual(Object.keys(rows));
  });

  it("files every scenario under the group of its id, with a title that is a sentence", () => {
    for (const { id, group, title } of scenarios) {
      expect(id.startsWith(`${group}-`)).toBe(true);
      expect(title).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  it("has a mutant for every MUST, and no mutant for nothing", () => {
    const named = scenarios.flatMap(({ id, mutants: own }) => own.map((mutant) => [mutant, id]));
    expect(named.sort()).toEqual(mutants.map(({ id, kills }) => [id, kills]).sort());
    expect(scenarios.filter(({ level, mutants: own }) => level === "must" && own.length === 0)).toEqual([]);
  });

  it("is chosen from by group and by id, in any case", () => {
    expect(selectScenarios(["bin", "RR-02"]).map(({ id }) => id)).toEqual(["BIN-01", "BIN-02", "BIN-03", "RR-02"]);
    expect(() => selectScenarios(["RR-99", "XX"])).toThrow(/no scenario or group RR-99, XX; groups are ENV, BIN/);
  });
});

describe("what applies to a wire", () => {
  it("only grows when the wire declares more (G-04)", () => {
    const full = memory().manifest;
    const lost: string[] = [];
    for (const less of lattice(full)) {
      const applies = scenarios.filter(({ needs }) => missing(needs, less).length === 0);
      for (const more of declaringMore(less, full)) {
        for (const { id, needs } of applies) if (missing(needs, more).length > 0) lost.push(id);
      }
    }
    expect(lost).toEqual([]);
  });

  it("is everything for a wire that declares everything", () => {
    const full: Manifest = { ...memory().manifest, resume: "session" };
    expect(scenarios.flatMap(({ needs }) => missing(needs, full))).toEqual([]);
  });
});

/** Every manifest that declares some of what the full one does. */
function lattice(full: Manifest): readonly Manifest[] {
  const switches = callKinds.length + 3;
  return Array.from({ length: 2 ** switches }, (_, bits) => {
    const on = (at: number): boolean => (bits & (1 << at)) !== 0;
    return {
      ...full,
      kinds: Object.fromEntries(callKinds.map((kind, at) => [kind, on(at) ? "native" : "none"])) as Record<
        CallKind,
        "native" | "none"
      >,
      serverInitiated: on(callKinds.length),
      wildcards: on(callKinds.length + 1),
      cancel: on(callKinds.length + 2) ? "peer" : "local",
    };
  });
}

/** The manifests that declare one thing more. */
function declaringMore(manifest: Manifest, full: Manifest): readonly Manifest[] {
  return [
    ...callKinds
      .filter((kind) => manifest.kinds[kind] === "none")
      .map((kind): Manifest => ({ ...manifest, kinds: { ...manifest.kinds, [kind]: "emulated" } })),
    ...(manifest.serverInitiated ? [] : [{ ...manifest, serverInitiated: full.serverInitiated }]),
    ...(manifest.wildcards ? [] : [{ ...manifest, wildcards: full.wildcards }]),
    ...(manifest.cancel === "peer" ? [] : [{ ...manifest, cancel: full.cancel }]),
  ];
}
