import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { createCall } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { createHub } from "./hub.ts";

function publication(subject: string, data?: unknown, more: Partial<Envelope> = {}): Envelope {
  return createEnvelope({ kind: "publish", type: "t.news.v1", source: "test", subject, data, ...more });
}

async function take(items: AsyncIterator<Envelope>, count: number): Promise<unknown[]> {
  const data: unknown[] = [];
  while (data.length < count) data.push((await items.next()).value?.data);
  return data;
}

test("the next publication after subscribing is delivered, a hundred times", async () => {
  const hub = createHub();
  for (let round = 0; round < 100; round++) {
    const subscription = hub.subscribe("a/b");
    expect(hub.publish(publication("a/b", round))).toBe(1);
    expect((await subscription.next()).value?.data).toBe(round);
    await subscription.return();
  }
  expect(hub.stats()).toEqual({ subscriptions: 0, published: 100, delivered: 100, lost: 0 });
});

test("ten subscribers each get all of a hundred publications, in order", async () => {
  const hub = createHub();
  const subscriptions = Array.from({ length: 10 }, () => hub.subscribe("a/b"));
  const sent = Array.from({ length: 100 }, (_, index) => index);
  for (const data of sent) expect(hub.publish(publication("a/b", data))).toBe(10);
  for (const subscription of subscriptions) expect(await take(subscription, 100)).toEqual(sent);
});

test("topics do not cross, and a publication that nobody wants is none the worse", async () => {
  const hub = createHub();
  const names = Array.from({ length: 20 }, (_, index) => `topic/${index}`);
  const subscriptions = names.map((name) => hub.subscribe(name));
  for (const name of names) hub.publish(publication(name, name));
  for (const name of names) hub.publish(publication(name, "sentinel"));
  for (const [index, subscription] of subscriptions.entries())
    expect(await take(subscription, 2)).toEqual([names[index], "sentinel"]);
  expect(hub.publish(publication("nobody/here", 1))).toBe(0);
});

test("a publication comes once per subscription, however its filters overlap", async () => {
  const hub = createHub();
  const subscriptions = ["a/b", "a/+", "a/#", "#"].map((filter) => hub.subscribe(filter));
  expect(hub.publish(publication("a/b", "one"))).toBe(4);
  hub.publish(publication("a/b", "sentinel"));
  for (const subscription of subscriptions) expect(await take(subscription, 2)).toEqual(["one", "sentinel"]);
});

test("a subscriber who comes late gets nothing of before", async () => {
  const hub = createHub();
  hub.publish(publication("a", "before"));
  const subscription = hub.subscribe("a");
  hub.publish(publication("a", "after"));
  expect(await take(subscription, 1)).toEqual(["after"]);
});

test("who has left gets nothing more, and the others notice nothing", async () => {
  const hub = createHub();
  const [left, stays] = [hub.subscribe("a"), hub.subscribe("a")];
  hub.publish(publication("a", 1));
  await left.return();
  expect(hub.publish(publication("a", 2))).toBe(1);
  expect(await left.next()).toEqual({ done: true, value: undefined });
  expect(await take(stays, 2)).toEqual([1, 2]);
});

test("subscribers get the publication itself as an item, without what belongs to the hop", async () => {
  const hub = createHub();
  const subscription = hub.subscribe("a");
  const sent = publication(
    "a",
    { n: null },
    {
      correlationid: "c",
      causationid: "d",
      traceparent: "00-1",
      partitionkey: "p",
      myextension: "x",
      call: 7,
      timeoutms: 5,
      credit: 3,
    },
  );
  hub.publish(sent);
  const { call: _call, timeoutms: _timeoutms, credit: _credit, ...kept } = sent;
  expect((await subscription.next()).value).toStrictEqual({ ...kept, kind: "item" });
  expect(sent.kind).toBe("publish");
});

test("a reader who falls behind loses what follows, is told how much after what was kept, and holds up nobody", async () => {
  const hub = createHub({ maxQueued: 3 });
  const [slow, fast] = [hub.subscribe("a"), hub.subscribe("a")];
  for (let index = 1; index <= 5; index++) {
    hub.publish(publication("a", index));
    expect(await take(fast, 1)).toEqual([index]);
  }
  expect(await take(slow, 3)).toEqual([1, 2, 3]);
  // Room again does not hide the gap.
  hub.publish(publication("a", 6));
  const error = await failureOf(slow.next());
  expect(error).toMatchObject({ code: "data_loss", details: { lost: 3, filter: "a" } });
  expect(error.message).toContain("3 publications were lost");
  expect(await slow.next()).toEqual({ done: true, value: undefined });
  expect(await take(fast, 1)).toEqual([6]);
  expect(hub.stats()).toEqual({ subscriptions: 1, published: 6, delivered: 9, lost: 3 });
});

test("a reader who keeps up never loses anything, however much there is", async () => {
  const hub = createHub({ maxQueued: 3 });
  const subscription = hub.subscribe("a");
  for (let index = 0; index < 1_000; index += 3) {
    for (const data of [index, index + 1, index + 2]) hub.publish(publication("a", data));
    expect(await take(subscription, 3)).toEqual([index, index + 1, index + 2]);
  }
});

test("readers who wait are served in the order in which they asked", async () => {
  const hub = createHub();
  const subscription = hub.subscribe("a");
  const waiting = [subscription.next(), subscription.next()];
  for (const data of [1, 2, 3]) hub.publish(publication("a", data));
  expect((await Promise.all(waiting)).map(({ value }) => value?.data)).toEqual([1, 2]);
  expect(await take(subscription, 1)).toEqual([3]);
});

test("the end of the call ends the subscription at once", async () => {
  const hub = createHub();
  const message = createEnvelope({ kind: "subscribe", type: "t.news.v1", source: "test", subject: "a" });
  const reason = new ParleyError("cancelled", "over");
  for (const waits of [true, false]) {
    const call = createCall({ kind: "subscribe", message });
    const subscription = hub.subscribe("a", call);
    const next = waits ? subscription.next() : undefined;
    call.abort(reason);
    expect(hub.stats().subscriptions).toBe(0);
    expect(await failureOf(next ?? subscription.next())).toBe(reason);
    expect(await subscription.next()).toEqual({ done: true, value: undefined });
  }
});

test("a subscription that was left holds on to its call no longer", async () => {
  const message = createEnvelope({ kind: "subscribe", type: "t.news.v1", source: "test", subject: "a" });
  const call = createCall({ kind: "subscribe", message });
  const listeners = new Set<unknown>();
  call.onAbort = (listener) => void listeners.add(listener);
  call.offAbort = (listener) => void listeners.delete(listener);
  const subscription = createHub().subscribe("a", call);
  expect(listeners.size).toBe(1);
  await subscription.return();
  expect(listeners.size).toBe(0);
});

test("a hub holds so many subscriptions and no more", async () => {
  const hub = createHub({ maxSubscriptions: 2 });
  const first = hub.subscribe("a");
  hub.subscribe("a");
  expect(await failureOf(() => hub.subscribe("b"))).toMatchObject({ code: "resource_exhausted" });
  await first.return();
  hub.subscribe("b");
});

test("what is no topic or filter is refused", async () => {
  const hub = createHub();
  expect(await failureOf(() => hub.publish(publication("a/+")))).toMatchObject({ code: "invalid_argument" });
  expect(await failureOf(() => hub.subscribe("a/#/b"))).toMatchObject({ code: "invalid_argument" });
  expect(hub.stats()).toMatchObject({ subscriptions: 0, published: 0 });
});
