import { expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { retryBudget } from "./retry-budget.ts";

it("allows a tenth of the calls and ten beside, in any second", () => {
  const { runtime } = manualRuntime();
  const budget = retryBudget({ runtime });
  for (let n = 0; n < 1_000; n++) budget.earn();
  let spent = 0;
  while (budget.spend()) spent++;
  expect(spent).toBe(110);
  expect(budget.stats()).toEqual({ calls: 1_000, spent: 110, left: 0 });
});

it("forgets calls and attempts alike, after its window", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ ratio: 0.5, perSecond: 0, runtime });
  for (let n = 0; n < 100; n++) budget.earn();
  advance(2_000);
  expect([budget.spend(), budget.stats().calls]).toEqual([false, 0]);
});

it("is not overdrawn as calls leave the window before the attempts made for them", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ ratio: 0.1, perSecond: 0, runtime });
  for (let n = 0; n < 100; n++) budget.earn();
  advance(500);
  for (let n = 0; n < 10; n++) expect(budget.spend()).toBe(true);
  advance(600);
  expect(budget.stats()).toEqual({ calls: 0, spent: 10, left: 0 });
});

it("allows one who calls seldom two at first, then no more than there are calls, and two again after a while without", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ runtime });
  const spent = (): number => {
    budget.earn();
    let times = 0;
    while (budget.spend()) times++;
    advance(1_000);
    return times;
  };
  expect([spent(), spent(), spent()]).toEqual([2, 1, 1]);
  for (let n = 0; n < 5; n++) budget.earn();
  advance(5_000);
  expect([spent(), spent()]).toEqual([2, 1]);
});

it("with less than one a second waits until there is one", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ ratio: 0, perSecond: 0.1, runtime });
  expect([budget.spend(), budget.spend()]).toEqual([true, false]);
  advance(8_000);
  expect(budget.spend()).toBe(false);
  advance(2_001);
  expect(budget.spend()).toBe(true);
});

it.each([{ ratio: -0.1 }, { ratio: 2 }, { perCall: 0 }, { perSecond: Number.POSITIVE_INFINITY }])(
  "refuses %j",
  (options) => {
    expect(() => retryBudget(options)).toThrow();
  },
);
