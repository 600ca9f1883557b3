import { describe, expect, it } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { type Passage, type TestBroker, testBroker } from "../../test/test-broker.ts";
import { text, textHandlers } from "../../test/text.ts";
import { agent } from "../agent/agent.ts";
import { type Call, createCall } from "../call/call.ts";
import { AuthenticationError, ParleyError } from "../call/error.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { CallKind, Envelope } from "../envelope/envelope.ts";
import { answererItem, callerItem, reply } from "../envelope/follow.ts";
import { createRuntime, systemRuntime } from "../runtime/runtime.ts";
import type { Arrival, OpenBroker } from "./broker/broker.ts";
import { encodeMessage } from "./broker/encode-message.ts";
import { BRIDGE } from "./broker/topic-bridge.ts";
import { readUnread } from "./broker/unread.ts";
import { HELLO } from "./hello.ts";
import { type DialBrokerOptions, dialBroker, type ListenBrokerOptions, listenBroker } from "./over-broker.ts";
import type { Connection } from "./transport.ts";

const source = "/test";
const url = new URL("test://broker/agents/any");

/** Long enough to tell the lease that fails from the silence that lasts. */
const LEASE_MS = 250;

type Given = Partial<DialBrokerOptions & ListenBrokerOptions> & { broker?: TestBroker };

function dial(broker: TestBroker, options: Partial<DialBrokerOptions> = {}, name = "caller") {
  return dialBroker(broker.open(name), { transport: "test", agent: "any", ...options });
}

function serve(broker: TestBroker, handler: Handler, options: Partial<ListenBrokerOptions> = {}, name = "replica") {
  return listenBroker(broker.open(name), bare(handler), { transport: "test", agent: "any", url, ...options });
}

/** A caller and one replica. */
async function pair(handler: Handler, { broker = testBroker(), handler: answer, ...options }: Given = {}) {
  const listener = await serve(broker, handler, options);
  const connection = await dial(broker, { ...options, handler: answer });
  const close = async () => {
    await connection.close({ graceMs: 0 });
    await listener.close({ graceMs: 0 });
  };
  return { broker, connection, listener, close, [Symbol.asyncDispose]: close };
}

/** A link whose messages with the data "spoilt" cannot be read but for their header. */
function illegible(open: OpenBroker): OpenBroker {
  return async (events, signal) => {
    const heard = (on: (arrival: Arrival) => void) => (arrival: Arrival) => {
      if (arrival.message.data !== "spoilt") return on(arrival);
      const unread = readUnread(encodeMessage(arrival.message).replace('"spoilt"', "[[["));
      events.refused(new ParleyError("invalid_argument", "it is no event"), unread);
    };
    const link = await open({ ...events, inbox: heard(events.inbox) }, signal);
    return { ...link, subscribe: (at, on) => link.subscribe(at, heard(on)) };
  };
}

/** What is no agent does not say who it is, and has no topics. */
function bare(handler: Handler): Handler {
  return (call) => {
    if (call.message.type === HELLO || call.message.type === BRIDGE) throw new ParleyError("unimplemented", "no agent");
    return handler(call);
  };
}

function open(
  connection: Pick<Connection, "call">,
  kind: CallKind,
  data?: unknown,
  extra: {
    input?: (opener: Envelope) => AsyncIterable<Envelope>;
    timeoutMs?: number;
    subject?: string;
    type?: string;
  } = {},
) {
  const { subject, type = "test.any.v1" } = extra;
  const message = createEnvelope({ kind, type, source, data, subject });
  const deadline = extra.timeoutMs === undefined ? undefined : systemRuntime.now() + extra.timeoutMs;
  const call = createCall({ kind, message, input: extra.input?.(message), deadline });
  return { call, reply: connection.call(call) };
}

const echo: Handler = ({ message }) => ({ message: reply(message, source, message.data) });

const never: Handler = (call) => new Promise((_, reject) => call.onAbort({ callAborted: reject }));

/** Answers streams with the numbers from 1, as many as the data says. */
const counting: Handler = ({ message }) => ({ output: numbersFor(message, Number(message.data)) });

async function* numbersFor(message: Envelope, count: number) {
  for (let n = 1; n <= count; n++) yield answererItem(message, source, n, n);
}

async function* numbers(opener: Envelope, count: number) {
  for (let n = 1; n <= count; n++) yield callerItem(opener, source, n, n);
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

async function dataOf({ output }: Reply): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of output ?? []) all.push(item.data);
  return all;
}

