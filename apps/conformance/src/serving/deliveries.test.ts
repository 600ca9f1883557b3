import { expect, it } from "vitest";
import { Deliveries } from "./deliveries.ts";
import { intake, numbered, numberOf } from "./numbered.ts";

it("a box takes a message once, and tells repeats, disorder and keys that were used twice", () => {
  const deliveries = new Deliveries();
  const take = (n: number, window: number, key = `k${n}`) => deliveries.take({ box: "a", n, window }, key);
  expect([take(1, 0), take(2, 0), take(1, 0), take(17, 1), take(3, 0), take(4, 1, "k17")]).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(deliveries.tally("a")).toEqual({ distinct: 4, repeated: 2, disordered: 1, conflicting: 1 });
  expect(deliveries.tally("b")).toEqual({ distinct: 0, repeated: 0, disordered: 0, conflicting: 0 });
});

it("an intake counts what came out of order", async () => {
  async function* items() {
    yield {};
    for (const k of [1, 2, 4, 3, 5]) yield numbered(k, 6);
  }
  const ended: number[] = [];
  const report = await intake(items(), { wait: async () => {}, ended: (count) => ended.push(count) });
  expect(report).toEqual({ count: 5, length: 30, disordered: 3 });
  expect([ended, numberOf(numbered(12, 8)), numberOf(null)]).toEqual([[5], 12, 0]);
});
