import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { turn, watch } from "../../test/policies.ts";
import { failureOf } from "../../test/settling.ts";
import { ParleyError } from "../call/error.ts";
import { type BatchingOptions, type BatchResult, batching } from "./batching.ts";

function batched(
  options: BatchingOptions,
  run?: (items: readonly number[]) => Promise<readonly BatchResult<number>[]>,
) {
  const clock = manualRuntime();
  const batches: (readonly number[])[] = [];
  const add = batching(
    async (items: readonly number[]) => {
      batches.push(items);
      return run ? run(items) : items.map((item) => item * 10);
    },
    { runtime: clock.runtime, ...options },
  );
  return { clock, batches, add };
}

describe("a batch", () => {
  it("leaves when it is full, and gives each caller its own result", async () => {
    const { add, batches, clock } = batched({ maxItems: 3 });
    expect(await Promise.all([1, 2, 3].map(add))).toEqual([10, 20, 30]);
    expect([batches, clock.timers]).toEqual([[[1, 2, 3]], 0]);
  });

  it("leaves when its first item has waited long enough", async () => {
    const { add, batches, clock } = batched({ maxItems: 3, maxWaitMs: 10 });
    const first = add(1);
    clock.advance(9);
    const second = add(2);
    expect(batches).toEqual([]);
    clock.advance(1);
    expect(await Promise.all([first, second])).toEqual([10, 20]);
    expect(batches).toEqual([[1, 2]]);
  });

  it("leaves when it is told to", async () => {
    const { add, clock } = batched({});
    const one = add(1);
    add.flush();
    expect([await one, clock.timers]).toEqual([10, 0]);
  });

  it("fails one item without the others", async () => {
    const error = new ParleyError("not_found", "2");
    const { add } = batched({ maxItems: 3 }, async (items) => items.map((item) => (item === 2 ? error : item)));
    expect((await Promise.allSettled([1, 2, 3].map(add))).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });

  it("that fails as a whole fails each", async () => {
    const { add } = batched({ maxItems: 2 }, () => Promise.reject(new ParleyError("unavailable", "down")));
    for (const one of [add(1), add(2)]) expect(await failureOf(one)).toMatchObject({ code: "unavailable" });
  });

  it("answered with the wrong number of results fails each", async () => {
    const { add } = batched({ maxItems: 2 }, async () => [1]);
    const both = [add(1), add(2)];
    for (const one of both) expect(await failureOf(one)).toMatchObject({ code: "internal", outcome: "unknown" });
  });
});

it("no more items are taken than may be under way", async () => {
  const { add, clock } = batched({ maxItems: 2, maxPending: 4 }, () => new Promise(() => {}));
  for (let n = 0; n < 4; n++) watch(add(n));
  expect(await failureOf(add(5))).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  await turn();
  expect(clock.timers).toBe(0);
});
