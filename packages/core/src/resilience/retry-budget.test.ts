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

it("allows one who calls seldom as many as a call may take at first, then no more than there are calls, and as many again after a while without", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ perCall: 2, runtime });
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

it("allows no more in a second than there are calls, whatever was saved up before", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ runtime });
  let spent = 0;
  for (let call = 0; call < 15; call++) {
    budget.earn();
    // What goes well costs nothing, until nothing does.
    if (call >= 10) while (budget.spend()) spent++;
    advance(200);
  }
  expect(spent).toBe(5);
});

it("with less than one a second waits until there is one", () => {
  const { runtime, advance } = manualRuntime();
  const budget = retryBudget({ ratio: 0, perSecond: 0.1, perCall: 2, runtime });
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
