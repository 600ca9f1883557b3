import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../../test/settling.ts";
import { agent } from "../../agent/agent.ts";
import { connect } from "../../agent/connect.ts";
import { contract } from "../../agent/contract.ts";
import { request, serverStream } from "../../agent/operation.ts";
import { type AgentServer, serve } from "../../agent/serve.ts";
import { topic } from "../../agent/topic.ts";
import { AuthenticationError, type ParleyError, TransportError } from "../../call/error.ts";
import { createRuntime, systemRuntime } from "../../runtime/runtime.ts";
import { type MemoryWire, memory } from "../memory.ts";
import type { Transport } from "../transport.ts";
import type { ReconnectOptions } from "./options.ts";
import type { ReconnectingConnection, StateChange } from "./reconnecting-connection.ts";

const news = contract("news", {
  echo: request({ input: z.string(), output: z.string() }),
  wait: request({ output: z.string() }),
  count: serverStream({ item: z.number() }),
  story: topic({ path: "news/{desk}", data: z.string() }),
});

/** Comes back soon, and takes nothing up that was cut, as on wires without sessions. */
const anew: ReconnectOptions = { baseMs: 1, maxMs: 8, onCut: "settle" };

/** A server, and a wire to it that can be cut and refuse to be dialled. */
async function stage(reconnect: ReconnectOptions | false = anew) {
  const heard: string[] = [];
  const newsAgent = agent(news, {
    echo: (text) => {
      heard.push(text);
      return text;
    },
    wait: (_, call) => new Promise((_resolve, reject) => call.signal.addEventListener("abort", () => reject())),
    async *count(_, call) {
      yield 1;
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    },
  });
  const server: AgentServer<typeof news> = await serve(newsAgent, "memory://", { transports: [memory()] });
  const wires = new Set<MemoryWire>();
  const inner = memory({
    tap: (_frame, _from, wire) => {
      wires.add(wire);
      return undefined;
    },
  });
  let refusal: ParleyError | undefined;
  let dials = 0;
  const transport: Transport = {
    ...inner,
    async connect(url, options) {
      dials++;
      if (refusal) throw refusal;
      return inner.connect(url, options);
    },
  };
  let timers = 0;
  const runtime = createRuntime({
    ...systemRuntime,
    setTimer(run, delayMs) {
      let waiting = true;
      const over = (): void => {
        if (waiting) timers--;
        waiting = false;
      };
      timers++;
      const cancel = systemRuntime.setTimer(() => {
        over();
        run();
      }, delayMs);
      return () => {
        over();
        cancel();
      };
    },
  });
  const remote = await connect(news, server.urls[0] as URL, { transports: [transport], reconnect, runtime });
  const changes: StateChange[] = [];
  remote.connection.onState((change) => changes.push(change));
  return {
    server,
    remote,
    heard,
    changes,
    get dials() {
      return dials;
    },
    /** Timers of the client that wait. */
    get timers() {
      return timers;
    },
    refuse: (error?: ParleyError) => {
      refusal = error;
    },
    cut() {
      for (const wire of wires) wire.cut(new Error("cut"));
      wires.clear();
    },
    async [Symbol.asyncDispose]() {
      await remote.close({ graceMs: 0 });
      await server.close({ graceMs: 0 });
    },
  };
}

const down = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });

/** Resolves when the connection comes to be in the state, or its change fits. */
function reached(connection: ReconnectingConnection, fits: (change: StateChange) => boolean): Promise<StateChange> {
  return new Promise((resolve) => {
    const off = connection.onState((change) => {
      if (!fits(change)) return;
      off();
      resolve(change);
    });
  });
}

test("after a cut the next call goes through, and the one in flight is told that its effect is unknown", async () => {
  await using on = await stage();
  const pending = failureOf(on.remote.wait());
  expect(await on.remote.echo("before")).toBe("before");
  const lost = reached(on.remote.connection, ({ state }) => state === "reconnecting");
  on.cut();
  expect(await pending).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await lost).toMatchObject({ attempt: 1 });
  expect(on.remote.connection.state).toBe("reconnecting");
  expect(await on.remote.echo("after")).toBe("after");
  expect(on.changes.map(({ state }) => state)).toEqual(["reconnecting", "open"]);
  expect(await on.remote.connection.health()).toMatchObject({ state: "open", roundTripMs: expect.any(Number) });
});

test("calls made meanwhile are made in their order once the connection is back", async () => {
  await using on = await stage();
  on.refuse(down);
  const third = reached(on.remote.connection, ({ attempt }) => attempt === 3);
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  const calls = ["a", "b", "c"].map((text) => on.remote.echo(text));
  await third;
  expect(on.heard).toEqual([]);
  on.refuse();
  expect(await Promise.all(calls)).toEqual(["a", "b", "c"]);
  expect(on.heard).toEqual(["a", "b", "c"]);
});

test("one call more than may wait is refused, and one that waited too long fails: neither was sent", async () => {
  await using on = await stage({ ...anew, maxWaiting: 1, waitMs: 30 });
  on.refuse(down);
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  const [first, second] = [failureOf(on.remote.echo("a")), failureOf(on.remote.echo("b"))];
  expect(await second).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  const error = await first;
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toBe("the connection did not come back within 30 ms: nobody there");
  on.refuse();
  expect(await on.remote.echo("c")).toBe("c");
  expect(on.heard).toEqual(["c"]);
});

