import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Report, Result } from "../result.ts";
import { scenarios } from "../scenarios/index.ts";
import type { Verdict } from "../verdict.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type Certificate, certificateText, certify } from "./certificate.ts";
import { readCertificate } from "./read.ts";

const schemaText = await readFile(join(import.meta.dirname, "../../certificate.schema.json"), "utf8");
const schema = z.fromJSONSchema(JSON.parse(schemaText) as Parameters<typeof z.fromJSONSchema>[0]);

function reportOf(verdictOf: (at: number) => Verdict, count: number = scenarios.length): Report {
  const results = scenarios.slice(0, count).map(
    ({ id, group, level, title }, at): Result => ({
      ...{ transport: "ws", scenario: id, group, level, title, ms: 1, witnesses: [] },
      verdict: verdictOf(at),
    }),
  );
  return {
    suite: { name: "@parley/conformance", version: "1.2.3" },
    core: "1.0.0",
    seed: "7",
    timeScale: 1,
    profile: "quick",
    machine: { node: "v24.0.0", platform: "linux x64", cpus: 2 },
    startedAt: "2026-01-02T03:04:05.678Z",
    ms: 1,
    transports: ["ws"],
    tested: { ws: { package: { name: "@parley/transport-ws", version: "2.0.0" }, core: "1.1.0" } },
    manifests: {},
    results,
    equivalence: [],
  };
}

const whole = certify(
  reportOf((at) => (at === 3 ? "n/a" : "pass")),
  "ws",
);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-certificate-"));
});
afterAll(() => rm(directory, { recursive: true }));

describe("a certificate", () => {
  it("tells what was tested and what became of it, as its published schema says", () => {
    expect(whole).toMatchObject({
      ...{ wire: "ws", core: "1.1.0", broker: null, server: null, seed: "7", profile: "quick", status: "conforms" },
      suite: { name: "@parley/conformance", version: "1.2.3" },
      package: { name: "@parley/transport-ws", version: "2.0.0" },
      catalogue: scenarios.length,
    });
    expect(whole.counts).toMatchObject({ pass: scenarios.length - 1, "n/a": 1, fail: 0 });
    expect(schema.parse(JSON.parse(certificateText(whole)))).toEqual(whole);
    expect(whole.$schema).toBe((JSON.parse(schemaText) as { $id: string }).$id);
    const bare = certify({ ...reportOf(() => "pass"), tested: {} }, "ws");
    expect(schema.parse(bare)).toMatchObject({ package: null, core: null });
    for (const wrong of [
      { ...whole, status: "fine" },
      { ...whole, digest: "md5:1" },
      { ...whole, more: 1 },
    ])
      expect(schema.safeParse(wrong).success).toBe(false);
  });

  it("conforms only when the whole catalogue was judged and nothing fails", () => {
    const status = (verdictOf: (at: number) => Verdict, count?: number): string =>
      certify(reportOf(verdictOf, count), "ws").status;
    expect(status(() => "pass", 5)).toBe("incomplete");
    expect(status((at) => (at === 2 ? "blocked" : "pass"))).toBe("incomplete");
    expect(status((at) => (at === 2 ? "error" : "pass"))).toBe("incomplete");
    expect(status(() => "n/a")).toBe("incomplete");
    expect(status((at) => (at === 2 ? "non-strict" : "pass"))).toBe("conforms");
    expect(status((at) => (at === 2 ? "fail" : at === 3 ? "blocked" : "pass"))).toBe("fails");
  });

  it("has the digest of its RFC 8785 form, and sorted keys in its file", () => {
    const { digest, ...content } = whole;
    // The form's own example of what is sorted how (RFC 8785, 3.2.3).
    expect(canonicalJson({ "\u20ac": 1, "\r": 2, "1": [true, null], "\ud83d\ude00": 3, "\ufb33": 4e21 })).toBe(
      '{"\\r":2,"1":[true,null],"€":1,"😀":3,"\ufb33":4e+21}',
    );
    expect(digest).toBe(`sha256:${createHash("sha256").update(canonicalJson(content)).digest("hex")}`);
    const keys = [...certificateText(whole).matchAll(/^ {2}"([^"]+)"/gm)].map(([, key]) => key);
    expect(keys).toEqual([...keys].sort());
    expect(keys).toContain("digest");
  });

  it.each([[undefined], [Number.NaN], ["\ud800"], [() => 1]])("has no place for %s", (value) => {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  });
});

describe("reading a certificate", () => {
  const write = async (text: string): Promise<void> => writeFile(join(directory, "one.json"), text);
  const read = (): Promise<Certificate> => readCertificate("one.json", directory);

  it("gives what was written, also when only its form has changed", async () => {
    await write(certificateText(whole));
    expect(await read()).toEqual(whole);
    await write(JSON.stringify(Object.fromEntries(Object.entries(whole).reverse())));
    expect(await read()).toEqual(whole);
  });

  it("refuses one that was changed, and says so", async () => {
    await write(certificateText(whole).replace('"RR-01": "pass"', '"RR-01": "fail"'));
    await expect(read()).rejects.toThrow(/^one\.json was changed after it was written: its digest is sha256:/);
  });

  it.each([
    ["{", /one\.json is no JSON/],
    ["[]", /one\.json is no certificate: it has no certificate key; --certificate <dir> writes one/],
    [JSON.stringify({ ...whole, certificate: 2 }), /its form is 2, and this suite knows 1/],
    [JSON.stringify({ ...whole, wire: 1 }), /its wire is no text/],
    [JSON.stringify({ ...whole, suite: null }), /its suite has no name/],
    [JSON.stringify({ ...whole, package: {} }), /its package has no name/],
    [JSON.stringify({ ...whole, results: [] }), /it has no results/],
    [JSON.stringify({ ...whole, results: { "RR-01": "fine" } }), /its result of RR-01 is "fine"/],
  ])("says of %s what is wrong with it", async (text, message) => {
    await write(text);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toThrow(RangeError);
  });

  it("says that there is no such file", async () => {
    await expect(readCertificate("nowhere.json", directory)).rejects.toThrow(
      "nowhere.json cannot be read: there is no such file",
    );
  });
});
