import { type Call, type Envelope, ParleyError, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, collect, echo, failure, item, items, newCall, type Pair, pair } from "../test/pair.ts";

/** A handler whose calls of `text.hang.v1` never answer, and what became of them. */
function hanging(): {
  readonly handler: (one: Call) => Promise<never> | ReturnType<ReturnType<typeof echo>>;
  readonly reasons: AsyncQueue<ParleyError>;
  readonly begun: AsyncQueue<Call>;
} {
  const reasons = new AsyncQueue<ParleyError>();
  const begun = new AsyncQueue<Call>();
  return {
    reasons,
    begun,
    handler(one) {
      if (one.message.type !== "text.hang.v1") return echo()(one);
      one.onAbort({ callAborted: (reason) => reasons.push(reason) });
      begun.push(one);
      return new Promise(() => {});
    },
  };
}

/** Values that are waited for. */
class AsyncQueue<Value> {
  readonly #values: Value[] = [];
  readonly #waiting: ((value: Value) => void)[] = [];

  push(value: Value): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  }

  next(): Promise<Value> {
    const value = this.#values.shift();
    return value === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(value);
  }

  get size(): number {
    return this.#values.length;
  }
}

async function idle({ connection, listener }: Pair): Promise<void> {
  await connection.ping();
  expect(connection.stats().openCalls).toBe(0);
  await expect.poll(() => listener.stats().openCalls).toBe(0);
}

test("a call that is given up settles in the same turn, and its handler is told", async () => {
  const { handler, reasons, begun } = hanging();
  await using it = await pair(handler);
  const one = newCall("request", { type: "text.hang.v1" });
  const answer = failure(it.connection.call(one));
  await begun.next();
  const reason = new ParleyError("cancelled", "enough", { outcome: "unknown" });
  let settled = false;
  void answer.then(() => {
    settled = true;
  });
  one.abort(reason);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(settled).toBe(true);
  expect(await answer).toBe(reason);
  expect(await reasons.next()).toMatchObject({ code: "cancelled", outcome: "unknown" });
  await idle(it);
});

test("a call that was given up before, or whose time is over, is not sent", async () => {
  const { handler, begun } = hanging();
  await using it = await pair(handler);
  const given = newCall("request", { type: "text.hang.v1" });
  given.abort(new ParleyError("cancelled", "enough"));
  expect(await failure(it.connection.call(given))).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  expect(await failure(it.connection.call(newCall("request", { type: "text.hang.v1", timeoutMs: -1 })))).toMatchObject({
    code: "deadline_exceeded",
    outcome: "not-sent",
  });
  await idle(it);
  expect(begun.size).toBe(0);
});

test("cancelling one of fifty calls affects only that one", async () => {
  await using it = await pair(async (one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return echo()(one);
  });
  const calls = Array.from({ length: 50 }, (_, data) => newCall("request", { data }));
  const answers = Promise.allSettled(calls.map((one) => it.connection.call(one)));
  calls[7]?.abort(new ParleyError("cancelled", "enough"));
  const settled = await answers;
  expect(settled.map(({ status }) => status)).toEqual(
    calls.map((_, index) => (index === 7 ? "rejected" : "fulfilled")),
  );
  await idle(it);
});

test("a deadline ends the call on both sides, and the peer is told how long there is", async () => {
  const { handler, reasons, begun } = hanging();
  await using it = await pair(handler);
  const start = performance.now();
  expect(await failure(call(it, "request", { type: "text.hang.v1", timeoutMs: 100 }))).toMatchObject({
    code: "deadline_exceeded",
    outcome: "unknown",
  });
  expect(performance.now() - start).toBeGreaterThanOrEqual(100);
  const { message } = await begun.next();
  expect(message.timeoutms).toBeGreaterThan(0);
  expect(message.timeoutms).toBeLessThanOrEqual(100);
  expect(["deadline_exceeded", "cancelled"]).toContain((await reasons.next()).code);
  await idle(it);
});

test("calls that end just at their deadline settle once, and leave nothing", async () => {
  await using it = await pair(async (one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    await new Promise((resolve) => setTimeout(resolve, 15 + Math.random() * 10));
    return echo()(one);
  });
  const settled = await Promise.allSettled(Array.from({ length: 100 }, () => call(it, "request", { timeoutMs: 20 })));
  for (const one of settled)
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "deadline_exceeded" });
  await idle(it);
});