test("a call that is cancelled while it waits leaves the queue at once", async () => {
  await using on = await stage({ ...anew, maxWaiting: 1 });
  on.refuse(down);
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  const controller = new AbortController();
  const cancelled = failureOf(on.remote.echo("a", { signal: controller.signal }));
  const timed = failureOf(on.remote.echo("b", { timeoutMs: 1 }));
  controller.abort();
  expect(await cancelled).toMatchObject({ code: "cancelled" });
  expect(await timed).toMatchObject({ code: "resource_exhausted" });
  expect(await failureOf(on.remote.echo("c", { timeoutMs: 1 }))).toMatchObject({ code: "deadline_exceeded" });
  on.refuse();
  expect(await on.remote.echo("d")).toBe("d");
  expect(on.heard).toEqual(["d"]);
});

test("a stream in flight fails; a subscription without onGap fails too, and says so", async () => {
  await using on = await stage();
  const items = on.remote.count()[Symbol.asyncIterator]();
  expect((await items.next()).value).toBe(1);
  const stories = (await on.remote.story.subscribe())[Symbol.asyncIterator]();
  on.cut();
  expect(await failureOf(items.next())).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await failureOf(stories.next())).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("a subscription with onGap is active again before the connection is open, after its gap was told", async () => {
  await using on = await stage();
  const gaps: ParleyError[] = [];
  const order: string[] = [];
  const subscription = await on.remote.story.subscribe(
    {},
    {
      onGap: (gap) => {
        gaps.push(gap);
        order.push("gap");
      },
    },
  );
  const stories = subscription[Symbol.asyncIterator]();
  await on.server.topics.story.publish({ desk: "a" }, "one");
  await on.server.topics.story.publish({ desk: "a" }, "two");
  expect((await stories.next()).value).toMatchObject({ data: "one" });
  await on.remote.echo("the publications are here");
  for (const round of ["three", "four"]) {
    const back = reached(on.remote.connection, ({ state }) => state === "open");
    on.cut();
    await back;
    order.push("open");
    await on.server.topics.story.publish({ desk: "a" }, round);
  }
  expect((await stories.next()).value).toMatchObject({ data: "two" });
  // "three" came while the reader was away, and its place was lost with the second cut: told as a gap.
  expect((await stories.next()).value).toMatchObject({ data: "four" });
  expect(order).toEqual(["gap", "open", "gap", "open"]);
  expect(gaps[0]).toMatchObject({ code: "data_loss", outcome: "unknown" });
  await subscription.close();
  await on.remote.echo("the peer knows");
  expect(on.remote.connection.stats().openCalls).toBe(0);
});

test("a subscription that is left while the connection is away is not made again", async () => {
  await using on = await stage();
  const subscription = await on.remote.story.subscribe({}, { onGap: () => expect.unreachable() });
  const reading = subscription[Symbol.asyncIterator]().next();
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  await subscription.close();
  expect(await reading).toMatchObject({ done: true });
  await on.remote.echo("back");
  expect(on.remote.connection.stats().openCalls).toBe(0);
});

test("who we are and what we speak is not asked again: the connection ends with the error", async () => {
  await using on = await stage();
  on.refuse(new AuthenticationError("unauthenticated", "the token has expired", { outcome: "rejected" }));
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  const waiting = failureOf(on.remote.echo("a"));
  expect(await on.remote.connection.closed).toMatchObject({ code: "unauthenticated" });
  expect((await waiting).message).toBe("the connection was given up: the token has expired");
  expect(on.dials).toBe(2);
  expect(on.remote.connection.state).toBe("closed");
  expect(await failureOf(on.remote.echo("b"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("attempts are bounded if asked, and their delays stay within bounds that double", async () => {
  await using on = await stage({ ...anew, baseMs: 2, maxMs: 10, maxAttempts: 5 });
  on.refuse(down);
  on.cut();
  expect(await on.remote.connection.closed).toMatchObject({ message: "nobody there" });
  const attempts = on.changes.filter(({ state }) => state === "reconnecting");
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
  attempts.forEach(({ delayMs = -1 }, at) => {
    expect(delayMs).toBeGreaterThanOrEqual(0);
    expect(delayMs).toBeLessThan([2, 4, 8, 10, 10][at] as number);
  });
  expect(on.dials).toBe(6);
});

test("closing while the connection is away gives everything up at once", async () => {
  await using on = await stage({ ...anew, baseMs: 60_000, maxMs: 60_000 });
  const subscription = await on.remote.story.subscribe({}, { onGap: () => expect.unreachable() });
  const reading = failureOf(subscription[Symbol.asyncIterator]().next());
  on.cut();
  await reached(on.remote.connection, ({ state }) => state === "reconnecting");
  const waiting = failureOf(on.remote.echo("a"));
  await on.remote.close();
  expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(await reading).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await on.remote.connection.closed).toBeUndefined();
  expect(on.dials).toBe(1);
  expect(on.timers).toBe(0);
});

test("without reconnect the first cut is the end", async () => {
  await using on = await stage(false);
  on.cut();
  expect(await on.remote.connection.closed).toMatchObject({ code: "unavailable" });
  expect(on.dials).toBe(1);
});

test.each([
  [{ baseMs: Number.NaN }, "reconnect.baseMs must be a positive number, and is NaN"],
  [{ waitMs: 0 }, "reconnect.waitMs must be a positive number, and is 0"],
  [{ maxAttempts: -1 }, "reconnect.maxAttempts must be a positive number, or 0 for none, and is -1"],
])("options that make no sense are refused by name: %j", async (reconnect, message) => {
  const error = await failureOf(connect(news, "memory://x", { transports: [memory()], reconnect }));
  expect(error.message).toBe(message);
});
