import { describe, expect, test } from "vitest";
import { z } from "zod";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { ways, withRemote } from "../../test/remotes.ts";
import { failureOf, itemsOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import type { Call } from "../call/call.ts";
import { ParleyError, ValidationError } from "../call/error.ts";
import type { Handler, Invoke } from "../call/interceptor.ts";
import { reply } from "../envelope/follow.ts";
import { agent } from "./agent.ts";
import { client, clientCore } from "./client.ts";
import { contract } from "./contract.ts";
import { request } from "./operation.ts";

/** An agent of nobody: keeps the calls it gets, and never answers. */
function silent(): { readonly answer: Handler; readonly calls: Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    answer: (call) => {
      calls.push(call);
      return new Promise(() => {});
    },
  };
}

const nowhere: Handler = () => {
  throw new Error("was called");
};

const message = { text: "hello" };

describe.for(ways)("%s", (way) => {
  test("every kind of call works, typed, and from a client whose members were taken out", async () => {
    const lines: string[] = [];
    const logged = Promise.withResolvers<void>();
    const log = ({ line }: { line: string }) => {
      lines.push(line);
      logged.resolve();
    };
    await withRemote(
      way,
      agent(text, textHandlers({ log })),
      async ({ summarize, ping, tokens, upload, chat, log }) => {
        expect(await summarize(message)).toEqual({ summary: "hel" });
        expect(await ping()).toBe(undefined);
        expect(await itemsOf(tokens({ prompt: "a b c" }))).toEqual([{ token: "a" }, { token: "b" }, { token: "c" }]);
        expect(await upload([{ size: 1 }, { size: 2 }])).toEqual({ total: 3 });
        expect(await upload([])).toEqual({ total: 0 });
        expect(await itemsOf(chat(new Set([{ say: "x" }])))).toEqual([{ heard: "x" }]);
        expect(await log({ line: "l" })).toBe(undefined);
        await logged.promise;
        expect(lines).toEqual(["l"]);
      },
    );
  });

  test("a stream of a thousand items each way arrives whole and in order", async () => {
    const says = Array.from({ length: 1_000 }, (_, index) => ({ say: String(index) }));
    await withRemote(way, agent(text, textHandlers()), async (remote) => {
      expect(await itemsOf(remote.chat(says))).toEqual(says.map(({ say }) => ({ heard: say })));
    });
  });

  test("both sides of a bidi stream take turns", async () => {
    const heard: string[] = [];
    const turn = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* say() {
      yield { say: "one" };
      await turn[0]?.promise;
      yield { say: "two" };
      await turn[1]?.promise;
    }
    await withRemote(way, agent(text, textHandlers()), async (remote) => {
      for await (const item of remote.chat(say())) turn[heard.push(item.heard) - 1]?.resolve();
      expect(heard).toEqual(["one", "two"]);
    });
  });

  test("the agent's error is the caller's error", async () => {
    const summarize = () => {
      throw new ParleyError("resource_exhausted", "come later", { retryAfterMs: 50, details: { quota: 3 } });
    };
    await withRemote(way, agent(text, textHandlers({ summarize })), async (remote) => {
      const error = await failureOf(remote.summarize(message));
      expect(error).toMatchObject({
        code: "resource_exhausted",
        outcome: "rejected",
        message: "come later",
        retryAfterMs: 50,
        details: { quota: 3 },
      });
    });
  });

  test("a stream that fails after three items gives three items, then the error", async () => {
    async function* tokens() {
      yield* [{ token: "a" }, { token: "b" }, { token: "c" }];
      throw new ParleyError("aborted", "no more");
    }
    await withRemote(way, agent(text, textHandlers({ tokens })), async (remote) => {
      const got: string[] = [];
      const error = await failureOf(async () => {
        for await (const { token } of remote.tokens({ prompt: "" })) got.push(token);
      });
      expect(error).toMatchObject({ code: "aborted", message: "no more" });
      expect(got).toEqual(["a", "b", "c"]);
    });
  });

  test("breaking out of a stream cancels it: the handler is told, its generator returned", async () => {
    const told = Promise.withResolvers<ParleyError>();
    const returned = Promise.withResolvers<void>();
    const tokens = async function* (_: unknown, call: { signal: AbortSignal }) {
      call.signal.addEventListener("abort", () => told.resolve(call.signal.reason));
      try {
        for (;;) yield { token: "again" };
      } finally {
        returned.resolve();
      }
    };
    await withRemote(way, agent(text, textHandlers({ tokens })), async (remote) => {
      for await (const _ of remote.tokens({ prompt: "" })) break;
      expect(await told.promise).toMatchObject({ code: "cancelled" });
      await returned.promise;
    });
  });

  test("the signal cancels a request: the caller hears at once, the handler soon", async () => {
    const started = Promise.withResolvers<void>();
    const told = Promise.withResolvers<ParleyError>();
    const summarize = (_: unknown, call: { signal: AbortSignal }) => {
      call.signal.addEventListener("abort", () => told.resolve(call.signal.reason));
      started.resolve();
      return new Promise<never>(() => {});
    };
    await withRemote(way, agent(text, textHandlers({ summarize })), async (remote) => {
      const controller = new AbortController();
      const failed = failureOf(remote.summarize(message, { signal: controller.signal }));
      await started.promise;
      controller.abort(new Error("enough"));
      expect(await failed).toMatchObject({ code: "cancelled", outcome: "unknown", cause: { message: "enough" } });
      expect(await told.promise).toMatchObject({ code: "cancelled" });
    });
  });

  test("the signal cancels a stream, items under way or not", async () => {
    const returned = Promise.withResolvers<void>();
    const tokens = async function* () {
      try {
        for (;;) yield { token: "again" };
      } finally {
        returned.resolve();
      }
    };
    await withRemote(way, agent(text, textHandlers({ tokens })), async (remote) => {
      const controller = new AbortController();
      let count = 0;
      const error = await failureOf(async () => {
        for await (const _ of remote.tokens({ prompt: "" }, { signal: controller.signal }))
          if (++count === 3) controller.abort();
      });
      expect(error).toMatchObject({ code: "cancelled" });
      expect(count).toBe(3);
      await returned.promise;
    });
  });

  test("a deadline ends the call on both sides", async () => {
    const told = Promise.withResolvers<ParleyError>();
    const summarize = (_: unknown, call: { signal: AbortSignal }) => {
      call.signal.addEventListener("abort", () => told.resolve(call.signal.reason));
      return new Promise<never>(() => {});
    };
    await withRemote(way, agent(text, textHandlers({ summarize })), async (remote) => {
      const start = performance.now();
      const error = await failureOf(remote.summarize(message, { timeoutMs: 30 }));
      expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
      expect(performance.now() - start).toBeGreaterThanOrEqual(29);
      expect(await told.promise).toMatchObject({ code: "deadline_exceeded" });
    });
  });

  test("an agent that answers an upload early ends it: the caller's iterable is returned", async () => {
    const returned = Promise.withResolvers<void>();
    async function* sizes() {
      try {
        for (;;) {
          yield { size: 1 };
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        returned.resolve();
      }
    }
    const upload = async (items: AsyncIterable<{ size: number }>) => {
      let total = 0;
      for await (const { size } of items) {
        total += size;
        if (total === 3) break;
      }
      return { total };
    };
    await withRemote(way, agent(text, textHandlers({ upload })), async (remote) => {
      expect(await remote.upload(sizes())).toEqual({ total: 3 });
      await returned.promise;
    });
  });

  test("an upload that the agent refuses, or the caller cancels, returns the caller's iterable", async () => {
    for (const refuses of [true, false]) {
      const returned = Promise.withResolvers<void>();
      const sizes: AsyncIterable<{ size: number }> = {
        [Symbol.asyncIterator]: () => ({
          async next() {
            await new Promise((resolve) => setImmediate(resolve));
            return { done: false, value: { size: 1 } };
          },
          async return() {
            returned.resolve();
            return { done: true, value: undefined };
          },
        }),
      };
      const started = Promise.withResolvers<void>();
      const seen = Promise.withResolvers<unknown>();
      const upload = async (items: AsyncIterable<{ size: number }>) => {
        started.resolve();
        if (refuses) throw new ParleyError("permission_denied", "not you");
        for await (const _ of items);
        return { total: 0 };
      };
      const catching = (items: AsyncIterable<{ size: number }>) =>
        upload(items).catch((error) => {
          seen.resolve(error);
          throw error;
        });
      await withRemote(way, agent(text, textHandlers({ upload: catching })), async (remote) => {
        const controller = new AbortController();
        const failed = failureOf(remote.upload(sizes, { signal: controller.signal }));
        await started.promise;
        if (!refuses) controller.abort();
        expect(await failed).toMatchObject({ code: refuses ? "permission_denied" : "cancelled" });
        await returned.promise;
        // For the handler a cancelled input is an error, not a clean end.
        expect(await seen.promise).toMatchObject({ code: refuses ? "permission_denied" : "cancelled" });
      });
    }
  });

  test("an iterable that throws cancels the call, and is the cause", async () => {
    async function* sizes() {
      yield { size: 1 };
      throw new Error("disk full");
    }
    const seen = Promise.withResolvers<unknown>();
    const upload = async (items: AsyncIterable<unknown>) => {
      try {
        for await (const _ of items);
      } catch (error) {
        seen.resolve(error);
      }
      return { total: 0 };
    };
    await withRemote(way, agent(text, textHandlers({ upload })), async (remote) => {
      expect(await failureOf(remote.upload(sizes()))).toMatchObject({
        code: "cancelled",
        outcome: "unknown",
        cause: { message: "disk full" },
      });
      expect(await seen.promise).toMatchObject({ code: "cancelled" });
    });
  });

  test("an item that does not fit never leaves, and ends the call", async () => {
    const got: number[] = [];
    const upload = async (items: AsyncIterable<{ size: number }>) => {
      for await (const { size } of items) got.push(size);
      return { total: 0 };
    };
    await withRemote(way, agent(text, textHandlers({ upload })), async (remote) => {
      const error = await failureOf(remote.upload([{ size: 1 }, { size: "2" as never }, { size: 3 }]));
      expect(error).toBeInstanceOf(ValidationError);
      expect(error.message).toMatch(/^item 2 of the input of text\.upload\.v1 is invalid: size/);
      expect(error.outcome).toBe("unknown");
      expect(got).not.toContain("2");
      expect(got).not.toContain(3);
    });
  });

  test("fifty calls at once each get their own answer, and cancelling one leaves the others", async () => {
    const release = Promise.withResolvers<void>();
    const summarize = async ({ text }: { text: string }) => {
      await release.promise;
      return { summary: text };
    };
    await withRemote(way, agent(text, textHandlers({ summarize })), async (remote) => {
      const controller = new AbortController();
      const calls = Array.from({ length: 50 }, (_, index) =>
        remote.summarize({ text: String(index) }, index === 7 ? { signal: controller.signal } : {}),
      );
      const cancelled = failureOf(calls[7] as Promise<unknown>);
      controller.abort();
      expect(await cancelled).toMatchObject({ code: "cancelled" });
      release.resolve();
      const settled = await Promise.allSettled(calls);
      expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(49);
      expect(settled[8]).toEqual({ status: "fulfilled", value: { summary: "8" } });
    });
  });
});

test("input that does not fit is refused before anything is sent, with issues and paths", async () => {
  const remote = client(text, nowhere);
  const wrong = { text: 7 } as never;
  for (const failure of [remote.summarize(wrong), remote.log({} as never), itemsOf(remote.tokens({} as never))]) {
    const error = await failureOf(failure as Promise<unknown>);
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ outcome: "not-sent", issues: [{ path: [expect.any(String)] }] });
  }
  expect((await failureOf(remote.summarize(wrong))).message).toMatch(
    /^the input of text\.summarize\.v1 is invalid: text: /,
  );
});