describe("calls", () => {
  it("of every kind reach the handler and come back", async () => {
    const notified = Promise.withResolvers<unknown>();
    await using two = await pair(async (call) => {
      const { kind, message } = call;
      switch (kind) {
        case "notify":
          notified.resolve(message.data);
          return {};
        case "client-stream": {
          let sum = 0;
          for await (const item of call.input ?? []) sum += Number(item.data);
          return { message: reply(message, source, sum) };
        }
        case "bidi-stream":
          return { output: doubled(message, call.input as AsyncIterable<Envelope>) };
        case "server-stream":
          return counting(call);
        default:
          return echo(call);
      }
    });
    const { connection } = two;
    await open(connection, "notify", "now").reply;
    expect(await notified.promise).toBe("now");
    expect((await open(connection, "request", { a: 1 }).reply).message?.data).toEqual({ a: 1 });
    expect(await dataOf(await open(connection, "server-stream", 1000).reply)).toEqual(upTo(1000));
    const sum = open(connection, "client-stream", 0, { input: (opener) => numbers(opener, 1000) });
    expect((await sum.reply).message?.data).toBe(500_500);
    const both = open(connection, "bidi-stream", 0, { input: (opener) => numbers(opener, 600) });
    expect(await dataOf(await both.reply)).toEqual(upTo(600).map((n) => n * 2));
    expect(connection.stats()).toMatchObject({ openCalls: 0, refusedMessages: 0 });
    expect(two.listener.stats()).toMatchObject({ openCalls: 0, refusedMessages: 0 });
  });

  it("run together on one connection, and each gets its own answer", async () => {
    await using two = await pair(echo);
    const calls = upTo(100).map((n) => open(two.connection, "request", n).reply);
    expect((await Promise.all(calls)).map(({ message }) => message?.data)).toEqual(upTo(100));
  });

  it("may repeat an id that is in use on the connection", async () => {
    await using two = await pair(echo);
    const message = createEnvelope({ kind: "request", type: "test.any.v1", source, id: "1", data: "a" });
    const calls = [message, { ...message, data: "b" }].map((one) =>
      two.connection.call(createCall({ kind: "request", message: one })),
    );
    expect((await Promise.all(calls)).map((answer) => answer.message?.data)).toEqual(["a", "b"]);
  });

  it("fail with the handler's error, code, outcome and details intact", async () => {
    await using two = await pair(() => {
      throw new ParleyError("aborted", "try later", { outcome: "not-sent", retryAfterMs: 50, details: { at: 3 } });
    });
    for (const kind of ["request", "server-stream"] as const) {
      const error = await failureOf(open(two.connection, kind).reply);
      expect(error).toMatchObject({ code: "aborted", outcome: "not-sent", retryAfterMs: 50, details: { at: 3 } });
    }
  });

  it("learn from the handshake whom they are for and what it bears", async () => {
    const limits = { maxMessageBytes: 70_000, maxCalls: 2, windowItems: 4, windowBytes: 1024 };
    const broker = testBroker();
    await using _listener = await listenBroker(
      broker.open("replica"),
      (call) =>
        call.message.type === HELLO
          ? { message: reply(call.message, source, { name: "somebody", operations: {} }) }
          : never(call),
      { transport: "test", agent: "any", url, limits, bridgesTopics: false },
    );
    await using connection = await dial(broker);
    expect(connection.hello).toMatchObject({ name: "somebody", limits });
    const tooLong = { code: "resource_exhausted", outcome: "not-sent" };
    expect(await failureOf(open(connection, "request", "x".repeat(70_000)).reply)).toMatchObject(tooLong);
    const held = [open(connection, "request"), open(connection, "request")];
    expect(await failureOf(open(connection, "request").reply)).toMatchObject(tooLong);
    for (const { call, reply: pending } of held) {
      call.abort(new ParleyError("cancelled", "done"));
      await failureOf(pending);
    }
  });

  it("refuse an answer that is too long for the caller, whichever replica made it", async () => {
    const limits = { maxMessageBytes: 1000, maxCalls: 8, windowItems: 4, windowBytes: 1024 };
    const broker = testBroker();
    await using _one = await serve(broker, ({ message }) => ({ message: reply(message, source, "x".repeat(2000)) }));
    await using connection = await dial(broker, { limits });
    const error = await failureOf(open(connection, "request").reply);
    expect(error).toMatchObject({ code: "resource_exhausted", outcome: "rejected" });
  });

  it("end where a message comes that is longer than this side takes, from a peer who does not keep to it", async () => {
    const limits = { maxMessageBytes: 1000, maxCalls: 8, windowItems: 4, windowBytes: 1024 };
    const broker = testBroker();
    await using listener = await serve(broker, never, { limits });
    await using connection = await dial(broker, { limits });
    const forger = await broker.open("forger")(silent, undefined);
    const long = createEnvelope({ kind: "request", type: "test.any.v1", source, data: "x".repeat(2000) });
    const refusal = delivery(broker, ({ message }) => message.kind === "error");
    const replyto = broker.links.get("caller")?.inbox as string;
    forger.publish({ to: "agent", name: "any", type: long.type }, { ...long, replyto });
    expect((await refusal).message.data).toMatchObject({ code: "resource_exhausted" });
    const arrived = delivery(broker, ({ to, message }) => to === "agent" && message.type === "test.any.v1");
    const { call, reply: pending } = open(connection, "request");
    const { message } = await arrived;
    const replica = await broker.open("replica")(silent, undefined);
    const answer = { ...reply(call.message, source, "x".repeat(2000)), call: message.call as number };
    replica.publish({ to: "inbox", name: message.replyto as string }, answer);
    expect(await failureOf(pending)).toMatchObject({ code: "resource_exhausted" });
    await until(() => listener.stats().openCalls === 0);
    await Promise.all([forger.close(), replica.close()]);
  });

  it("that cannot be read are refused to who waits for them; one on which something cannot be read ends with data_loss", async () => {
    const broker = testBroker();
    const spoiling: Handler = ({ message }: Call) => {
      return { message: reply(message, source, message.data === "spoil the answer" ? "spoilt" : "sound") };
    };
    const options = { transport: "test", agent: "any", url };
    await using listener = await listenBroker(illegible(broker.open("replica")), bare(spoiling), options);
    await using connection = await dialBroker(illegible(broker.open("caller")), options);
    const refused = await failureOf(open(connection, "request", "spoilt").reply);
    expect(refused).toMatchObject({ code: "invalid_argument", outcome: "rejected", message: "it is no event" });
    const lost = await failureOf(open(connection, "request", "spoil the answer").reply);
    expect(lost).toMatchObject({ code: "data_loss", outcome: "unknown" });
    expect(await open(connection, "request", "fine").reply).toMatchObject({ message: { data: "sound" } });
    expect([listener.stats().refusedMessages, connection.stats().refusedMessages]).toEqual([1, 1]);
  });

  it("keep to themselves where their answers go: the handler gets the message as its sender made it", async () => {
    const got: Envelope[] = [];
    await using two = await pair((call) => {
      got.push(call.message);
      return call.kind === "notify" ? {} : echo(call);
    });
    for (const kind of ["request", "notify"] as const) {
      for (const replyto of [undefined, "/own"]) {
        const message = createEnvelope({ kind, type: "test.any.v1", source, replyto });
        await two.connection.call(createCall({ kind, message }));
        await until(() => got.length > 0);
        expect({ ...got.pop(), call: undefined }).toEqual({ ...message, call: undefined });
      }
    }
  });

  it("past their deadline fail on both sides", async () => {
    const reason = Promise.withResolvers<ParleyError>();
    await using two = await pair(
      (call) => new Promise(() => call.onAbort({ callAborted: (error) => reason.resolve(error) })),
    );
    const error = await failureOf(open(two.connection, "request", 1, { timeoutMs: 40 }).reply);
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect((await reason.promise).code).toBe("deadline_exceeded");
    expect(two.listener.stats().openCalls).toBe(0);
  });

  it("go from the replica back to the process that has called it", async () => {
    const back: Handler = async (call) => {
      const { invoke } = call.context.peer ?? {};
      const message = createEnvelope({ kind: "request", type: "test.back.v1", source, data: "ping" });
      const answer = await invoke?.(createCall({ kind: "request", message }));
      const items = await invoke?.(
        createCall({ kind: "server-stream", message: { ...message, kind: "server-stream", id: "2" } }),
      );
      return { message: reply(call.message, source, [answer?.message?.data, await dataOf(items as Reply)]) };
    };
    await using two = await pair(back, {
      handler: (call) =>
        call.kind === "request"
          ? { message: reply(call.message, source, `${call.message.data} pong`) }
          : { output: numbersFor(call.message, 3) },
    });
    expect((await open(two.connection, "request").reply).message?.data).toEqual(["ping pong", [1, 2, 3]]);
  });

  it("pass through a relay", async () => {
    const broker = testBroker();
    await using _behind = await serve(broker, (call) => (call.kind === "request" ? echo(call) : counting(call)), {
      agent: "behind",
    });
    const onward = await dial(broker, { agent: "behind" }, "relay-out");
    await using _relay = await listenBroker(broker.open("relay"), onward.call, {
      transport: "test",
      agent: "any",
      url,
      bridgesTopics: false,
    });
    await using connection = await dial(broker);
    expect((await open(connection, "request", "through").reply).message?.data).toBe("through");
    expect(await dataOf(await open(connection, "server-stream", 500).reply)).toEqual(upTo(500));
    await onward.close();
  });
});

