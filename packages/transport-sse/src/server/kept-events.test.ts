import { expect, test } from "vitest";
import { type KeptBounds, KeptEvents } from "./kept-events.ts";

/** Counts what is kept of all streams, and lets it be so many bytes. */
class Budget {
  bytes = 0;
  #most: number;

  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  keeps(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes > this.#most;
  }
}

/** Length of an event of one item, as it is kept: with `id: s.1\n` before it. */
const EVENT_BYTES = 10;
const ID_BYTES = 8;

/** The events that follow after so many items, by what they say. */
function textsAfter(kept: KeptEvents, items: number): readonly string[] | undefined {
  const text = kept.after(items);
  return text?.match(/(?<=\nd).*(?=\n)/g) ?? (text === undefined ? undefined : []);
}

/** Keeps events of one item, `d1` and what follows. */
function keeping(events: number, bounds: Partial<KeptBounds>, budget: Budget = new Budget()): KeptEvents {
  const kept = new KeptEvents("s", budget, { items: 1_000, bytes: 1_000_000, ...bounds });
  for (let n = 1; n <= events; n++) kept.add(`d${n}`, 1);
  return kept;
}

test("an event has the position after its last item, and whoever is there gets what follows", () => {
  const kept = keeping(0, {});
  expect(kept.add("d1", 1)).toBe("id: s.1\nd1");
  expect(kept.add("d2-4", 3)).toBe("id: s.4\nd2-4");
  expect(kept.after(0)).toBe("id: s.1\nd1\nid: s.4\nd2-4\n");
  expect(kept.after(1)).toBe("id: s.4\nd2-4\n");
  expect(kept.after(4)).toBe("");
});

test("a position within an event of several items, or ahead of the stream, is none", () => {
  const kept = keeping(1, {});
  kept.add("d2-4", 3);
  expect([2, 3, 5].map((items) => kept.after(items))).toEqual([undefined, undefined, undefined]);
});

test("beyond the number of items the oldest events go, and who is before them is told so", () => {
  const kept = keeping(4, { items: 4 });
  expect(textsAfter(kept, 0)).toEqual(["1", "2", "3", "4"]);
  kept.add("d5-6", 2);
  expect(textsAfter(kept, 1)).toBeUndefined();
  expect(textsAfter(kept, 2)).toEqual(["3", "4", "5-6"]);
});

test("beyond the number of bytes the oldest events go, and the budget of all streams has theirs back", () => {
  const budget = new Budget();
  const kept = keeping(3, { bytes: 3 * EVENT_BYTES }, budget);
  expect(textsAfter(kept, 0)).toEqual(["1", "2", "3"]);
  kept.add("d4", 1);
  expect(textsAfter(kept, 0)).toBeUndefined();
  expect(textsAfter(kept, 1)).toEqual(["2", "3", "4"]);
  expect(budget.bytes).toBe(3 * EVENT_BYTES);
});

test("bytes are counted, not characters", () => {
  const budget = new Budget();
  keeping(0, {}, budget).add("d€", 1);
  expect(budget.bytes).toBe(ID_BYTES + 4);
});

test("the oldest events go for as long as all streams together have too many bytes", () => {
  const kept = keeping(3, {}, new Budget(5 * EVENT_BYTES));
  kept.add(`d${"4".repeat(2 * EVENT_BYTES - ID_BYTES)}`, 1);
  expect(textsAfter(kept, 0)).toBeUndefined();
  expect(textsAfter(kept, 1)).toHaveLength(3);
});

test("the latest event is kept, though it is beyond every bound", () => {
  const kept = keeping(2, { items: 1, bytes: 1 }, new Budget(1));
  kept.add("d3-5", 3);
  expect(textsAfter(kept, 2)).toEqual(["3-5"]);
});

test.each([
  ["items", { items: 6 }],
  ["bytes", { bytes: 6 * EVENT_BYTES }],
])("there is room until half of what is kept at most is new, by its %s", (_, bounds) => {
  const kept = keeping(2, bounds);
  expect(kept.hasRoom).toBe(true);
  kept.add("d3", 1);
  expect(kept.hasRoom).toBe(false);
  kept.written();
  expect(kept.hasRoom).toBe(true);
  for (const event of ["d4", "d5"]) kept.add(event, 1);
  expect(kept.hasRoom).toBe(true);
  kept.add("d6", 1);
  expect(kept.hasRoom).toBe(false);
});

test("once nothing is kept any more the budget has all of it back, and who lacks any of it cannot go on", () => {
  const budget = new Budget();
  const kept = keeping(3, {}, budget);
  kept.clear();
  expect(budget.bytes).toBe(0);
  expect([0, 1, 2].map((items) => kept.after(items))).toEqual([undefined, undefined, undefined]);
  kept.clear();
  expect(budget.bytes).toBe(0);
});