test("leaving a stream early cancels it at its producer", async () => {
  for (const kind of ["server-stream", "subscribe"] as const) {
    const left = new AsyncQueue<string>();
    await using it = await pair((one) => {
      if (one.kind !== kind) return echo()(one);
      one.onAbort({ callAborted: ({ code }) => left.push(code) });
      return {
        output: (async function* () {
          try {
            for (let seq = 1; ; seq++) {
              yield item(one, seq, seq);
              await new Promise((resolve) => setTimeout(resolve, 1));
            }
          } finally {
            left.push("returned");
          }
        })(),
      };
    });
    for await (const { data } of (await call(it, kind)).output ?? []) if (data === 3) break;
    expect([await left.next(), await left.next()].sort()).toEqual(["cancelled", "returned"]);
    await idle(it);
  }
});

test("a stream that is given up drops what has arrived, and throws the reason", async () => {
  await using it = await pair((one) => ({
    output: (async function* () {
      for (let seq = 1; seq <= 100; seq++) yield item(one, seq, seq);
      await new Promise(() => {});
    })(),
  }));
  const one = newCall("server-stream");
  const { output } = await it.connection.call(one);
  const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
  expect((await iterator.next()).value?.data).toBe(1);
  const reason = new ParleyError("cancelled", "enough");
  one.abort(reason);
  expect(await failure(iterator.next())).toBe(reason);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  await idle(it);
});

test("an upload that its caller gives up is no clean end at the handler", async () => {
  const seen = new AsyncQueue<unknown>();
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    try {
      for await (const { data } of one.input ?? []) seen.push(data);
      seen.push("end");
    } catch (error) {
      seen.push((error as ParleyError).code);
    }
    return { message: reply(one.message, "/agent") };
  });
  async function* input(): AsyncGenerator<Envelope> {
    yield* items(1, 2);
    await new Promise(() => {});
  }
  const one = newCall("client-stream", { input: input() });
  const answer = failure(it.connection.call(one));
  expect([await seen.next(), await seen.next()]).toEqual([1, 2]);
  one.abort(new ParleyError("cancelled", "enough"));
  expect(await answer).toMatchObject({ code: "cancelled" });
  expect(await seen.next()).toBe("cancelled");
  await idle(it);
});

test("an upload whose items throw is given up with what they threw", async () => {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const seen = new AsyncQueue<string>();
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    begin();
    const error = await failure(collect(one.input));
    seen.push(error["code"] as string);
    throw error;
  });
  async function* input(): AsyncGenerator<Envelope> {
    yield* items(1);
    await begun;
    throw new ParleyError("out_of_range", "no more");
  }
  expect(await failure(call(it, "client-stream", { input: input() }))).toMatchObject({
    code: "out_of_range",
    message: "no more",
  });
  expect(await seen.next()).toBe("cancelled");
  await idle(it);
});

test("a reply in the middle of an upload arrives, and the items are told to return", async () => {
  const returned = new AsyncQueue<string>();
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    let count = 0;
    for await (const _ of one.input ?? []) if (++count === 10) break;
    return { message: reply(one.message, "/agent", count) };
  });
  async function* endless(): AsyncGenerator<Envelope> {
    try {
      for (let index = 0; ; index++) {
        yield* items(index);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      returned.push("returned");
    }
  }
  expect((await call(it, "client-stream", { input: endless() })).message?.data).toBe(10);
  expect(await returned.next()).toBe("returned");
  await idle(it);
});

test("a handler that refuses in the middle of an upload is heard", async () => {
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    for await (const { data } of one.input ?? [])
      if (data === 5) throw new ParleyError("invalid_argument", "five is bad");
    return { message: reply(one.message, "/agent") };
  });
  async function* endless(): AsyncGenerator<Envelope> {
    for (let index = 0; ; index++) {
      yield* items(index);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  expect(await failure(call(it, "client-stream", { input: endless() }))).toMatchObject({
    code: "invalid_argument",
    message: "five is bad",
  });
  await idle(it);
});

test("calls that are made and broken off at random leave nothing open", async () => {
  await using it = await pair(async (one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    if (one.kind === "request") {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      return echo()(one);
    }
    return {
      output: (async function* () {
        let seq = 0;
        for await (const { data } of one.input ?? items(...new Array(50).keys())) yield item(one, ++seq, data);
      })(),
    };
  });
  // The first one finds out whether the way is free in both directions.
  expect(await collect((await call(it, "bidi-stream", { input: items(1) })).output)).toEqual([1]);
  const kinds = ["request", "server-stream", "bidi-stream", "subscribe"] as const;
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const kind = kinds[index % 4] ?? "request";
      const one = newCall(kind, kind === "bidi-stream" ? { input: items(1, 2, 3) } : {});
      setTimeout(() => one.abort(new ParleyError("cancelled", "enough")), Math.random() * 6);
      try {
        await collect((await it.connection.call(one)).output);
      } catch (error) {
        expect(error).toMatchObject({ code: "cancelled" });
      }
    }),
  );
  await idle(it);
});
