import { describe, expect, it } from "vitest";
import { comparisonJson, comparisonText } from "../report/comparison.ts";
import { memoryScreen } from "../report/screen.ts";
import { scenarios } from "../scenarios/index.ts";
import type { Verdict } from "../verdict.ts";
import type { Certificate } from "./certificate.ts";
import { compareCertificates } from "./compare.ts";

const certificate = (results: Record<string, Verdict>, more: Partial<Certificate> = {}): Certificate => ({
  ...{ $schema: "", certificate: 1, suite: { name: "@parley/conformance", version: "1.0.0" }, wire: "ws" },
  ...{ package: { name: "@parley/transport-ws", version: "1.0.0" }, core: null, broker: null, server: null },
  ...{ node: "v24.0.0", platform: "linux x64", profile: "quick", seed: "7", issued: "", status: "conforms" },
  ...{ catalogue: 1, counts: { pass: 0, fail: 0, "non-strict": 0, error: 0, blocked: 0, unsupported: 0, "n/a": 0 } },
  digest: "sha256:0",
  results,
  ...more,
});

const turn = (before: Verdict, after: Verdict): string => {
  const { worse, better, changed, same } = compareCertificates(
    certificate({ "RR-01": before }),
    certificate({ "RR-01": after }),
  );
  return worse.length > 0 ? "worse" : better.length > 0 ? "better" : changed.length > 0 ? "changed" : `${same} same`;
};

/** As much of it as a line has room for. */
const title = (id: string): string => `${scenarios.find((one) => one.id === id)?.title.slice(0, 71)}…`;

describe("comparing", () => {
  it.each([
    ["pass", "fail", "worse"],
    ["pass", "blocked", "worse"],
    ["pass", "unsupported", "worse"],
    ["pass", "n/a", "worse"],
    ["pass", "non-strict", "worse"],
    ["unsupported", "error", "worse"],
    ["fail", "unsupported", "better"],
    ["non-strict", "pass", "better"],
    ["fail", "blocked", "changed"],
    ["unsupported", "n/a", "changed"],
    ["fail", "fail", "1 same"],
  ] as const)("%s and then %s is %s", (before, after, expected) => {
    expect(turn(before, after)).toBe(expected);
  });

  const first = certificate({ "RR-01": "pass", "RR-02": "fail", "RR-04": "pass", "SS-01": "pass", "ZZ-01": "pass" });
  const second = certificate(
    { "RR-01": "fail", "RR-02": "pass", "RR-04": "pass", "SS-01": "n/a", "SS-02": "fail" },
    { package: { name: "@parley/transport-ws", version: "1.1.0" }, status: "fails" },
  );
  const comparison = compareCertificates(first, second);

  it("tells the sum, of what, and each scenario that is not as it was, the worst first", () => {
    expect(comparisonText(comparison, [first, second], memoryScreen())).toBe(
      `2 worse, 1 better, 0 changed, 1 new, 1 gone, 1 the same
ws, @parley/transport-ws 1.0.0 → 1.1.0, @parley/conformance 1.0.0, profile quick, conforms → fails

worse
  RR-01    pass → fail  ${title("RR-01")}
  SS-01    pass → n/a   ${title("SS-01")}

better
  RR-02    fail → pass  ${title("RR-02")}

new
  SS-02    fail         ${title("SS-02")}

gone
  ZZ-01    pass         not in this version of the suite
`,
    );
  });

  it("cuts off long lists and says how many are left", () => {
    const many = certificate(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`ZZ-${10 + at}`, "pass"])));
    const text = comparisonText(compareCertificates(many, certificate({})), [many, certificate({})], memoryScreen());
    expect(text).toContain("30 gone");
    expect(text).toMatch(/ZZ-29 [^\n]*\n {2}… and 10 more\n$/);
  });

  it("gives programs all of it", () => {
    const json = JSON.parse(comparisonJson(comparison, [first, second])) as Record<string, unknown>;
    expect(json).toMatchObject({
      before: { wire: "ws", package: { version: "1.0.0" }, status: "conforms", digest: "sha256:0" },
      after: { package: { version: "1.1.0" }, status: "fails" },
      worse: [
        { scenario: "RR-01", before: "pass", after: "fail" },
        { scenario: "SS-01", before: "pass", after: "n/a" },
      ],
      better: [{ scenario: "RR-02", before: "fail", after: "pass" }],
      changed: [],
      new: [{ scenario: "SS-02", after: "fail" }],
      gone: [{ scenario: "ZZ-01", before: "pass" }],
      same: 1,
    });
  });
});
