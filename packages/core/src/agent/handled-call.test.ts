import { expect, test } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf, itemsOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { type Call, createCall } from "../call/call.ts";
import { Context } from "../call/context.ts";
import { ParleyError } from "../call/error.ts";
import type { Handler } from "../call/interceptor.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import { reply } from "../envelope/follow.ts";
import { memory } from "../transport/memory.ts";
import { agent } from "./agent.ts";
import { bind, client } from "./client.ts";
import { connect } from "./connect.ts";
import type { HandledCall } from "./handled-call.ts";
import { serve } from "./serve.ts";

const message = { text: "hello" };

/** A client of a peer that remembers its calls and answers them. */
function recording(): {
  readonly remote: ReturnType<typeof client<typeof text>>;
  readonly calls: Call[];
  readonly answer: Handler;
} {
  const calls: Call[] = [];
  const answer: Handler = (call) => {
    calls.push(call);
    return { message: reply(call.message, "peer", { summary: "x" }) };
  };
  return { remote: client(text, answer), calls, answer };
}

test("a handler sees the message, who sent it, and how long it has", async () => {
  const { runtime, advance } = manualRuntime();
  const seen = Promise.withResolvers<HandledCall>();
  const answered = Promise.withResolvers<void>();
  const ping = async (_: undefined, call: HandledCall<typeof text>) => {
    seen.resolve(call as HandledCall);
    await answered.promise;
  };
  const handle = agent(text, textHandlers({ ping }), { runtime }).handle;
  const context = new Context({ transport: "test", principal: "alice" });
  const opener = createEnvelope({ kind: "request", type: "text.ping.v1", source: "me", tenant: "acme" });
  const call = createCall({ kind: "request", message: opener, deadline: runtime.now() + 100, context }, runtime);
  const done = handle(call);
  const handled = await seen.promise;
  expect(handled.message).toBe(opener);
  expect(handled.context).toBe(context);
  expect(handled.deadline).toBe(1_100);
  expect(handled.timeLeft()).toBe(100);
  advance(40);
  expect(handled.timeLeft()).toBe(60);
  expect(handled.aborted).toBe(undefined);
  advance(100);
  expect(handled.timeLeft()).toBe(0);
  expect(handled.aborted).toMatchObject({ code: "deadline_exceeded" });
  expect(handled.signal.reason).toBe(handled.aborted);
  answered.resolve();
  await done;
});

test("without a deadline there is no time left to tell", async () => {
  let left: number | undefined = 1;
  const ping = (_: undefined, call: HandledCall<typeof text>) => {
    left = call.timeLeft();
  };
  await client(text, agent(text, textHandlers({ ping })).handle).ping();
  expect(left).toBe(undefined);
});

test("a bound client carries flow, cause and trace, over any number of steps", async () => {
  const { remote, calls } = recording();
  const middle = agent(text, textHandlers({ summarize: (input, call) => call.client(remote).summarize(input) }));
  const first = client(text, middle.handle);
  const outer = agent(text, textHandlers({ summarize: (input, call) => call.client(first).summarize(input) }));
  let root: Call | undefined;
  const watched = client(text, (call) => {
    root = call;
    return outer.handle(call);
  });
  await watched.summarize(message, { attributes: { traceparent: "00-ab-cd-01", tracestate: "a=b" } });
  const [last] = calls;
  expect(root?.message).not.toHaveProperty("correlationid");
  expect(last?.message).toMatchObject({
    correlationid: root?.message.id,
    traceparent: "00-ab-cd-01",
    tracestate: "a=b",
  });
  expect(last?.message.causationid).not.toBe(root?.message.id);
  expect(last?.message).not.toHaveProperty("tenant");
});

test("the first bound call is caused by the root", async () => {
  const { remote, calls } = recording();
  const opener = createEnvelope({ kind: "request", type: "text.ping.v1", source: "me", correlationid: "flow" });
  await bind(remote, createCall({ kind: "request", message: opener })).summarize(message);
  expect(calls[0]?.message).toMatchObject({ correlationid: "flow", causationid: opener.id });
});

test.for([
  [undefined, 100, 1_095],
  [20, 100, 1_020],
  [200, 100, 1_095],
  [200, undefined, 1_200],
  [undefined, undefined, undefined],
] as const)("with a timeout of %s ms and %s ms left, a bound call is due at %s", async ([timeoutMs, leftMs, due]) => {
  const { runtime } = manualRuntime();
  const calls: Call[] = [];
  const remote = client(
    text,
    (call) => {
      calls.push(call);
      return new Promise(() => {});
    },
    { runtime },
  );
  const opener = createEnvelope({ kind: "request", type: "text.ping.v1", source: "me" });
  const parent = createCall(
    { kind: "request", message: opener, deadline: leftMs === undefined ? undefined : runtime.now() + leftMs },
    runtime,
  );
  void bind(remote, parent).summarize(message, { timeoutMs });
  expect(calls[0]?.deadline).toBe(due);
});

