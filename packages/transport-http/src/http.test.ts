import {
  type Call,
  type Envelope,
  manifestProblems,
  ParleyError,
  reply,
  ValidationError,
} from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, collect, echo, failure, item, items, newCall, pair } from "../test/pair.ts";
import { http, httpLimits } from "./index.ts";

test("the manifest is whole, and says the limits that were given", () => {
  expect(manifestProblems(http().manifest)).toEqual([]);
  expect(http({ limits: { ...httpLimits, maxCalls: 7 } }).manifest.limits.maxCalls).toBe(7);
});

test("a connection knows its peer after the handshake", async () => {
  await using it = await pair(echo({ "text.echo": "request" }));
  expect(it.connection.hello).toMatchObject({ name: "test", profile: "1", limits: httpLimits });
  expect(it.connection.state).toBe("open");
  expect((await it.connection.ping()).roundTripMs).toBeGreaterThan(0);
});

test.each([
  ["an object", { text: "hi", nested: [1, null, true] }],
  ["null", null],
  ["an empty string", ""],
  ["text of all kinds", "\t\r\n ☺ 😈 % \u2028"],
  ["bytes", Uint8Array.from({ length: 256 }, (_, index) => index)],
  ["no bytes", new Uint8Array(0)],
])("a request gets %s back as it was sent", async (_name, data) => {
  await using it = await pair(echo());
  const { message } = await call(it, "request", { data });
  expect(message?.data).toEqual(data);
  expect(message?.kind).toBe("reply");
});

test("data that is absent stays absent", async () => {
  let received: Envelope | undefined;
  await using it = await pair(({ message }) => {
    received = message;
    return { message: reply(message, "/agent") };
  });
  const { message } = await call(it, "request");
  expect(received && "data" in received).toBe(false);
  expect(message && "data" in message).toBe(false);
});

