import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { BenchDocument } from "./report/document.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));

afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | string | undefined | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: readonly string[]): Promise<Ended> {
  const cli = join(import.meta.dirname, "cli.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

describe("bench", () => {
  it("measures raw and Parley in processes of their own, and writes and shows again what came of it", {
    timeout: 60_000,
  }, async () => {
    const json = join(folder, "bench.json");
    const { code, stdout, stderr } = await bench(
      ...["--wire", "ws", "--measure", "c1,stream,in-flight", "--contender", "parley", "--quick", "--json", json],
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wire +measure +size +contender/);
    const { figures, growth, rounds, machine, versions }: BenchDocument = JSON.parse(readFileSync(json, "utf8"));
    expect(figures.map(({ measure, contender }) => `${measure} ${contender}`)).toEqual([
      "c1 raw",
      "c1 parley",
      "stream raw",
      "stream parley",
    ]);
    const ratio = { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) };
    expect(figures[1]).toMatchObject({ wire: "ws", size: "small", toRaw: { speed: ratio, cpu: ratio } });
    expect(figures[0]?.toRaw).toBeUndefined();
    expect(growth.map(({ curve, contender, points }) => [curve, contender, points.length])).toEqual([
      ["in-flight", "raw", 4],
      ["in-flight", "parley", 4],
    ]);
    expect(rounds).toBe(2);
    expect(machine.cpus).toBeGreaterThan(0);
    expect(versions).toMatchObject({ node: process.versions.node, ws: expect.stringMatching(/^8\./) });

    const shown = await bench("--from", json, "--docs", join(folder, "docs"));
    expect(shown).toEqual({ code: 0, stdout: "", stderr: "" });
    const [page, chart, again] = ["performance.md", "performance.svg", "performance.json"].map((name) =>
      readFileSync(join(folder, "docs", name), "utf8"),
    );
    expect(page).toContain("![Ratios of Parley to raw code, and how cost grows](performance.svg)");
    expect(chart).toMatch(/^<svg .*requests in flight.*<\/svg>\n$/s);
    expect(again).toBe(readFileSync(json, "utf8"));
  });

  it("measures other frameworks where they have the wire and the measure, with small events", {
    timeout: 60_000,
  }, async () => {
    const json = join(folder, "others.json");
    const { code } = await bench(
      ...["--wire", "ws,http", "--measure", "c64,stream,pubsub", "--contender", "batched,trpc-batch,rsocket"],
      ...["--quick", "--size", "small,large", "--json", json],
    );
    expect(code).toBe(0);
    const { figures, versions }: BenchDocument = JSON.parse(readFileSync(json, "utf8"));
    const others = figures.filter(({ contender }) => contender !== "raw" && contender !== "batched");
    expect(others.map(({ wire, measure, size, contender }) => `${wire} ${measure} ${size} ${contender}`)).toEqual([
      "ws c64 small rsocket",
      "ws stream small rsocket",
      "http c64 small trpc-batch",
    ]);
    expect(others.map(({ parleyTo }) => Object.keys(parleyTo ?? {}))).toEqual([[], [], ["batched"]]);
    expect(versions).toMatchObject({
      "@trpc/server": expect.stringMatching(/^11\./),
      "rsocket-core": expect.stringMatching(/^1\./),
      "@modelcontextprotocol/server": expect.stringMatching(/^2\./),
    });
  });

  it("shows no file that holds no figures", async () => {
    const file = join(folder, "other.json");
    writeFileSync(file, "{}");
    const { code, stderr } = await bench("--from", file);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file} holds no figures of this benchmark`);
  });

  it("ends with code 2 for a flag that does not exist", async () => {
    const { code, stderr } = await bench("--fast");
    expect(code).toBe(2);
    expect(stderr).toContain("Unknown option '--fast'; the options are --wire");
    expect(stderr).toContain("--help");
  });

  it("says before it measures that a file cannot be written", async () => {
    const { code, stdout, stderr } = await bench("--json", join(folder, "missing", "bench.json"));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("there is no folder");
  });

  it("explains itself", async () => {
    const { code, stdout } = await bench("--help");
    expect(code).toBe(0);
    expect(stdout).toContain("pnpm bench [options]");
  });
});