describe("an opener", () => {
  it("fails at once as not sent when nobody serves the agent, also one of many", async () => {
    const clock = skippingClock();
    await using two = await pair(echo, { runtime: clock.runtime });
    await two.listener.close();
    clock.skip(2_000);
    const calls = upTo(20).map((n) => failureOf(open(two.connection, n % 2 ? "request" : "server-stream").reply));
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    }
    expect(await failureOf(open(two.connection, "notify").reply)).toMatchObject({ outcome: "not-sent" });
    expect(await failureOf(dial(two.broker))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("fails after a while, its fate unknown, where the broker does not say that nobody is there", async () => {
    const broker = testBroker({ noResponders: false });
    await using two = await pair(echo, { broker, acceptWithinMs: 30 });
    await two.listener.close();
    const error = await failureOf(open(two.connection, "request").reply);
    expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });

  it("is acknowledged by the broker once a second, and else sent the cheapest way", async () => {
    await using two = await pair(echo);
    await Promise.all(upTo(200).map((n) => open(two.connection, "request", n).reply));
    await Promise.all(upTo(200).map((n) => open(two.connection, "request", n).reply));
    const openers = two.broker.delivered.filter(({ to, message }) => to === "agent" && message.type !== HELLO);
    expect(openers.length).toBe(400);
    // Of the first, as many as brokers take at a time.
    expect(openers.filter(({ confirmed }) => confirmed).length).toBeLessThanOrEqual(18);
  });

  it("is refused at once where the broker forbids its operation, though another was just taken", async () => {
    const broker = testBroker();
    await using two = await pair(echo, { broker });
    await open(two.connection, "request").reply;
    const type = "test.forbidden.v1";
    broker.refuse = (message) =>
      message.type === type
        ? new AuthenticationError("permission_denied", "not yours", { outcome: "not-sent" })
        : undefined;
    const errors = upTo(3).map(() => failureOf(open(two.connection, "request", 1, { type }).reply));
    for (const error of await Promise.all(errors))
      expect(error).toMatchObject({ code: "permission_denied", outcome: "not-sent" });
    await open(two.connection, "request").reply;
  });

  it("that comes twice is answered once", async () => {
    const broker = testBroker();
    let handled = 0;
    await using two = await pair(
      (call) => {
        handled++;
        return call.kind === "notify" ? {} : echo(call);
      },
      { broker },
    );
    broker.fate = ({ to }) => (to === "agent" ? "twice" : undefined);
    await open(two.connection, "request").reply;
    await open(two.connection, "notify").reply;
    expect(handled).toBe(2);
    expect(two.listener.stats().lateMessages).toBe(2);
  });

  it("with the id of an earlier attempt is answered again", async () => {
    await using two = await pair(echo);
    const message = createEnvelope({ kind: "request", type: "test.any.v1", source, id: "same" });
    for (const data of ["first", "second"]) {
      const answer = await two.connection.call(createCall({ kind: "request", message: { ...message, data } }));
      expect(answer.message?.data).toBe(data);
    }
  });

  it("has no more time than the broker says is left of it", async () => {
    const left = Promise.withResolvers<number>();
    await using two = await pair((call) => {
      left.resolve((call.deadline ?? 0) - systemRuntime.now());
      return echo(call);
    });
    two.broker.about = () => ({ expiresInMs: 3_000 });
    await open(two.connection, "request", 1, { timeoutMs: 10_000 }).reply;
    expect(await left.promise).toBeLessThanOrEqual(3_000);
  });

  it("of a stranger is a request when it says where the answer goes, else a notification; made here, it is never a repetition", async () => {
    const broker = testBroker();
    broker.about = ({ from }) => ({ foreign: from === "stranger" });
    const kinds: string[] = [];
    await using listener = await serve(broker, (call) => {
      kinds.push(`${call.kind} ${call.context.foreign}`);
      return call.kind === "request" ? echo(call) : {};
    });
    const answered = Promise.withResolvers<Envelope>();
    const stranger = await broker.open("stranger")(
      { ...silent, inbox: ({ message }) => answered.resolve(message) },
      undefined,
    );
    const plain = { specversion: "1.0", id: "1", source: "/thing", type: "test.any.v1", data: 7 } as const;
    const to = { to: "agent", name: "any", type: plain.type } as const;
    stranger.publish(to, plain);
    stranger.publish(to, plain);
    stranger.publish(to, { ...plain, kind: "request" });
    stranger.publish(to, { ...plain, replyto: stranger.inbox });
    expect(await answered.promise).toMatchObject({ kind: "reply", inreplyto: "1", data: 7 });
    expect(kinds).toEqual(["notify true", "notify true", "request true"]);
    expect(listener.stats()).toEqual({ openCalls: 0, lateMessages: 0, refusedMessages: 1 });
    await stranger.close();
  });

  it("is answered by a stranger too, who names no more than its id", async () => {
    await using two = await pair(never);
    const stranger = await two.broker.open("stranger")(silent, undefined);
    await stranger.subscribe({ agent: "plain" }, ({ message }) => {
      const { id, type, replyto } = message;
      const answer = { specversion: "1.0", id: "own", source: "/thing", type, inreplyto: id } as const;
      const data = message.type === HELLO ? {} : "plain";
      stranger.publish({ to: "inbox", name: replyto as string }, { ...answer, data });
    });
    await using connection = await dial(two.broker, { agent: "plain" }, "other");
    expect((await open(connection, "request").reply).message?.data).toBe("plain");
    await stranger.close();
  });

  it("waits while the broker takes nothing, and was not sent if given up meanwhile", async () => {
    await using two = await pair(echo);
    const room = Promise.withResolvers<void>();
    two.broker.full = room.promise;
    const waiting = open(two.connection, "request", "later");
    const gone = open(two.connection, "request");
    const noted = open(two.connection, "notify");
    for (const { call } of [gone, noted]) call.abort(new ParleyError("cancelled", "enough"));
    for (const { reply: pending } of [gone, noted]) {
      expect(await failureOf(pending)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    }
    two.broker.full = undefined;
    room.resolve();
    expect((await waiting.reply).message?.data).toBe("later");
  });

  it("that the broker refuses fails with its reason", async () => {
    await using two = await pair(echo);
    await two.listener.close();
    two.broker.refuse = (message) =>
      message.kind === "notify"
        ? new AuthenticationError("permission_denied", "not for you", { outcome: "not-sent" })
        : undefined;
    const error = await failureOf(open(two.connection, "notify").reply);
    expect(error).toMatchObject({ code: "permission_denied", outcome: "not-sent" });
  });
});

describe("binding", () => {
  it("is said for a request only when it takes its time, and then a cancel goes to that replica alone", async () => {
    const broker = testBroker();
    const aborted = Promise.withResolvers<ParleyError>();
    const slow: Handler = (call) =>
      call.message.data === "fast"
        ? echo(call)
        : new Promise(() => call.onAbort({ callAborted: (error) => aborted.resolve(error) }));
    await using _one = await serve(broker, slow, {}, "one");
    await using _two = await serve(broker, slow, {}, "two");
    await using connection = await dial(broker);
    await open(connection, "request", "fast").reply;
    expect(broker.delivered.some(({ message }) => message.kind === "credit")).toBe(false);
    const accepted = delivery(broker, ({ message }) => message.kind === "credit");
    const { call, reply: pending } = open(connection, "request", "slow");
    expect((await accepted).confirmed).toBe(true);
    call.abort(new ParleyError("cancelled", "enough"));
    await failureOf(pending);
    expect(await aborted.promise).toMatchObject({ code: "cancelled" });
    const cancels = broker.delivered.filter(({ message }) => message.kind === "cancel");
    expect(cancels).toMatchObject([{ to: "inbox", receiver: (await accepted).from }]);
  });

  it("has not happened yet: a cancel goes to all replicas, and the one that has the call heeds it", async () => {
    const broker = testBroker();
    const aborted = Promise.withResolvers<ParleyError>();
    const slow: Handler = (call) => new Promise(() => call.onAbort({ callAborted: (error) => aborted.resolve(error) }));
    await using _one = await serve(broker, slow, {}, "one");
    await using two = await serve(broker, slow, {}, "two");
    await using connection = await dial(broker);
    const arrived = delivery(broker, ({ message }) => message.type === "test.any.v1");
    const { call, reply: pending } = open(connection, "request");
    await arrived;
    call.abort(new ParleyError("deadline_exceeded", "too late"));
    await failureOf(pending);
    expect(await aborted.promise).toMatchObject({ code: "deadline_exceeded" });
    expect(broker.delivered.filter(({ to }) => to === "replicas").length).toBe(2);
    expect(two.stats().lateMessages).toBe(0);
  });

  it("holds: answers from any other process are dropped and counted", async () => {
    const broker = testBroker();
    await using two = await pair(never, { broker });
    const bound = delivery(broker, ({ message }) => message.kind === "credit");
    const { call, reply: pending } = open(two.connection, "request");
    await bound;
    const forger = await broker.open("forger")(silent, undefined);
    const inbox = broker.links.get("caller")?.inbox as string;
    const forged = { ...reply(call.message, source, "forged"), call: 3 };
    const came = delivery(broker, ({ from }) => from === "forger");
    forger.publish({ to: "inbox", name: inbox }, forged);
    expect((await came).message.call).toBe((await bound).message.call);
    expect(two.connection.stats()).toMatchObject({ openCalls: 1, refusedMessages: 1 });
    call.abort(new ParleyError("cancelled", "done"));
    await failureOf(pending);
    await forger.close();
  });

  it("is to one identity, where the broker vouches for it: that of whoever answered the handshake", async () => {
    const broker = testBroker();
    broker.about = ({ from }) => ({
      principal: from === "caller" ? "user" : from === "stranger" ? "thief" : "operator",
    });
    const principals: unknown[] = [];
    await using _one = await serve(broker, (call) => {
      principals.push(call.context.peer?.principal);
      return echo(call);
    });
    await using connection = await dial(broker, { acceptWithinMs: 50 });
    await open(connection, "request").reply;
    expect(principals).toEqual(["user"]);
    await using _two = await serve(broker, echo, {}, "stranger");
    const results = await Promise.allSettled([1, 2].map((n) => open(connection, "request", n).reply));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(connection.stats().refusedMessages).toBe(1);
  });

  it("needs more than the number of a call", async () => {
    const broker = testBroker();
    await using two = await pair(never, { broker });
    const { call, reply: pending } = open(two.connection, "request");
    const forger = await broker.open("forger")(silent, undefined);
    const inbox = broker.links.get("caller")?.inbox as string;
    const came = delivery(broker, ({ from }) => from === "forger");
    forger.publish(
      { to: "inbox", name: inbox },
      { ...reply({ id: "guess", type: "test.any.v1" }, source, 1), call: 3 },
    );
    await came;
    expect(two.connection.stats()).toMatchObject({ openCalls: 1, lateMessages: 1 });
    call.abort(new ParleyError("cancelled", "done"));
    await failureOf(pending);
    await forger.close();
  });

  it("to one of two replicas that got the same opener cancels the other", async () => {
    const broker = testBroker();
    const started: string[] = [];
    const aborted = Promise.withResolvers<string>();
    const handler =
      (name: string): Handler =>
      (call) => {
        started.push(name);
        return new Promise(() => call.onAbort({ callAborted: () => aborted.resolve(name) }));
      };
    await using _one = await serve(broker, handler("one"), {}, "one");
    await using _two = await serve(broker, handler("two"), {}, "two");
    await using connection = await dial(broker);
    const arrived = delivery(broker, ({ to, message }) => to === "agent" && message.type === "test.any.v1");
    const { call, reply: pending } = open(connection, "server-stream");
    const again = await broker.open("caller")(silent, undefined);
    const first = await arrived;
    again.publish({ to: "agent", name: "any", type: "test.any.v1" }, first.message);
    const loser = await aborted.promise;
    expect(started.length).toBe(2);
    expect(loser).not.toBe(first.receiver);
    call.abort(new ParleyError("cancelled", "done"));
    await failureOf(pending);
    await again.close();
  });
});

describe("a callee that dies", () => {
  it("with a stream open, or a request accepted, ends its calls at once", async () => {
    const broker = testBroker();
    await using two = await pair(
      (call) => (call.kind === "request" ? never(call) : { output: hanging(call.message) }),
      {
        broker,
      },
    );
    const { output } = await open(two.connection, "server-stream").reply;
    const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.data).toBe(1);
    const bound = delivery(broker, ({ message }) => message.kind === "credit" && message.call === 5);
    const pending = failureOf(open(two.connection, "request").reply);
    await bound;
    broker.links.get("replica")?.kill();
    for (const error of [await failureOf(iterator.next()), await pending]) {
      expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    }
    expect(two.connection.state).toBe("open");
    expect(two.connection.stats().openCalls).toBe(0);
  });

  it("is noticed by the next lease where the broker does not watch", async () => {
    const broker = testBroker({ presence: false });
    const start = performance.now();
    await using two = await pair(({ message }) => ({ output: hanging(message) }), { broker, leaseMs: LEASE_MS });
    const { output } = await open(two.connection, "server-stream").reply;
    const items = dataOf({ output: output as AsyncIterable<Envelope> });
    broker.links.get("replica")?.kill();
    expect(await failureOf(items)).toMatchObject({ code: "unavailable", outcome: "unknown" });
    // Before silence would have told.
    expect(performance.now() - start).toBeLessThan(LEASE_MS * 2);
  });

  it("is noticed by its silence where the broker says nothing at all", async () => {
    const broker = testBroker({ presence: false, noResponders: false });
    await using two = await pair(({ message }) => ({ output: hanging(message) }), { broker, leaseMs: 60 });
    const { output } = await open(two.connection, "server-stream").reply;
    const items = dataOf({ output: output as AsyncIterable<Envelope> });
    broker.links.get("replica")?.kill();
    expect(await failureOf(items)).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });

  it("before it has accepted ends the call when the time for that is over", async () => {
    const broker = testBroker();
    await using two = await pair(never, { broker, acceptWithinMs: 50 });
    const arrived = delivery(broker, ({ to, message }) => to === "agent" && message.type === "test.any.v1");
    const pending = failureOf(open(two.connection, "request").reply);
    await arrived;
    broker.links.get("replica")?.kill();
    expect(await pending).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });
});

describe("a caller that dies", () => {
  for (const [how, promises, leaseMs] of [
    ["at once where the broker watches", {}, undefined],
    ["by the next lease where it does not", { presence: false }, LEASE_MS],
  ] as const) {
    it(`stops the streams that it read, ${how}`, async () => {
      const start = performance.now();
      const broker = testBroker(promises);
      const left = Promise.withResolvers<ParleyError>();
      await using two = await pair(
        (call) => {
          call.onAbort({ callAborted: left.resolve });
          return { output: hanging(call.message) };
        },
        { broker, leaseMs },
      );
      await open(two.connection, "server-stream").reply;
      broker.links.get("caller")?.kill();
      expect(await left.promise).toMatchObject({ code: "unavailable" });
      // Before silence would have told.
      expect(performance.now() - start).toBeLessThan(LEASE_MS * 2);
      expect(two.listener.stats().openCalls).toBe(0);
      broker.links.get("caller")?.cut();
      await two.connection.close({ graceMs: 0 });
    });
  }
});

describe("a link that is lost", () => {
  it("ends all that is under way, and the connection, with the reason", async () => {
    await using two = await pair((call) => (call.kind === "request" ? never(call) : { output: hanging(call.message) }));
    const calls = upTo(50).map((n) =>
      n % 2
        ? failureOf(open(two.connection, "request").reply)
        : open(two.connection, "server-stream").reply.then((answer) => failureOf(dataOf(answer))),
    );
    const feed = open(two.connection, "subscribe", undefined, { subject: "a/#" });
    const items = failureOf(dataOf(await feed.reply));
    await delivery(two.broker, ({ message }) => message.kind === "item");
    two.broker.links.get("caller")?.cut();
    for (const error of await Promise.all([...calls, items])) {
      expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    }
    expect(await two.connection.closed).toMatchObject({ code: "unavailable" });
    expect(two.connection.state).toBe("closed");
    expect(await failureOf(open(two.connection, "request").reply)).toMatchObject({ outcome: "not-sent" });
    expect(await failureOf(open(two.connection, "publish", 1, { subject: "a" }).reply)).toMatchObject({
      outcome: "not-sent",
    });
  });

  it("aborts what a listener answered; it comes back and serves again", async () => {
    const told: LogEntry[] = [];
    const aborted = Promise.withResolvers<ParleyError>();
    const back = Promise.withResolvers<void>();
    const log = (entry: LogEntry): void => {
      told.push(entry);
      if (entry.event === "link-restored") back.resolve();
    };
    await using two = await pair(
      (call) =>
        call.message.data === "hang" ? new Promise(() => call.onAbort({ callAborted: aborted.resolve })) : echo(call),
      { log },
    );
    const arrived = delivery(two.broker, ({ message }) => message.data === "hang");
    const pending = failureOf(open(two.connection, "request", "hang").reply);
    await arrived;
    two.broker.unreachable = true;
    two.broker.restart();
    expect(await aborted.promise).toMatchObject({ code: "unavailable" });
    expect(await pending).toMatchObject({ code: "unavailable", outcome: "unknown" });
    await until(() => told.some(({ event }) => event === "link-not-restored"));
    two.broker.unreachable = false;
    await back.promise;
    await using again = await dial(two.broker);
    expect((await open(again, "request", "again").reply).message?.data).toBe("again");
    expect(told.map(({ event }) => event)).toContain("link-lost");
  });

  it("again and again as soon as it is open comes back ever later", async () => {
    const attempts: unknown[] = [];
    const enough = Promise.withResolvers<void>();
    const broker = testBroker();
    const log = ({ event, fields }: LogEntry): void => {
      if (event !== "link-restored") return;
      attempts.push(fields?.["attempt"]);
      if (attempts.length === 4) enough.resolve();
      else setImmediate(() => broker.restart());
    };
    await using _listener = await serve(broker, echo, { log });
    broker.restart();
    await enough.promise;
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  it("does not keep a listener from closing", async () => {
    const { broker, listener, connection } = await pair(echo);
    broker.unreachable = true;
    broker.restart();
    await connection.closed;
    await listener.close();
    await listener.close();
    broker.unreachable = false;
    expect(await failureOf(dial(broker))).toMatchObject({ code: "unavailable" });
  });
});

describe("a broker that loses", () => {
  const lose = (kind: string, seq?: number) => (broker: TestBroker) => {
    broker.fate = ({ message }) =>
      message.kind === kind && (seq === undefined || message.seq === seq) ? "drop" : undefined;
  };

  it("an item ends its stream with data_loss at once, and the handler hears of it", async () => {
    const left = Promise.withResolvers<ParleyError>();
    await using two = await pair((call) => {
      call.onAbort({ callAborted: left.resolve });
      return { output: hangingAfter(call.message, 10) };
    });
    lose("item", 5)(two.broker);
    const got: unknown[] = [];
    const answer = await open(two.connection, "server-stream").reply;
    const error = await failureOf(async () => {
      for await (const item of answer.output ?? []) got.push(item.data);
    });
    expect(error).toMatchObject({ code: "data_loss", outcome: "unknown" });
    expect(got).toEqual([1, 2, 3, 4]);
    expect(await left.promise).toMatchObject({ code: "data_loss" });
  });

  it("an item of the input ends the call with data_loss", async () => {
    await using two = await pair(async (call) => {
      let sum = 0;
      for await (const item of call.input ?? []) sum += Number(item.data);
      return { message: reply(call.message, source, sum) };
    });
    lose("item", 5)(two.broker);
    const sum = open(two.connection, "client-stream", 0, { input: (opener) => oneByOneUp(opener, 10) });
    expect(await failureOf(sum.reply)).toMatchObject({ code: "data_loss" });
  });

  it("the tail of a stream is found out within two leases", async () => {
    await using two = await pair(({ message }) => ({ output: hangingAfter(message, 3) }), { leaseMs: 60 });
    lose("item", 3)(two.broker);
    const answer = await open(two.connection, "server-stream").reply;
    expect(await failureOf(dataOf(answer))).toMatchObject({ code: "data_loss" });
  });

  it("the end of a stream, or the answer to a request, is found out by a lease for a call that is over", async () => {
    await using two = await pair(
      (call) => (call.kind === "request" ? slowEcho(call) : { output: numbersFor(call.message, 3) }),
      { leaseMs: 60 },
    );
    lose("end")(two.broker);
    expect(await failureOf(dataOf(await open(two.connection, "server-stream").reply))).toMatchObject({
      code: "data_loss",
    });
    lose("reply")(two.broker);
    expect(await failureOf(open(two.connection, "request").reply)).toMatchObject({ code: "data_loss" });
  });

  it("the end of the input is found out within two leases", async () => {
    await using two = await pair(
      async (call) => {
        for await (const _ of call.input ?? []);
        return { message: reply(call.message, source, "done") };
      },
      { leaseMs: 60 },
    );
    lose("end")(two.broker);
    const call = open(two.connection, "client-stream", 0, { input: (opener) => numbers(opener, 3) });
    expect(await failureOf(call.reply)).toMatchObject({ code: "data_loss" });
  });

  it("credit is mended by the next lease", async () => {
    const limits = { maxMessageBytes: 100_000, maxCalls: 8, windowItems: 8, windowBytes: 100_000 };
    await using two = await pair(counting, { leaseMs: 60, limits });
    two.broker.fate = ({ message, confirmed }) => (message.kind === "credit" && !confirmed ? "drop" : undefined);
    expect(await dataOf(await open(two.connection, "server-stream", 20).reply)).toEqual(upTo(20));
  });

  it("the accept of a stream does no harm: its answer says the same", async () => {
    await using two = await pair(counting, { acceptWithinMs: 50 });
    two.broker.fate = ({ message, confirmed }) => (message.kind === "credit" && confirmed ? "drop" : undefined);
    expect(await dataOf(await open(two.connection, "server-stream", 400).reply)).toEqual(upTo(400));
  });

  it("the accept does not hide the end of the callee: its answer says where it is", async () => {
    await using two = await pair(({ message }) => ({ output: hanging(message) }));
    two.broker.fate = ({ message, confirmed }) => (message.kind === "credit" && confirmed ? "drop" : undefined);
    const answer = await open(two.connection, "server-stream").reply;
    two.broker.links.get("replica")?.kill();
    expect(await failureOf(dataOf(answer))).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });

  it("the answer that begins a stream ends it with data_loss", async () => {
    await using two = await pair(counting);
    lose("reply")(two.broker);
    expect(await failureOf(open(two.connection, "server-stream", 3).reply)).toMatchObject({ code: "data_loss" });
  });

  it("nothing, and repeats every message, changes nothing", async () => {
    await using two = await pair((call) =>
      call.kind === "request" ? echo(call) : { output: doubled(call.message, call.input as AsyncIterable<Envelope>) },
    );
    two.broker.fate = () => "twice";
    expect((await open(two.connection, "request", 7).reply).message?.data).toBe(7);
    const both = open(two.connection, "bidi-stream", 0, { input: (opener) => numbers(opener, 300) });
    expect(await dataOf(await both.reply)).toEqual(upTo(300).map((n) => n * 2));
    expect(two.connection.stats().lateMessages).toBeGreaterThan(0);
  });
});

describe("credit", () => {
  it("over all streams to one inbox stays within the budget, and all of them come to their end", async () => {
    let produced = 0;
    await using two = await pair(({ message }) => ({
      output: (async function* () {
        for (let n = 1; n <= 200; n++) {
          produced++;
          yield { ...answererItem(message, source, n, n), subject: "alone" };
        }
      })(),
    }));
    const streams = await Promise.all(upTo(40).map(() => open(two.connection, "server-stream").reply));
    await settled();
    // Nobody has read: what was produced is what is on the way, and one item more each that waits for room.
    expect(produced).toBeLessThanOrEqual(512 + 40);
    const all = await Promise.all(streams.map(dataOf));
    for (const items of all) expect(items).toEqual(upTo(200));
  });
});

describe("topics", () => {
  it("are the broker's own: a publication resolves when acknowledged, subscribers or none, and reaches those who match", async () => {
    await using two = await pair(never);
    await open(two.connection, "publish", "lost", { subject: "a/b" }).reply;
    const feed = open(two.connection, "subscribe", undefined, { subject: "a/+" });
    const { output } = await feed.reply;
    const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
    const published = open(two.connection, "publish", 1, { subject: "a/b", timeoutMs: 1_000 });
    await published.reply;
    await open(two.connection, "publish", 2, { subject: "b/b" }).reply;
    await open(two.connection, "publish", 3, { subject: "a/c" }).reply;
    const first = (await iterator.next()).value;
    expect(first).toMatchObject({ kind: "item", subject: "a/b", data: 1, id: published.call.message.id });
    expect(first).not.toHaveProperty("timeoutms");
    expect((await iterator.next()).value).toMatchObject({ subject: "a/c", data: 3 });
    await iterator.return?.();
    await settled();
    expect(two.broker.links.get("caller")?.subscriptions).toBe(0);
    expect(two.connection.stats().openCalls).toBe(0);
  });

  it("mark what the broker had kept", async () => {
    await using two = await pair(never);
    two.broker.retain(createEnvelope({ kind: "publish", type: "any", source, subject: "a", data: "old" }));
    const { output } = await open(two.connection, "subscribe", undefined, { subject: "a" }).reply;
    const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
    await open(two.connection, "publish", "new", { subject: "a" }).reply;
    expect((await iterator.next()).value).toMatchObject({ data: "old", retained: true });
    expect((await iterator.next()).value).not.toHaveProperty("retained");
    await iterator.return?.();
  });

  it("tell a reader who is too slow that he has lost something, after what was kept", async () => {
    await using two = await pair(never);
    const answer = await open(two.connection, "subscribe", undefined, { subject: "a" }).reply;
    for (const n of upTo(300)) await open(two.connection, "publish", n, { subject: "a" }).reply;
    const got: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of answer.output ?? []) got.push(item.data);
    });
    expect(error).toMatchObject({ code: "data_loss" });
    expect(got).toEqual(upTo(256));
  });

  it("are refused here when they are none", async () => {
    await using two = await pair(never);
    for (const [kind, subject] of [
      ["publish", "a/#"],
      ["subscribe", "a/#/b"],
    ] as const) {
      const error = await failureOf(open(two.connection, kind, 1, { subject }).reply);
      expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    }
    expect(two.connection.stats().openCalls).toBe(0);
  });

  it("get what an agent publishes in its own process, and the agent gets nothing from them", async () => {
    const broker = testBroker();
    const served = agent(text, textHandlers());
    const heard: unknown[] = [];
    const own = served.hub.subscribe("agents/#");
    await using _listener = await listenBroker(broker.open("replica"), served.handle, {
      transport: "test",
      agent: "any",
      url,
    });
    await using connection = await dial(broker);
    const { output } = await open(connection, "subscribe", undefined, { subject: "agents/#" }).reply;
    const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
    await open(connection, "publish", { state: "busy" }, { subject: "agents/x/status" }).reply;
    await served.topics.status.publish({ agent: "a" }, { state: "idle" });
    expect((await iterator.next()).value).toMatchObject({ subject: "agents/x/status" });
    expect((await iterator.next()).value).toMatchObject({ subject: "agents/a/status", data: { state: "idle" } });
    await own.return();
    for await (const item of own) heard.push(item.subject);
    expect(heard).toEqual([]);
    expect(served.hub.stats()).toMatchObject({ published: 1 });
    await iterator.return?.();
  });
});

describe("closing", () => {
  it("lets calls under way end, refuses new ones, and leaves nothing at the broker", async () => {
    const answers: (() => void)[] = [];
    const { broker, connection, listener } = await pair(
      ({ message }) =>
        new Promise((resolve) => answers.push(() => resolve({ message: reply(message, source, "late") }))),
    );
    const arrived = delivery(broker, ({ message }) => message.type === "test.any.v1");
    const pending = open(connection, "request").reply;
    await arrived;
    const closed = connection.close();
    const listenerClosed = listener.close();
    expect(connection.state).toBe("draining");
    expect(await failureOf(open(connection, "request").reply)).toMatchObject({ outcome: "not-sent" });
    for (const answer of answers) answer();
    expect((await pending).message?.data).toBe("late");
    await closed;
    expect(await connection.closed).toBeUndefined();
    await listenerClosed;
    for (const name of ["caller", "replica"]) expect(broker.links.get(name)?.subscriptions).toBe(0);
  });

  it("ends subscriptions, which have no end of their own, on both sides", async () => {
    const subscribed = Promise.withResolvers<Promise<ParleyError>>();
    const { connection, listener } = await pair(
      async (call) => {
        const message = createEnvelope({ kind: "subscribe", type: "test.feed.v1", source, subject: "a" });
        const answer = await call.context.peer?.invoke?.(createCall({ kind: "subscribe", message }));
        subscribed.resolve(failureOf(dataOf(answer as Reply)));
        return { message: reply(call.message, source, 1) };
      },
      { handler: ({ message }) => ({ output: hanging(message) }) },
    );
    await open(connection, "request").reply;
    const feed = await open(connection, "subscribe", undefined, { subject: "a" }).reply;
    const items = failureOf(dataOf(feed));
    const start = performance.now();
    await connection.close();
    expect(await items).toMatchObject({ code: "unavailable" });
    expect(await await subscribed.promise).toMatchObject({ code: "unavailable" });
    await listener.close();
    expect(performance.now() - start).toBeLessThan(2_500);
  });

  it("tells those that outlast the grace, on both sides", async () => {
    for (const side of ["connection", "listener"] as const) {
      const aborted = Promise.withResolvers<ParleyError>();
      await using two = await pair(
        (call) => new Promise(() => call.onAbort({ callAborted: (error) => aborted.resolve(error) })),
      );
      const arrived = delivery(two.broker, ({ message }) => message.type === "test.any.v1");
      const pending = failureOf(open(two.connection, "request").reply);
      await arrived;
      await two[side].close({ graceMs: 20 });
      expect(await pending).toMatchObject({ code: "unavailable", outcome: "unknown" });
      expect(await aborted.promise).toMatchObject({ code: "unavailable" });
    }
  });
});

describe("connecting", () => {
  it("gives up after its time, or with its signal, and leaves no link", async () => {
    const broker = testBroker({ noResponders: false });
    const error = await failureOf(dial(broker, { connectTimeoutMs: 30 }));
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const controller = new AbortController();
    const pending = failureOf(dial(broker, { signal: controller.signal }));
    controller.abort();
    expect(await pending).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    broker.unreachable = true;
    expect(await failureOf(dial(broker))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await failureOf(serve(broker, echo))).toMatchObject({ code: "unavailable" });
  });
});

const silent = { inbox: () => {}, refused: () => {}, down: () => {} };

const slowEcho: Handler = ({ message }) =>
  new Promise((resolve) => setTimeout(() => resolve({ message: reply(message, source, message.data) }), 300));

/** Resolves with the first delivery that fits, from now on. */
function delivery(broker: TestBroker, fits: (passage: Passage) => boolean): Promise<Passage> {
  const from = broker.delivered.length;
  return new Promise((resolve) => {
    const look = (): void => {
      const found = broker.delivered.slice(from).find(fits);
      if (found) resolve(found);
      else setImmediate(look);
    };
    look();
  });
}

/** A clock that can be set forward. */
function skippingClock() {
  let skipped = 0;
  return {
    runtime: createRuntime({ ...systemRuntime, now: () => systemRuntime.now() + skipped }),
    skip(ms: number) {
      skipped += ms;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled(1);
}

const settled = (turns = 20) =>
  new Promise<void>((resolve) => {
    const next = (left: number) => (left === 0 ? resolve() : setImmediate(next, left - 1));
    next(turns);
  });

/** One item, and then none, until it is left. */
function hanging(opener: Envelope) {
  return hangingAfter(opener, 1);
}

async function* hangingAfter(opener: Envelope, count: number) {
  yield* oneByOne(opener, count);
  await new Promise(() => {});
}

/** Items that do not travel together. */
async function* oneByOne(opener: Envelope, count: number) {
  for (let n = 1; n <= count; n++) yield { ...answererItem(opener, source, n, n), subject: "alone" };
}

async function* oneByOneUp(opener: Envelope, count: number) {
  for (let n = 1; n <= count; n++) yield { ...callerItem(opener, source, n, n), subject: "alone" };
}

async function* doubled(opener: Envelope, input: AsyncIterable<Envelope>) {
  let n = 0;
  for await (const item of input) yield answererItem(opener, source, ++n, Number(item.data) * 2);
}
