import { expect, it } from "vitest";
import { SlidingWindow } from "./sliding-window.ts";

it("is the same as a list of instants, to the width of a bucket", () => {
  let seed = 3;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const window = new SlidingWindow(1_000, 2);
  const seen: { readonly kind: number; readonly at: number }[] = [];
  for (let step = 0, now = 5; step < 2_000; step++, now += random() ** 8 * 3_000) {
    const kind = random() < 0.3 ? 1 : 0;
    window.add(kind, now);
    seen.push({ kind, at: now });
    // Ten buckets of 100 ms, of which the one being filled is the last.
    const from = (Math.floor(now / 100) - 9) * 100;
    const recent = seen.slice(-5_000).filter(({ at }) => at >= from);
    expect([window.sum(0, now), window.sum(1, now)]).toEqual(
      [0, 1].map((one) => recent.filter(({ kind }) => kind === one).length),
    );
  }
});

it("of nothing is empty, at any time", () => {
  const window = new SlidingWindow(1_000, 1);
  expect([0, 1e9, 5].map((now) => window.sum(0, now))).toEqual([0, 0, 0]);
});
