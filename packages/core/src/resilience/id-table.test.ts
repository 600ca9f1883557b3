import { expect, it } from "vitest";
import { heldBytes } from "../../test/held-bytes.ts";
import { newId } from "../envelope/id.ts";
import { systemRuntime } from "../runtime/runtime.ts";
import { IdTable } from "./id-table.ts";
import { memoryDedupe } from "./memory-dedupe.ts";

it("is the same as a map and a list, whatever comes and goes", () => {
  let seed = 11;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (const maxEntries of [1, 7, 1_000, 3_000]) {
    const table = new IdTable(maxEntries, systemRuntime);
    const known = new Map<string, number>();
    /** By number; those that were removed are undefined. */
    const order: (string | undefined)[] = [];
    let first = 0;
    for (let step = 0; step < 8_000; step++) {
      const key = `key ${random(maxEntries * 3)}`;
      expect(table.find(key)).toBe(known.get(key));
      if (!known.has(key)) {
        if (order.length - first >= maxEntries) {
          expect([table.full, table.shift()]).toEqual([true, first]);
          const oldest = order[first++];
          if (oldest !== undefined) known.delete(oldest);
        }
        expect(table.add(key, step, step)).toBe(order.length);
        known.set(key, order.length);
        order.push(key);
      } else if (random(4) === 0) {
        const number = known.get(key) as number;
        expect(table.tag(number)).toBeLessThan(step);
        table.remove(number);
        known.delete(key);
        order[number] = undefined;
      }
      expect(table.size).toBe(known.size);
    }
  }
}, 30_000);

it("takes less than 64 MiB for a million ids", () => {
  const before = heldBytes();
  const store = memoryDedupe({ maxEntries: 1_000_000 });
  for (let n = 0; n < 1_000_000; n++) {
    const key = `i /agents/summarizer ${newId(systemRuntime)} `;
    store.claim(key, n);
    store.settle(key, { state: "done" }, 0);
  }
  const taken = heldBytes() - before;
  expect(store.stats().entries).toBe(1_000_000);
  expect(taken / 2 ** 20).toBeLessThan(64);
}, 60_000);
