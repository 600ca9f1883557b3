import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
  it("measures raw and Parley in processes of their own and writes the ratios", { timeout: 60_000 }, async () => {
    const json = join(folder, "bench.json");
    const svg = join(folder, "bench.svg");
    const { code, stdout, stderr } = await bench(
      ...["--wire", "ws", "--measure", "c1,stream", "--size", "small", "--contender", "parley"],
      ...["--quick", "--rounds", "2", "--json", json, "--svg", svg],
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wire +measure +size +contender/);
    const { ratios, absolute, rounds, machine, versions }: BenchDocument = JSON.parse(readFileSync(json, "utf8"));
    const ratio = {
      wire: "ws",
      size: "small",
      median: expect.any(Number),
      min: expect.any(Number),
      max: expect.any(Number),
    };
    expect(ratios).toEqual([
      { ...ratio, measure: "c1" },
      { ...ratio, measure: "stream" },
    ]);
    expect(absolute.map(({ measure, contender }) => `${measure} ${contender}`)).toEqual([
      "c1 raw",
      "c1 parley",
      "stream raw",
      "stream parley",
    ]);
    expect(rounds).toBe(2);
    expect(machine.cpus).toBeGreaterThan(0);
    expect(versions).toMatchObject({ node: process.versions.node, ws: expect.stringMatching(/^8\./) });
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg .*ws · stream · small.*<\/svg>\n$/s);
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
