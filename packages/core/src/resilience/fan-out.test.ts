import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failure, turn, watch } from "../../test/policies.ts";
import { failureOf } from "../../test/settling.ts";
import { type Branch, type FanOutOptions, fanOut } from "./fan-out.ts";

type Fate = "answer" | "fail" | "hang";

/** A hundred targets by default, most of which answer. */
function asking(fates: readonly Fate[], options: FanOutOptions) {
  const clock = manualRuntime();
  const branches: Branch[] = [];
  const aborted: number[] = [];
  const result = fanOut(
    fates,
    (fate, branch) => {
      branches.push(branch);
      branch.signal.addEventListener("abort", () => aborted.push(branch.index));
      if (fate === "answer") return branch.index;
      if (fate === "fail") return Promise.reject(failure("rejected", "not_found"));
      return new Promise<never>(() => {});
    },
    { runtime: clock.runtime, ...options },
  );
  const watched = watch(result);
  return { clock, branches, aborted, result, watched };
}

function hundred(failing: number, hanging: number): Fate[] {
  return [
    ...Array<Fate>(failing).fill("fail"),
    ...Array<Fate>(hanging).fill("hang"),
    ...Array<Fate>(100 - failing - hanging).fill("answer"),
  ];
}

describe("a fan-out to a hundred with one that hangs and fifty that fail (I14)", () => {
  it("for all fails with the first failure, and aborts the one that hangs", async () => {
    const { watched, aborted } = asking(hundred(50, 1), { policy: "all", timeoutMs: 100 });
    await turn();
    expect(watched.error).toMatchObject({ code: "not_found", outcome: "unknown" });
    expect(aborted).toContain(50);
  });

  it("for any resolves with the first answer", async () => {
    const { result, aborted, clock } = asking(hundred(50, 1), { policy: "any", timeoutMs: 100 });
    expect((await result).values).toHaveLength(1);
    expect(aborted).toContain(50);
    expect(clock.timers).toBe(0);
  });

  it("for a quorum of 49 resolves, of 50 fails at the deadline, of 51 as soon as it is out of reach", async () => {
    const most = asking(hundred(50, 1), { policy: { quorum: 49 }, timeoutMs: 100 });
    expect((await most.result).values).toHaveLength(49);
    const half = asking(hundred(50, 1), { policy: { quorum: 50 }, timeoutMs: 100 });
    await turn();
    expect(half.watched.state).toBe("pending");
    half.clock.advance(100);
    await turn();
    expect(half.watched.error).toMatchObject({
      code: "deadline_exceeded",
      outcome: "unknown",
      details: { done: 49, failed: 50, pending: 1 },
    });
    const more = asking(hundred(50, 1), { policy: { quorum: 51 }, timeoutMs: 100 });
    await turn();
    expect(more.watched.error).toMatchObject({ code: "not_found" });
    for (const { aborted, clock } of [most, half, more])
      expect([aborted.includes(50), clock.timers]).toEqual([true, 0]);
  });

  it("for what there is resolves at the deadline with that", async () => {
    const { watched, result, aborted, clock } = asking(hundred(50, 1), { policy: "partial", timeoutMs: 100 });
    await turn();
    expect(watched.state).toBe("pending");
    clock.advance(100);
    const { values, branches } = await result;
    expect(values).toEqual(Array.from({ length: 49 }, (_, n) => n + 51));
    expect([branches[0]?.state, branches[50]?.state, branches[99]?.state]).toEqual(["failed", "pending", "done"]);
    expect([aborted, clock.timers]).toEqual([[50], 0]);
  });
});

describe("a fan-out", () => {
  it("for all resolves with all, in the order of the targets", async () => {
    const { result, aborted } = asking(Array(5).fill("answer"), { policy: "all" });
    expect((await result).values).toEqual([0, 1, 2, 3, 4]);
    expect(aborted).toEqual([]);
  });

  it("for any fails when all have failed", async () => {
    expect(await failureOf(asking(["fail", "fail"], { policy: "any" }).result)).toMatchObject({
      code: "not_found",
      outcome: "rejected",
      details: { done: 0, failed: 2, pending: 0 },
    });
  });

  it("to nobody has all there is, and not any", async () => {
    expect((await asking([], { policy: "all" }).result).values).toEqual([]);
    expect((await asking([], { policy: "partial" }).result).values).toEqual([]);
    expect(await failureOf(asking([], { policy: "any" }).result)).toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
    });
  });

  it("asks so many at a time, and no more once it is decided", async () => {
    const hanging = asking(Array(10).fill("hang"), { policy: "all", maxConcurrent: 3 });
    expect(hanging.branches).toHaveLength(3);
    const any = asking(["fail", "answer", ...Array<Fate>(8).fill("hang")], { policy: "any", maxConcurrent: 1 });
    await any.result;
    expect(any.branches).toHaveLength(2);
  });

  it("is given up by its signal, before or after it began", async () => {
    const controller = new AbortController();
    const { watched, aborted, clock } = asking(["hang", "hang"], {
      policy: "all",
      timeoutMs: 50,
      signal: controller.signal,
    });
    controller.abort("enough");
    await turn();
    expect(watched.error).toMatchObject({ code: "cancelled", cause: "enough" });
    expect([aborted, clock.timers]).toEqual([[0, 1], 0]);
    const late = asking(["answer"], { policy: "all", signal: controller.signal });
    expect(await failureOf(late.result)).toMatchObject({ code: "cancelled" });
    expect(late.branches).toEqual([]);
  });

  it("of a quorum of more than there are is refused", async () => {
    expect(await failureOf(asking(["answer"], { policy: { quorum: 2 } }).result)).toMatchObject({
      code: "invalid_argument",
    });
  });
});
