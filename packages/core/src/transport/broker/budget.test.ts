import { describe, expect, it } from "vitest";
import { type BudgetWindow, CreditBudget, INBOX_BUDGET } from "./budget.ts";

const most = { items: 256, bytes: 256 * 1024 };

/** A stream whose items all arrive, and are all read, as soon as they may. */
function pump(window: BudgetWindow, items: number): number {
  let sent = 0;
  while (sent < items && sent < window.granted.items) {
    sent++;
    window.received(1, 100);
    window.taken(100);
  }
  return sent;
}

describe("the credit of an inbox", () => {
  it("starts a stream with part of what is left, and lets it grow to its window", () => {
    const budget = new CreditBudget();
    const window = budget.open(most);
    expect(window.granted.items).toBe(64);
    expect(pump(window, 10_000)).toBe(10_000);
    expect(window.granted.items - 10_000).toBeGreaterThanOrEqual(128);
    expect(window.granted.items - 10_000).toBeLessThanOrEqual(256);
    window.close();
    window.close();
    expect(budget.outstanding).toEqual({ items: 0, bytes: 0 });
  });

  it("is shared: streams that nobody sends on leave something for those that come later", () => {
    const budget = new CreditBudget();
    const idle = Array.from({ length: 10 }, () => budget.open(most));
    expect(Math.min(...idle.map(({ granted }) => granted.items))).toBeGreaterThan(10);
    expect(budget.outstanding.items).toBeLessThan(INBOX_BUDGET.items);
  });

  it("lets a stream move on when idle ones have it all", () => {
    const budget = new CreditBudget();
    for (let n = 0; n < 60; n++) budget.open(most);
    expect(budget.left.items).toBe(0);
    expect(pump(budget.open(most), 100)).toBe(100);
  });

  it("never exceeds the budget by more than an item a stream, and every stream moves on", () => {
    const budget = new CreditBudget();
    const windows = Array.from({ length: 200 }, () => budget.open(most));
    for (let round = 0; round < 20; round++) {
      for (const window of windows) expect(pump(window, 3)).toBeGreaterThan(0);
      expect(budget.outstanding.items).toBeLessThanOrEqual(INBOX_BUDGET.items + windows.length);
    }
    for (const window of windows) window.close();
    expect(budget.outstanding).toEqual({ items: 0, bytes: 0 });
  });

  it("stops a stream whose reader stalls at its window", () => {
    const window = new CreditBudget().open({ items: 8, bytes: 10_000 });
    for (let n = 0; n < window.granted.items; n++) window.received(1, 10);
    expect(window.granted.items).toBe(8);
    expect(window.taken(10)).toBeUndefined();
  });

  it("counts bytes as well", () => {
    const budget = new CreditBudget({ items: 512, bytes: 8_000 });
    const window = budget.open(most);
    expect(window.granted.bytes).toBe(1_024);
    window.received(1, 5_000);
    expect(window.taken(5_000)).toEqual({ items: expect.any(Number), bytes: 13_000 });
    expect(budget.outstanding.bytes).toBe(8_000);
  });
});