test("what cannot be iterated is refused before anything is sent", async () => {
  const remote = client(text, nowhere);
  for (const input of [undefined, null, 7, "text", {}]) {
    expect(await failureOf(remote.upload(input as never))).toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
    });
    expect(await failureOf(itemsOf(remote.chat(input as never)))).toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
    });
  }
});

test("output that does not fit is an error of the caller's, naming the operation", async () => {
  const remote = client(text, ({ message }) => ({ message: reply(message, "test", { summary: 7 }) }));
  const error = await failureOf(remote.summarize(message));
  expect(error).toBeInstanceOf(ValidationError);
  expect(error).toMatchObject({ outcome: "unknown", issues: [{ path: ["summary"] }] });
  expect(error.message).toContain("the output of text.summarize.v1");
});

test("an item that does not fit ends the stream with an error, and cancels the call", async () => {
  let call: Call | undefined;
  let returned = 0;
  const remote = client(text, (made) => {
    call = made;
    const item = { ...reply(made.message, "test", { token: 7 }), kind: "item" as const };
    const output = {
      next: async () => ({ done: false as const, value: item }),
      return: async () => ({ done: true as const, value: returned++ }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    return { output };
  });
  const error = await failureOf(itemsOf(remote.tokens({ prompt: "" })));
  expect(error.message).toMatch(/^item 1 of the output of text\.tokens\.v1 is invalid/);
  expect(call?.aborted).toBe(error);
  expect(returned).toBe(1);
});

test("an answer of the wrong sort is an internal error", async () => {
  const remote = client(text, () => ({}));
  expect(await failureOf(remote.summarize(message))).toMatchObject({ code: "internal", outcome: "unknown" });
  expect(await failureOf(itemsOf(remote.tokens({ prompt: "" })))).toMatchObject({
    code: "internal",
    outcome: "unknown",
  });
});

test("async schemas work on both sides", async () => {
  const slow = z.object({ n: z.number() }).refine(async ({ n }) => n < 10);
  const made = contract("t", { double: request({ input: slow, output: slow }) });
  const remote = client(made, agent(made, { double: ({ n }) => ({ n: n * 2 }) }).handle);
  expect(await remote.double({ n: 4 })).toEqual({ n: 8 });
  expect(await failureOf(remote.double({ n: 10 }))).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(await failureOf(remote.double({ n: 6 }))).toMatchObject({ code: "internal" });
});

test("defaults are filled in and transformations done by whoever receives", async () => {
  const made = contract("t", {
    run: request({ input: z.object({ n: z.number().default(3) }), output: z.string().transform((all) => all.length) }),
  });
  const remote = client(made, agent(made, { run: ({ n }) => "x".repeat(n) }).handle);
  expect(await remote.run({})).toBe(3);
});

test("an invoke that ignores the abort cannot hold the caller", async () => {
  const { answer, calls } = silent();
  const remote = client(text, answer);
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const iterator = remote.tokens({ prompt: "" }, options)[Symbol.asyncIterator]();
  const failures = [
    remote.summarize(message, options),
    remote.log({ line: "" }, options),
    remote.upload([], options),
    iterator.next(),
  ].map((one) => failureOf(one as Promise<unknown>));
  await expect.poll(() => calls.length).toBe(4);
  const turn = new Promise<void>((resolve) => setImmediate(resolve)).then(() => "too late");
  controller.abort();
  for (const failure of failures) expect(await Promise.race([failure, turn])).toMatchObject({ code: "cancelled" });
});

test("a stream that stalls is ended by the deadline although its source ignores it", async () => {
  const { runtime, advance, ...clock } = manualRuntime();
  const output = {
    next: () => new Promise<never>(() => {}),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  const remote = client(text, () => ({ output }), { runtime });
  const next = remote.tokens({ prompt: "" }, { timeoutMs: 100 })[Symbol.asyncIterator]().next();
  await new Promise((resolve) => setImmediate(resolve));
  advance(110);
  expect(await failureOf(next)).toMatchObject({ code: "deadline_exceeded" });
  expect(clock.timers).toBe(0);
});

test("what was aborted or too late before it began is refused without a call", async () => {
  const remote = client(text, nowhere);
  const aborted = { signal: AbortSignal.abort(new Error("enough")) };
  for (const call of [
    () => remote.summarize(message, aborted),
    () => remote.upload([], aborted),
    () => itemsOf(remote.tokens({ prompt: "" }, aborted)),
    () => remote.log({ line: "" }, aborted),
    () => remote.status.subscribe({}, aborted),
  ]) {
    expect(await failureOf(call)).toMatchObject({
      code: "cancelled",
      outcome: "not-sent",
      cause: { message: "enough" },
    });
  }
  for (const timeoutMs of [0, -1, Number.NEGATIVE_INFINITY]) {
    expect(await failureOf(remote.summarize(message, { timeoutMs }))).toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
  }
  for (const timeoutMs of [Number.NaN, "5s" as never]) {
    expect(await failureOf(remote.summarize(message, { timeoutMs }))).toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
    });
  }
});

test("a timeout longer than a timer can be is no short one", async () => {
  const { runtime } = manualRuntime();
  const { answer, calls } = silent();
  const remote = client(text, answer, { runtime });
  for (const timeoutMs of [1e15, Number.POSITIVE_INFINITY]) void remote.summarize(message, { timeoutMs });
  expect(calls.map(({ deadline }) => deadline)).toEqual([1_000 + 2 ** 31 - 1, 1_000 + 2 ** 31 - 1]);
});

test("the client's timeout is for calls that have none of their own", async () => {
  const { runtime } = manualRuntime();
  const { answer, calls } = silent();
  const remote = client(text, answer, { runtime, timeoutMs: 500 });
  void remote.summarize(message);
  void remote.summarize(message, { timeoutMs: 700 });
  void client(text, answer, { runtime }).summarize(message);
  expect(calls.map(({ deadline }) => deadline)).toEqual([1_500, 1_700, undefined]);
});

test("a call that is over leaves no deadline and no listener behind", async () => {
  const { runtime, ...clock } = manualRuntime();
  const remote = client(text, agent(text, textHandlers(), { runtime }).handle, { runtime });
  const { signal } = new AbortController();
  let listening = 0;
  signal.addEventListener = () => void listening++;
  signal.removeEventListener = () => void listening--;
  const options = { signal, timeoutMs: 1_000 };
  await remote.summarize(message, options);
  await remote.upload([{ size: 1 }], options);
  await remote.log({ line: "" }, options);
  await itemsOf(remote.tokens({ prompt: "a b" }, options));
  for await (const _ of remote.tokens({ prompt: "a b" }, options)) break;
  await (await remote.status.subscribe({}, options)).close();
  await remote.status.publish({ agent: "a" }, { state: "idle" }, options);
  await failureOf(remote.upload([{ size: "x" as never }], options));
  expect(listening).toBe(0);
  expect(runtime.deadlines.size).toBe(0);
  expect(clock.timers).toBe(0);
});

test("cancelling after the end is nothing", async () => {
  let call: Call | undefined;
  const controller = new AbortController();
  const remote = client(text, (made) => {
    call = made;
    return { message: reply(made.message, "test", { summary: "x" }) };
  });
  await remote.summarize(message, { signal: controller.signal });
  controller.abort();
  expect(call?.aborted).toBe(undefined);
});

test("a late stream for a caller who is gone is left", async () => {
  const answered = Promise.withResolvers<void>();
  let returned = 0;
  const output = {
    next: () => new Promise<never>(() => {}),
    return: async () => ({ done: true as const, value: returned++ }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  const remote = client(text, async () => {
    await answered.promise;
    return { output };
  });
  const controller = new AbortController();
  const next = remote.tokens({ prompt: "" }, { signal: controller.signal })[Symbol.asyncIterator]().next();
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await failureOf(next);
  answered.resolve();
  await expect.poll(() => returned).toBe(1);
});

test("a stream can be iterated once, and says so", async () => {
  const remote = client(text, agent(text, textHandlers()).handle);
  const stream = remote.tokens({ prompt: "a" });
  await itemsOf(stream);
  const error = await failureOf(itemsOf(stream));
  expect(error).toMatchObject({ code: "failed_precondition" });
  expect(error.message).toContain("text.tokens.v1 has been iterated already");
});

test("a stream that nobody iterates, or that is left before its first item, calls nobody", async () => {
  const remote = client(text, nowhere);
  remote.tokens({ prompt: "a" });
  const iterator = remote.tokens({ prompt: "a" })[Symbol.asyncIterator]();
  expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("a stream left while it is being opened is cancelled, and ends cleanly", async () => {
  const { answer, calls } = silent();
  const iterator = client(text, answer).tokens({ prompt: "a" })[Symbol.asyncIterator]();
  const next = iterator.next();
  await expect.poll(() => calls.length).toBe(1);
  await iterator.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(calls[0]?.aborted).toMatchObject({ code: "cancelled" });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("a stream that cannot be opened fails once, and is over", async () => {
  const iterator = client(text, () => ({}))
    .tokens({ prompt: "a" })
    [Symbol.asyncIterator]();
  expect(await failureOf(iterator.next())).toMatchObject({ code: "internal" });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("an opener says who calls what, and no more than that", async () => {
  const { answer, calls } = silent();
  const remote = client(text, answer, { source: "tests/one" });
  void remote.summarize(message);
  void remote.ping();
  expect(calls[0]?.message).toStrictEqual({
    specversion: "1.0",
    parley: "1",
    id: expect.any(String),
    source: "tests/one",
    type: "text.summarize.v1",
    kind: "request",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    data: message,
  });
  expect(Object.hasOwn(calls[1]?.message ?? {}, "data")).toBe(false);
  expect(calls[0]?.message.id).not.toBe(calls[1]?.message.id);
});

test("the options of a call become attributes", async () => {
  const { answer, calls } = silent();
  void client(text, answer).summarize(message, {
    idempotencyKey: "k1",
    attributes: {
      tenant: "acme",
      retries: 3,
      dry: true,
      partitionkey: "p",
      correlationid: "flow",
      absent: undefined as never,
    },
  });
  expect(calls[0]?.message).toMatchObject({
    idempotencykey: "k1",
    tenant: "acme",
    retries: 3,
    dry: true,
    partitionkey: "p",
    correlationid: "flow",
  });
  expect(calls[0]?.message).not.toHaveProperty("absent");
});

test.for([
  ...[
    "specversion",
    "parley",
    "id",
    "source",
    "type",
    "kind",
    "time",
    "subject",
    "data",
    "data_base64",
    "call",
    "seq",
    "timeoutms",
    "idempotencykey",
  ],
  ...["Tenant", "my-tenant", "", "x".repeat(21), "__proto__"],
])("the attribute %j is refused before anything is sent", async (name) => {
  const attributes = Object.fromEntries([[name, "x"]]);
  const error = await failureOf(client(text, nowhere).summarize(message, { attributes }));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).toContain(JSON.stringify(name));
});

test.for([null, {}, [], 1.5, 2 ** 31, -0, Number.NaN])("an attribute cannot be %j", async (value) => {
  expect(
    await failureOf(client(text, nowhere).summarize(message, { attributes: { tenant: value as never } })),
  ).toMatchObject({ code: "invalid_argument" });
});

test("interceptors surround every call, the first outermost", async () => {
  const seen: string[] = [];
  const remote = client(text, agent(text, textHandlers()).handle, {
    use: ["outer", "inner"].map((name) => (next) => async (call) => {
      seen.push(`${name} ${call.kind}`);
      return next(call);
    }),
  });
  await remote.summarize(message);
  await itemsOf(remote.tokens({ prompt: "a" }));
  expect(seen).toEqual(["outer request", "inner request", "outer server-stream", "inner server-stream"]);
});

test("an interceptor hears of a handler's error as a rejection, also one thrown at once", async () => {
  const summarize = () => {
    throw new ParleyError("not_found", "nothing there");
  };
  const remote = client(text, agent(text, textHandlers({ summarize })).handle, {
    use: [
      (next) => (call) =>
        next(call).catch((error) => Promise.reject(new ParleyError("aborted", "seen", { cause: error }))),
    ],
  });
  expect(await failureOf(remote.summarize(message))).toMatchObject({ code: "aborted", cause: { code: "not_found" } });
});

test("a client shows its operations and nothing else", () => {
  const remote = client(text, nowhere);
  expect(Object.keys(remote)).toEqual(["summarize", "ping", "tokens", "upload", "chat", "log", "status"]);
  expect(remote[clientCore].contract).toBe(text);
});

test("a client is not taken for a promise", async () => {
  const remote = client(text, nowhere);
  expect(await remote).toBe(remote);
});

test.each([
  ["throws", () => Promise.reject(new Error("a bug"))],
  ["returns nothing", () => Promise.resolve(undefined)],
])("an interceptor that %s is told as a fault of this side", async (_what, inner) => {
  const one = contract("one", { ask: request({}) });
  // What a caller without types writes.
  const remote = client(one, inner as unknown as Invoke);
  const error = await failureOf(() => remote.ask());
  expect(error).toMatchObject({ code: "internal", outcome: "unknown" });
  expect(error.message).toContain("one.ask.v1 failed on this side");
});

test("a client of another copy of core is bound to the call being handled as one of this copy is", async () => {
  const { vi } = await import("vitest");
  vi.resetModules();
  const other = await import("./client.ts");
  expect(other.client).not.toBe(client);
  const one = contract("one", { ask: request({}) });
  const asked: Call[] = [];
  const remote = other.client(one, (call) => {
    asked.push(call);
    return { message: reply(call.message, "there") };
  });
  const own = agent(one, { ask: async (_input, call) => void (await call.client(remote).ask()) });
  await client(one, own.handle).ask();
  const [inner] = asked;
  expect(inner?.message.causationid).toBeDefined();
  expect(inner?.message.correlationid).toBe(inner?.message.causationid);
});
