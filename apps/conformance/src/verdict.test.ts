import { describe, expect, it } from "vitest";
import { exitCodeOf, totalsLine, totalsOf, underGraded, type Verdict } from "./verdict.ts";

const of = (...verdicts: readonly Verdict[]) => verdicts.map((verdict) => ({ transport: "wire", verdict }));

describe("totals", () => {
  it("show skipped and blocked work in the same line as passed", () => {
    expect(totalsLine(totalsOf(of("pass", "pass", "fail", "blocked", "unsupported", "n/a", "error")))).toBe(
      "2 passed, 1 failed, 1 errors, 1 blocked, 1 unsupported, 1 n/a; graded 3 of 6 (50.0 %)",
    );
  });

  it("are 0 %, not 100 %, when nothing was graded", () => {
    expect(totalsOf([]).gradedPercent).toBe(0);
    expect(totalsOf(of("n/a")).gradedPercent).toBe(0);
    expect(totalsOf(of("unsupported", "blocked")).gradedPercent).toBe(0);
  });
});

describe("the exit code", () => {
  it("is 0 when all that applies holds", () => {
    expect(exitCodeOf(of("pass", "unsupported", "n/a"))).toBe(0);
  });

  it("is 1 for a failure and for a wire that was blocked", () => {
    expect(exitCodeOf(of("pass", "fail"))).toBe(1);
    expect(exitCodeOf(of("pass", "blocked"))).toBe(1);
  });

  it("is 2 for an error, whatever else there is", () => {
    expect(exitCodeOf(of("pass", "fail", "error"))).toBe(2);
  });

  it("is 1 when nothing was graded, on any wire or at all", () => {
    expect(exitCodeOf([])).toBe(1);
    expect(exitCodeOf(of("unsupported", "unsupported"))).toBe(1);
    expect(exitCodeOf([...of("pass"), { transport: "other", verdict: "unsupported" }])).toBe(1);
  });

  it("is 1 when fewer were graded than asked for", () => {
    expect(exitCodeOf(of("pass", "pass"), { minGraded: 2 })).toBe(0);
    expect(exitCodeOf(of("pass", "unsupported"), { minGraded: 2 })).toBe(1);
    expect(underGraded(of("pass", "unsupported"), 2)).toEqual([{ transport: "wire", graded: 1 }]);
  });

  it("counts what is non-strict only when asked to be strict", () => {
    expect(exitCodeOf(of("pass", "non-strict"))).toBe(0);
    expect(exitCodeOf(of("pass", "non-strict"), { strict: true })).toBe(1);
  });
});