test("a handler gets the envelope as it was, with unknown attributes", async () => {
  let received: Call | undefined;
  await using it = await pair((one) => {
    received = one;
    return echo()(one);
  });
  const sent = newCall("request", {
    data: 1,
    attributes: { correlationid: "c1", vendor: "x", idempotencykey: "k" },
    timeoutMs: 5_000,
  });
  await it.connection.call(sent);
  expect(received?.message).toEqual({ ...sent.message, timeoutms: expect.any(Number) });
  expect(received?.context.foreign).toBe(false);
  expect(received?.context.peer).toMatchObject({
    transport: "http",
    address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
  expect((received?.deadline ?? 0) - performance.now()).toBeGreaterThan(4_000);
});

test("a hundred requests answered in reverse each get their own reply", async () => {
  const waiting: (() => void)[] = [];
  await using it = await pair((one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    return new Promise((resolve) => {
      waiting.push(() => resolve({ message: reply(one.message, "/agent", one.message.data) }));
      if (waiting.length === 100) for (const answer of waiting.reverse()) answer();
    });
  });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => call(it, "request", { data: index })));
  expect(answers.map(({ message }) => message?.data)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test.each(["notify", "publish"] as const)("a %s resolves when it is taken, however its handler fares", async (kind) => {
  const seen: unknown[] = [];
  await using it = await pair(({ message }) => {
    if (message.kind !== kind) return echo()({ message } as Call);
    seen.push(message.data);
    if (message.data === "throws") throw new Error("not the sender's business");
    return message.data === "rejects" ? Promise.reject(new Error("nor this")) : {};
  });
  for (const data of ["throws", "rejects", "succeeds"])
    expect(await call(it, kind, { data, attributes: { subject: "a/b" } })).toEqual({});
  expect(seen).toEqual(["throws", "rejects", "succeeds"]);
});

test.each(["notify", "publish"] as const)("a %s that is refused tells its sender", async (kind) => {
  await using it = await pair(({ message }) => {
    if (message.kind !== kind) return echo()({ message } as Call);
    throw new ParleyError("permission_denied", "not here");
  });
  const refused = call(it, kind, { attributes: { subject: "a/b" } });
  await expect(refused).rejects.toMatchObject({ code: "permission_denied", outcome: "rejected" });
});

test("a server-stream delivers its items in order and ends", async () => {
  await using it = await pair((one) => ({
    output: (async function* () {
      for (let seq = 1; seq <= 1_000; seq++) yield item(one, seq, seq);
    })(),
  }));
  const { output } = await call(it, "server-stream");
  expect(await collect(output)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
});

test("a stream without items ends", async () => {
  await using it = await pair(() => ({ output: (async function* () {})() }));
  for (const kind of ["server-stream", "subscribe"] as const)
    expect(await collect((await call(it, kind)).output)).toEqual([]);
});

test("an item arrives before the next is made", async () => {
  let taken = (): void => {};
  await using it = await pair((one) => ({
    output: (async function* () {
      for (let seq = 1; seq <= 20; seq++) {
        const next = new Promise<void>((resolve) => {
          taken = resolve;
        });
        yield item(one, seq, seq);
        await next;
      }
    })(),
  }));
  const values: unknown[] = [];
  for await (const { data } of (await call(it, "server-stream")).output ?? []) {
    values.push(data);
    taken();
  }
  expect(values).toHaveLength(20);
});

test("a stream that fails first keeps the status of its error, and resolves nothing", async () => {
  await using it = await pair(() => ({
    // biome-ignore lint/correctness/useYield: it fails before
    output: (async function* (): AsyncGenerator<Envelope> {
      throw new ParleyError("permission_denied", "not yours");
    })(),
  }));
  expect(await failure(call(it, "server-stream"))).toMatchObject({
    code: "permission_denied",
    outcome: "rejected",
    message: "not yours",
  });
});

test("a stream is accepted before its first item", async () => {
  let release = (): void => {};
  await using it = await pair((one) => ({
    output: (async function* () {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield item(one, 1, "late");
    })(),
  }));
  for (const kind of ["server-stream", "subscribe"] as const) {
    const { output } = await call(it, kind);
    release();
    expect(await collect(output)).toEqual(["late"]);
  }
});

test("a stream that fails in its middle delivers what came before, then the error", async () => {
  await using it = await pair((one) => ({
    output: (async function* () {
      for (let seq = 1; seq <= 3; seq++) yield item(one, seq, seq);
      throw new ParleyError("aborted", "half way", { details: { at: 3 }, retryAfterMs: 5 });
    })(),
  }));
  const { output } = await call(it, "server-stream");
  const values: unknown[] = [];
  const error = await failure(
    (async () => {
      for await (const { data } of output ?? []) values.push(data);
    })(),
  );
  expect(values).toEqual([1, 2, 3]);
  expect(error).toMatchObject({
    code: "aborted",
    message: "half way",
    details: { at: 3 },
    retryAfterMs: 5,
    outcome: "rejected",
  });
});

test("a client-stream hands its items up and gets one reply", async () => {
  await using it = await pair(async (one) => ({
    message: reply(one.message, "/agent", one.input ? await collect(one.input) : {}),
  }));
  for (const values of [[], [1], Array.from({ length: 1_000 }, (_, index) => index)]) {
    const { message } = await call(it, "client-stream", { input: items(...values) });
    expect(message?.data).toEqual(values);
  }
});

test("a bidi-stream flows both ways at the same time", async () => {
  await using it = await pair((one) => ({
    output: (async function* () {
      let seq = 0;
      for await (const { data } of one.input ?? []) yield item(one, ++seq, data);
    })(),
  }));
  let heard = (): void => {};
  async function* lockStep(): AsyncGenerator<Envelope> {
    for (let index = 0; index < 100; index++) {
      const answered = new Promise<void>((resolve) => {
        heard = resolve;
      });
      yield* items(index);
      await answered;
    }
  }
  const values: unknown[] = [];
  for await (const { data } of (await call(it, "bidi-stream", { input: lockStep() })).output ?? []) {
    values.push(data);
    heard();
  }
  expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test("either direction of a bidi-stream can end before the other", async () => {
  await using it = await pair((one) => ({
    output: (async function* () {
      const sent = one.message.data === "input first" ? await collect(one.input) : [];
      for (let seq = 1; seq <= 100; seq++) yield item(one, seq, sent.length);
    })(),
  }));
  const first = await call(it, "bidi-stream", { data: "input first", input: items(1, 2, 3) });
  expect(await collect(first.output)).toEqual(new Array(100).fill(3));
  let returned = (): void => {};
  const inputLeft = new Promise<void>((resolve) => {
    returned = resolve;
  });
  const endless: AsyncIterable<Envelope> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        returned();
        return { done: true, value: undefined };
      },
    }),
  };
  const second = await call(it, "bidi-stream", { data: "output first", input: endless });
  expect(await collect(second.output)).toHaveLength(100);
  await inputLeft;
});

test.each([
  "cancelled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
] as const)("the error %s arrives whole", async (code) => {
  const thrown = { message: "\t\nwith whitespace\r\nand ☺ 😈 %", details: { field: [1, "a"] }, retryAfterMs: 1_500 };
  await using it = await pair((one) => {
    if (one.kind !== "server-stream" && one.message.type === "text.echo.v1")
      throw new ParleyError(code, thrown.message, { ...thrown });
    return echo()(one);
  });
  expect(await failure(call(it, "request"))).toMatchObject({ ...thrown, code, outcome: "rejected" });
});

test("what a handler throws that is no error of Parley's keeps its text to itself", async () => {
  const secrets = [new Error("canary /etc/passwd"), "canary", undefined, null, Object.freeze(new Error("canary"))];
  await using it = await pair((one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    throw secrets[one.message.data as number];
  });
  for (const index of secrets.keys()) {
    const error = await failure(call(it, "request", { data: index }));
    expect(error).toMatchObject({ code: "internal", outcome: "rejected" });
    expect(JSON.stringify(error) + error.message).not.toContain("canary");
  }
});

test("an answer that JSON cannot carry is the handler's fault, and not taken for never sent", async () => {
  await using it = await pair((one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    if (one.kind === "request") return { message: reply(one.message, "/agent", { value: Number.NaN }) };
    return {
      output: (async function* () {
        yield item(one, 1, 1n);
      })(),
    };
  });
  expect(await failure(call(it, "request"))).toMatchObject({ code: "internal", outcome: "rejected" });
  expect(await failure(call(it, "server-stream"))).toMatchObject({ code: "internal", outcome: "rejected" });
});

test("data that JSON cannot carry is refused before anything is sent", async () => {
  let calls = 0;
  await using it = await pair((one) => {
    if (one.message.type === "text.echo.v1") calls++;
    return echo()(one);
  });
  const error = await failure(call(it, "request", { data: { value: Number.NaN } }));
  expect(error).toBeInstanceOf(ValidationError);
  expect(error).toMatchObject({ outcome: "not-sent" });
  expect(calls).toBe(0);
  expect(it.connection.stats().openCalls).toBe(0);
});
