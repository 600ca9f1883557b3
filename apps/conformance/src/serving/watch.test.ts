import { expect, it } from "vitest";
import { Watch } from "./watch.ts";
import type { WitnessItem } from "./witness-contract.ts";

/** A suite that is being told. */
async function told(watch: Watch, signal: AbortSignal = new AbortController().signal) {
  const items = watch.items(signal);
  expect((await items.next()).value).toMatchObject({ number: 0, text: "", more: false });
  return items;
}

it("nobody waits for a suite that is not there", async () => {
  const watch = new Watch();
  watch.tell("1");
  expect(watch.caughtUp()).toBeUndefined();
});

it("an answer waits until the suite has what was told before it", async () => {
  const watch = new Watch();
  const items = await told(watch);
  const order: string[] = [];
  watch.tell("first");
  const one = watch.caughtUp()?.then(() => order.push("one"));
  watch.tell("second");
  const two = watch.caughtUp()?.then(() => order.push("two"));
  const numbers = [(await items.next()).value, (await items.next()).value].map((item) => (item as WitnessItem).number);
  expect(numbers).toEqual([1, 2]);
  watch.seen(1);
  await one;
  expect(order).toEqual(["one"]);
  watch.seen(2);
  await two;
  expect(order).toEqual(["one", "two"]);
  expect(watch.caughtUp()).toBeUndefined();
});

it.each(["gone", "replaced by another"])("nobody waits for a suite that is %s", async (how) => {
  const watch = new Watch();
  const gone = new AbortController();
  const items = await told(watch, gone.signal);
  watch.tell("never seen");
  const waiting = watch.caughtUp();
  if (how === "gone") gone.abort();
  else await told(watch);
  const rest: unknown[] = [];
  for await (const item of items) rest.push(item);
  await waiting;
  expect(rest.length).toBeLessThanOrEqual(1);
});

it("a long event comes in pieces, all of one number and time", async () => {
  const watch = new Watch();
  const items = await told(watch);
  expect(watch.begin()).toBe(1);
  const text = "0123456789".repeat(4_000);
  watch.tell(text);
  const pieces: WitnessItem[] = [];
  do pieces.push((await items.next()).value as WitnessItem);
  while (pieces.at(-1)?.more);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  expect(new Set(pieces.map(({ number, time }) => `${number} ${time}`))).toEqual(new Set(["1 1"]));
});

it("a suite that falls too far behind is told so, and is no witness any more", async () => {
  const watch = new Watch();
  const items = await told(watch);
  for (let event = 0; event <= 100_000; event++) watch.tell("{}");
  await expect(items.next()).rejects.toThrow("more than 100000 events wait for whoever asked for them");
  expect(watch.caughtUp()).toBeUndefined();
});
