import { expect, test } from "vitest";
import { failureOf } from "../../../test/settling.ts";
import { type Call, createCall } from "../../call/call.ts";
import { Context } from "../../call/context.ts";
import { AuthenticationError, type ParleyError, TransportError } from "../../call/error.ts";
import type { Invoke, Reply } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { createRuntime, systemRuntime } from "../../runtime/runtime.ts";
import { ItemQueue } from "../item-queue.ts";
import type { ConnectionState } from "../transport.ts";
import { type OnGap, onGap } from "./gap.ts";
import { LastingSubscriptions } from "./lasting-subscriptions.ts";

const cut = new TransportError("unavailable", "the wire was cut", { outcome: "unknown" });
const full = new TransportError("unavailable", "no room", { outcome: "not-sent" });
const forbidden = new AuthenticationError("permission_denied", "not yours", { outcome: "rejected" });

/** A connection that refuses subscriptions as told, one after the other, and then makes them. */
class StagedConnection {
  state: ConnectionState = "open";
  /** Of each that was made, in order. */
  readonly streams: ItemQueue<Envelope>[] = [];
  readonly calls: Call[] = [];
  readonly refusals: (ParleyError | undefined)[];

  constructor(...refusals: (ParleyError | undefined)[]) {
    this.refusals = refusals;
  }

  readonly call: Invoke = async (call): Promise<Reply> => {
    this.calls.push(call);
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    const output = new ItemQueue<Envelope>({ taken() {}, abandoned() {} });
    this.streams.push(output);
    return { output };
  };
}

function subscribeCall(gap?: OnGap): Call {
  const context = new Context();
  if (gap) context.set(onGap, gap);
  const message = createEnvelope({ kind: "subscribe", type: "news.story.v1", source: "/reader", subject: "news/a" });
  return createCall({ kind: "subscribe", message, context });
}

/** Subscriptions whose connection is the one given here, and is mended without delay. */
function stage(first: StagedConnection, maxAttempts = 3) {
  const gaps: ParleyError[] = [];
  const failed: ParleyError[] = [];
  const mending: Promise<void>[] = [];
  const used = { connection: first };
  const subscriptions: LastingSubscriptions = new LastingSubscriptions({
    policy: { baseMs: 1, maxMs: 1, maxAttempts },
    runtime: createRuntime({
      ...systemRuntime,
      setTimer(run) {
        queueMicrotask(run);
        return () => {};
      },
    }),
    signal: new AbortController().signal,
    survives: ({ code }) => code === "unavailable",
    broken: (subscription) => void mending.push(subscriptions.mend(subscription, used.connection)),
    uses: (connection) => connection === used.connection,
    failed: (error) => void failed.push(error),
  });
  return {
    used,
    gaps,
    failed,
    subscriptions,
    /** Subscribes on the connection in use, and reads. */
    async open() {
      const gap: OnGap = (error) => void gaps.push(error);
      const { output } = await subscriptions.open(subscribeCall(gap), gap, used.connection.call);
      const next = output?.[Symbol.asyncIterator]().next() as Promise<IteratorResult<Envelope>>;
      next.catch(() => {});
      return { next };
    },
    /** Resolves when what was cut is no longer being mended. */
    mended: () => expect.poll(async () => (await Promise.all(mending)).length).toBeGreaterThan(0),
  };
}

const story = createEnvelope({ kind: "publish", type: "news.story.v1", source: "/desk", subject: "news/a" });

test("on another connection all are made again; what the peer refuses ends that one alone", async () => {
  const on = stage(new StagedConnection());
  const [one, other] = [await on.open(), await on.open()];
  const next = new StagedConnection(forbidden);
  await on.subscriptions.remake(next);
  for (const stream of on.used.connection.streams) stream.fail(cut);
  next.streams[0]?.push(story, 1);
  expect(await failureOf(one.next)).toBe(forbidden);
  expect(await other.next).toEqual({ done: false, value: story });
  expect(on.gaps).toMatchObject([{ code: "data_loss" }]);
});

test("a connection that cannot carry one of them is none for them, and the next is asked for all", async () => {
  const on = stage(new StagedConnection());
  await on.open();
  await on.open();
  expect(await failureOf(on.subscriptions.remake(new StagedConnection(undefined, full)))).toBe(full);
  const next = new StagedConnection();
  await on.subscriptions.remake(next);
  expect(next.streams).toHaveLength(2);
});

test("one that was cut alone is made again where it was", async () => {
  const on = stage(new StagedConnection(undefined, full));
  const { next } = await on.open();
  on.used.connection.streams[0]?.fail(cut);
  await on.mended();
  on.used.connection.streams[1]?.push(story, 1);
  expect(await next).toEqual({ done: false, value: story });
  expect(on.failed).toEqual([full]);
  expect(on.gaps).toMatchObject([{ cause: cut }]);
});

test("one that cannot be made again ends with the last error, after as many attempts as the policy allows", async () => {
  const on = stage(new StagedConnection(undefined, cut, full), 2);
  const { next } = await on.open();
  on.used.connection.streams[0]?.fail(cut);
  expect(await failureOf(next)).toBe(full);
  await on.mended();
  expect(on.used.connection.calls).toHaveLength(3);
});

test.each<[string, (on: ReturnType<typeof stage>) => void]>([
  [
    "is no longer the one in use",
    (on) => {
      on.used.connection = new StagedConnection();
    },
  ],
  [
    "has ended",
    (on) => {
      on.used.connection.state = "closed";
    },
  ],
])("nothing is made again on a connection that %s", async (_, change) => {
  const on = stage(new StagedConnection(undefined, full));
  const first = on.used.connection;
  await on.open();
  const { call } = first;
  Object.assign(first, {
    call: (again: Call) => {
      change(on);
      return call(again);
    },
  });
  first.streams[0]?.fail(cut);
  await on.mended();
  expect(first.calls).toHaveLength(2);
});

test("a connection that goes on has those made again that were cut with it, and no others", async () => {
  const on = stage(new StagedConnection());
  const { next } = await on.open();
  await on.open();
  on.used.connection.state = "reconnecting";
  on.used.connection.streams[0]?.fail(cut);
  await on.mended();
  expect(on.used.connection.streams).toHaveLength(2);
  on.used.connection.state = "open";
  on.subscriptions.mendCut(on.used.connection);
  await expect.poll(() => on.gaps.length).toBe(1);
  on.used.connection.streams[2]?.push(story, 1);
  expect(await next).toEqual({ done: false, value: story });
  expect(on.used.connection.streams).toHaveLength(3);
});

test("all end with the error when there will be no other connection", async () => {
  const on = stage(new StagedConnection());
  const [one, other] = [await on.open(), await on.open()];
  on.subscriptions.fail(forbidden);
  for (const stream of on.used.connection.streams) stream.fail(cut);
  expect([await failureOf(one.next), await failureOf(other.next)]).toEqual([forbidden, forbidden]);
  const next = new StagedConnection();
  await on.subscriptions.remake(next);
  expect(next.calls).toHaveLength(0);
});

test("a call asks for a subscription that lasts by saying who is told of gaps; the call that it makes does not", async () => {
  const { used, subscriptions, open } = stage(new StagedConnection());
  const gap: OnGap = () => {};
  expect(subscriptions.gapOf(subscribeCall(gap))).toBe(gap);
  expect(subscriptions.gapOf(subscribeCall())).toBeUndefined();
  await open();
  expect(used.connection.calls[0]?.context.get(onGap)).toBeDefined();
  expect(subscriptions.gapOf(used.connection.calls[0] as Call)).toBeUndefined();
});