test("a bound call whose parent has no time left, or is over, is refused without a call", async () => {
  const { runtime } = manualRuntime();
  const remote = client(text, () => expect.unreachable(), { runtime });
  const opener = createEnvelope({ kind: "request", type: "text.ping.v1", source: "me" });
  const short = createCall({ kind: "request", message: opener, deadline: runtime.now() + 5 }, runtime);
  expect(await failureOf(bind(remote, short).summarize(message))).toMatchObject({
    code: "deadline_exceeded",
    outcome: "not-sent",
  });
  const over = createCall({ kind: "request", message: opener }, runtime);
  over.abort(new ParleyError("cancelled", "over", { outcome: "unknown" }));
  expect(await failureOf(bind(remote, over).summarize(message))).toMatchObject({
    code: "cancelled",
    outcome: "not-sent",
  });
});

test("cancelling the handled call cancels what it has under way", async () => {
  const opener = createEnvelope({ kind: "request", type: "text.ping.v1", source: "me" });
  const parent = createCall({ kind: "request", message: opener });
  const calls: Call[] = [];
  const remote = client(text, (call) => {
    calls.push(call);
    return new Promise(() => {});
  });
  const bound = bind(remote, parent);
  const failures = [bound.summarize(message), itemsOf(bound.tokens({ prompt: "" })), bound.status.subscribe()].map(
    (one) => failureOf(one as Promise<unknown>),
  );
  await expect.poll(() => calls.length).toBe(3);
  const reason = new ParleyError("cancelled", "over");
  parent.abort(reason);
  for (const failure of failures) expect(await failure).toBe(reason);
  expect(calls.map(({ aborted }) => aborted)).toEqual([reason, reason, reason]);
});

test("a bound client can be taken apart, and bound again", async () => {
  const { remote, calls } = recording();
  const callWith = (id: string) =>
    createCall({
      kind: "request",
      message: createEnvelope({ id, kind: "request", type: "text.ping.v1", source: "me" }),
    });
  const [one, two] = [callWith("one"), callWith("two")];
  const { summarize } = bind(remote, one);
  await summarize(message);
  await bind(bind(remote, one), two).summarize(message);
  expect(calls.map(({ message }) => message.causationid)).toEqual(["one", "two"]);
});

test("the caller can be called back over its connection, and knows the flow", async () => {
  const back: unknown[] = [];
  const summarize = async (input: { text: string }, call: HandledCall) => {
    const caller = call.caller(text);
    back.push(await itemsOf(caller.tokens({ prompt: "x y" })));
    return caller.summarize(input);
  };
  const seen: HandledCall[] = [];
  const callee = agent(
    text,
    textHandlers({
      summarize: ({ text }, call) => {
        seen.push(call as HandledCall);
        return { summary: text.toUpperCase() };
      },
    }),
  );
  await using server = await serve(agent(text, textHandlers({ summarize })), "memory://", { transports: [memory()] });
  await using remote = await connect(text, server.urls[0] as URL, { transports: [memory()], agent: callee });
  expect(await remote.summarize(message)).toEqual({ summary: "HELLO" });
  expect(await remote.summarize(message)).toEqual({ summary: "HELLO" });
  expect(back[0]).toEqual([{ token: "x" }, { token: "y" }]);
  expect(seen[0]?.message.correlationid).toBe(seen[0]?.message.causationid);
  expect(seen[0]?.message.source).toBe("text");
});

test("a caller that cannot be called back is `unimplemented`", async () => {
  const ping = (_: undefined, call: HandledCall) => void call.caller(text);
  const handle = agent(text, textHandlers({ ping })).handle;
  expect(await failureOf(client(text, handle).ping())).toMatchObject({ code: "unimplemented", outcome: "rejected" });
  const context = new Context({ transport: "carrier-pigeon" });
  const call = createCall({
    kind: "request",
    message: createEnvelope({ kind: "request", type: "text.ping.v1", source: "me" }),
    context,
  });
  expect((await failureOf(() => handle(call))).message).toContain("the transport carrier-pigeon cannot call back");
});

test("a handler publishes to the agent's topics as part of its call", async () => {
  const publisher = agent(
    text,
    textHandlers({
      async ping(_, call) {
        await call.topics.status.publish({ agent: "a" }, { state: "busy" });
      },
    }),
  );
  await using updates = await publisher.topics.status.subscribe();
  const remote = client(text, publisher.handle);
  let id: string | undefined;
  await client(text, (call) => {
    id = call.message.id;
    return publisher.handle(call);
  }).ping();
  for await (const { data, message } of updates) {
    expect(data).toEqual({ state: "busy" });
    expect(message).toMatchObject({ causationid: id, correlationid: id, source: "text" });
    break;
  }
  expect(Object.keys(publisher.topics)).toEqual(["status"]);
  expect(await remote.ping()).toBe(undefined);
});

test("a handler's log is that of the agent, or silence", async () => {
  const entries: LogEntry[] = [];
  const entry = { level: "info", event: "hello", message: "hello" } as const;
  const ping = (_: undefined, call: HandledCall) => call.log(entry);
  await client(text, agent(text, textHandlers({ ping }), { log: (one) => entries.push(one) }).handle).ping();
  await client(text, agent(text, textHandlers({ ping })).handle).ping();
  expect(entries).toEqual([entry]);
});
