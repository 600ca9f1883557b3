import { expect, test } from "vitest";
import { ParleyError } from "../call/error.ts";
import { ItemQueue, type ItemQueueOwner } from "./item-queue.ts";

function queue() {
  const told = { bytes: 0, abandoned: 0 };
  const owner: ItemQueueOwner = {
    taken: (bytes) => {
      told.bytes += bytes;
    },
    abandoned: () => {
      told.abandoned++;
    },
  };
  return { items: new ItemQueue<number>(owner), told };
}

const lost = new ParleyError("data_loss", "lost");

test("items come out in order, whether the reader waits or they do", async () => {
  const { items, told } = queue();
  const early = [items.next(), items.next()];
  for (let n = 1; n <= 4; n++) items.push(n, 10);
  expect(await Promise.all([...early, items.next(), items.next()])).toEqual(
    [1, 2, 3, 4].map((value) => ({ done: false, value })),
  );
  expect(told.bytes).toBe(40);
});

test("a failure comes after what has arrived, once", async () => {
  const { items } = queue();
  items.push(1, 1);
  items.fail(lost);
  expect(await items.next()).toEqual({ done: false, value: 1 });
  await expect(items.next()).rejects.toBe(lost);
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test("an abort comes at once, and to one of several waiting readers", async () => {
  const { items } = queue();
  const waiting = [items.next(), items.next()];
  items.abort(lost);
  await expect(waiting[0]).rejects.toBe(lost);
  expect(await waiting[1]).toEqual({ done: true, value: undefined });
});

test("a reader who leaves is told of once, and nothing is kept for it", async () => {
  const { items, told } = queue();
  items.push(1, 1);
  await items.return();
  await items.return();
  items.push(2, 1);
  expect([told.abandoned, items.size]).toEqual([1, 0]);
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test("leaving after the end abandons nothing", async () => {
  const { items, told } = queue();
  items.end();
  await items.return();
  expect(told.abandoned).toBe(0);
});

test("a reader who is always behind keeps nothing of what it has read", async () => {
  const refs: WeakRef<object>[] = [];
  const items = new ItemQueue<object>({ taken() {}, abandoned() {} });
  items.push({}, 0);
  for (let n = 0; n < 5_000; n++) {
    const item = {};
    if (n < 100) refs.push(new WeakRef(item));
    items.push(item, 0);
    await items.next();
  }
  await new Promise((resolve) => setTimeout(resolve));
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--expose-gc");
  const { runInNewContext } = await import("node:vm");
  runInNewContext("gc")();
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(items.size).toBe(1);
});
