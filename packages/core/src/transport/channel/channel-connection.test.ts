import { describe, expect, it } from "vitest";
import { createCall } from "../../call/call.ts";
import { ParleyError } from "../../call/error.ts";
import type { Handler } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { decode } from "../../envelope/decode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { createRuntime, type Runtime } from "../../runtime/runtime.ts";
import { HELLO } from "../hello.ts";
import { acceptChannel, type ChannelOptions, dialChannel } from "../over-channel.ts";
import type { ChannelEvents, OpenChannel } from "./channel.ts";

/** A clock that moves when told, and timers on it. */
function manualRuntime(): Runtime & { advance(ms: number): Promise<void> } {
  let time = 1000;
  const timers = new Map<object, { at: number; run: () => void }>();
  const runtime = createRuntime({
    now: () => time,
    date: () => 1_700_000_000_000 + time,
    randomBytes: (target) => void crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
    setTimer(run, delayMs) {
      const key = {};
      timers.set(key, { at: time + delayMs, run });
      return () => void timers.delete(key);
    },
    defer: (run) => process.nextTick(run),
    nextTurn: (run) => setImmediate(run),
  });
  return Object.assign(runtime, {
    async advance(ms: number) {
      const end = time + ms;
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (!due) break;
        timers.delete(due[0]);
        time = due[1].at;
        due[1].run();
        await turn();
      }
      time = end;
      await turn();
    },
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The other end of a channel, in the hands of the test. */
function peer() {
  const sent: Envelope[] = [];
  let events: ChannelEvents | undefined;
  let writable = true;
  const state = { closedWith: undefined as ParleyError | undefined, closed: false };
  const open: OpenChannel = (given) => {
    events = given;
    return {
      write(frames) {
        sent.push(...frames.map((frame) => decode(frame)));
        return writable;
      },
      close(reason) {
        if (state.closed) return;
        state.closed = true;
        state.closedWith = reason;
        queueMicrotask(() => given.closed(reason));
      },
    };
  };
  return {
    open,
    sent,
    state,
    frame: (message: object | string) => events?.frame(typeof message === "string" ? message : JSON.stringify(message)),
    cut: (cause?: unknown) => events?.closed(cause),
    block: () => {
      writable = false;
    },
    drain: () => {
      writable = true;
      events?.drain();
    },
    last: () => sent.at(-1),
  };
}

const base = { specversion: "1.0", parley: "1", source: "/peer" };
const hello = {
  ...base,
  id: "h",
  kind: "request",
  type: "parley.hello.v1",
  call: 1,
  time: "2026-01-01T00:00:00.000Z",
  data: { profiles: ["1"] },
};

async function accepted(
  handler: Handler = ({ message }) => ({ message: reply(message, "/me", message.data) }),
  options: Partial<ChannelOptions> = {},
) {
  const other = peer();
  const connection = acceptChannel(other.open, {
    transport: "test",
    handler: (call) => (call.message.type === HELLO ? {} : handler(call)),
    ...options,
  });
  other.frame(hello);
  await turn();
  return { other, connection };
}

describe("a listening side", () => {
  it("answers hello with what it bears", async () => {
    const { other } = await accepted();
    expect(other.last()).toMatchObject({
      kind: "reply",
      call: 1,
      id: "h.r",
      data: { profile: "1", profiles: ["1"], batchItems: 32, heartbeatMs: 15_000 },
    });
  });

  it("dispatches nothing before hello", async () => {
    let ran = false;
    const other = peer();
    acceptChannel(other.open, {
      transport: "test",
      handler: () => {
        ran = true;
        return {};
      },
    });
    other.frame({ ...base, id: "a", kind: "request", type: "test.a.v1", call: 1 });
    await turn();
    expect(ran).toBe(false);
    expect(other.last()).toMatchObject({
      kind: "error",
      type: "parley.connection.v1",
      data: { code: "invalid_argument" },
    });
    expect(other.state.closedWith).toMatchObject({ code: "invalid_argument" });
  });

  it("takes one hello and no second", async () => {
    const { other } = await accepted();
    other.frame({ ...hello, id: "h2", call: 3 });
    await turn();
    expect(other.state.closedWith).toMatchObject({ code: "invalid_argument" });
  });

  it("tells a peer of another profile both ranges, then closes", async () => {
    const other = peer();
    const connection = acceptChannel(other.open, { transport: "test" });
    other.frame({ ...hello, data: { profiles: ["7", "8"] } });
    await turn();
    expect(other.sent.find(({ kind, call }) => kind === "error" && call === 1)?.data).toMatchObject({
      code: "failed_precondition",
      details: { offered: ["7", "8"], supported: ["1"] },
    });
    expect(await connection.closed).toMatchObject({ code: "failed_precondition" });
  });

  it("gives up on a peer that never says hello", async () => {
    const runtime = manualRuntime();
    const other = peer();
    const connection = acceptChannel(other.open, { transport: "test", runtime, helloTimeoutMs: 5_000 });
    await runtime.advance(5_001);
    expect(await connection.closed).toMatchObject({ code: "deadline_exceeded" });
  });

  it.each([
    ["text that is no JSON", "{"],
    ["an event without a call number", JSON.stringify({ ...base, id: "a", kind: "request", type: "test.a.v1" })],
    [
      "a call number that is used again",
      JSON.stringify({ ...base, id: "a", kind: "request", type: "test.a.v1", call: 1 }),
    ],
    [
      "a call number of the other side's",
      JSON.stringify({ ...base, id: "a", kind: "request", type: "test.a.v1", call: 2 }),
    ],
    ["a kind that does not exist", JSON.stringify({ ...base, id: "a", kind: "shout", type: "test.a.v1", call: 3 })],
  ])("ends the connection on %s, and says why", async (_what, frame) => {
    let ran = 0;
    const { other, connection } = await accepted(() => {
      ran++;
      return {};
    });
    other.frame(frame);
    await turn();
    expect(ran).toBe(0);
    expect(other.last()).toMatchObject({ kind: "error", type: "parley.connection.v1" });
    expect((await connection.closed)?.code).toBeDefined();
  });

  it("counts and drops what belongs to no call", async () => {
    const { other, connection } = await accepted();
    other.frame({ ...base, id: "x.r", kind: "reply", type: "test.a.v1", call: 3, data: 1 });
    other.frame({ ...base, id: "x.c1", kind: "item", type: "test.a.v1", call: 99, seq: 1, data: 1 });
    other.frame({ ...base, id: "b", kind: "request", type: "test.a.v1", call: 3, data: "on" });
    await turn();
    expect(connection.stats().lateMessages).toBe(2);
    expect(other.last()).toMatchObject({ kind: "reply", data: "on" });
  });

  it("takes a message of as many bytes as it said, and none of one more, whatever the characters", async () => {
    const frame = (data: string): string =>
      JSON.stringify({ ...base, id: "a", kind: "request", type: "test.a.v1", call: 3, data });
    const maxMessageBytes = 2_000;
    const room = maxMessageBytes - frame("").length;
    const limits = { maxMessageBytes, maxCalls: 10, windowItems: 4, windowBytes: 1_000 };
    const fits = await accepted(undefined, { limits });
    fits.other.frame(frame("ä".repeat(Math.floor(room / 2)) + "a".repeat(room % 2)));
    await turn();
    expect(fits.other.last()).toMatchObject({ kind: "reply", call: 3 });
    const exceeds = await accepted(undefined, { limits });
    exceeds.other.frame(frame("ä".repeat(Math.floor(room / 2) + 1)));
    await turn();
    expect(await exceeds.connection.closed).toMatchObject({ code: "resource_exhausted" });
  });

  it("ends a call whose items go beyond its credit, and only that call", async () => {
    const limits = { maxMessageBytes: 1_000_000, maxCalls: 10, windowItems: 4, windowBytes: 100_000 };
    const { other, connection } = await accepted(
      ({ kind, message }) => (kind === "request" ? { message: reply(message, "/me") } : new Promise(() => {})),
      { limits },
    );
    other.frame({ ...base, id: "up", kind: "client-stream", type: "test.a.v1", call: 3 });
    for (let seq = 1; seq <= 5; seq++)
      other.frame({ ...base, id: `up.c${seq}`, kind: "item", type: "test.a.v1", call: 3, seq, data: seq });
    await turn();
    expect(other.last()).toMatchObject({ kind: "error", call: 3, data: { code: "resource_exhausted" } });
    other.frame({ ...base, id: "b", kind: "request", type: "test.a.v1", call: 5 });
    await turn();
    expect(other.last()).toMatchObject({ kind: "reply", call: 5 });
    expect(connection.stats().openCalls).toBe(0);
  });

  it("takes a hole in a stream for lost data", async () => {
    const { other } = await accepted(() => new Promise(() => {}));
    other.frame({ ...base, id: "up", kind: "client-stream", type: "test.a.v1", call: 3 });
    other.frame({ ...base, id: "up.c2", kind: "item", type: "test.a.v1", call: 3, seq: 2, data: 1 });
    await turn();
    expect(other.last()).toMatchObject({ kind: "error", call: 3, data: { code: "data_loss" } });
  });

  it("writes several items in one event only to a peer that offered it", async () => {
    const handler: Handler = ({ message }) => ({
      output: (async function* () {
        for (let n = 1; n <= 10; n++)
          yield { ...base, id: `${message.id}.s${n}`, type: message.type, kind: "item" as const, data: n } as Envelope;
      })(),
    });
    const { other } = await accepted(handler);
    other.frame({ ...base, id: "s", kind: "server-stream", type: "test.a.v1", call: 3 });
    await turn();
    expect(other.sent.filter(({ kind }) => kind === "item").map(({ count }) => count)).toEqual(
      Array.from({ length: 10 }, () => undefined),
    );
  });

  it("takes no number that is still in use, wherever the circle of numbers stands", async () => {
    const { other, connection } = await accepted(() => new Promise(() => {}));
    for (const call of [3, 2 ** 30 + 1, 2 ** 31 - 1, 3]) {
      other.frame({ ...base, id: `n${call}`, kind: "request", type: "test.a.v1", call });
    }
    await turn();
    expect(await connection.closed).toMatchObject({ code: "invalid_argument" });
    expect(connection.stats().openCalls).toBe(0);
  });

  it("ends a connection whose peer floods and never reads", async () => {
    const { other, connection } = await accepted(undefined, { maxQueuedChars: 100_000 });
    other.block();
    for (let call = 3; call < 1_000; call += 2)
      other.frame({ ...base, id: `r${call}`, kind: "request", type: "test.a.v1", call, data: "x".repeat(1_000) });
    await turn();
    expect(await connection.closed).toMatchObject({ code: "resource_exhausted" });
  });
});

describe("a dialling side", () => {
  async function dialled(runtime: Runtime, options: Partial<ChannelOptions> = {}) {
    const other = peer();
    const connecting = dialChannel(other.open, { transport: "test", runtime, ...options });
    await turn();
    other.frame({
      ...base,
      id: `${other.last()?.id}.r`,
      kind: "reply",
      type: "parley.hello.v1",
      call: 1,
      data: { name: "peer", profile: "1", profiles: ["1"], heartbeatMs: 1_000 },
    });
    return { other, connection: await connecting };
  }

  it("says hello first and knows the peer by its answer", async () => {
    const { other, connection } = await dialled(manualRuntime());
    expect(other.sent[0]).toMatchObject({ kind: "request", type: "parley.hello.v1", call: 1 });
    expect(connection.hello).toMatchObject({ name: "peer", profile: "1" });
  });

  it("takes a peer that knows no handshake for one that says nothing of itself", async () => {
    const other = peer();
    const connecting = dialChannel(other.open, { transport: "test", runtime: manualRuntime() });
    await turn();
    const refusal = { ...base, id: "e", kind: "error", type: "parley.hello.v1", call: 1 };
    other.frame({ ...refusal, data: { code: "unimplemented", message: "what?" } });
    const connection = await connecting;
    expect(connection.hello).toEqual({ profile: "1" });
    const call = createCall({
      kind: "request",
      message: createEnvelope({ kind: "request", type: "a.b.v1", source: "/me" }),
    });
    const answer = connection.call(call);
    await turn();
    other.frame({ ...base, id: "r", kind: "reply", type: "a.b.v1", call: 3, data: "yes" });
    expect((await answer).message?.data).toBe("yes");
  });

  it("gives up a peer that refuses the handshake for another reason", async () => {
    const other = peer();
    const connecting = dialChannel(other.open, { transport: "test", runtime: manualRuntime() });
    await turn();
    const refusal = { ...base, id: "e", kind: "error", type: "parley.hello.v1", call: 1 };
    other.frame({ ...refusal, data: { code: "permission_denied", message: "no" } });
    await expect(connecting).rejects.toMatchObject({ code: "permission_denied", outcome: "not-sent" });
  });

  it("asks a silent peer for a sign of life, and gives it up after twice the shorter heartbeat", async () => {
    const runtime = manualRuntime();
    const { other, connection } = await dialled(runtime);
    await runtime.advance(1_001);
    expect(other.last()).toMatchObject({ kind: "request", type: "parley.ping.v1" });
    expect(connection.state).toBe("open");
    await runtime.advance(1_001);
    expect(await connection.closed).toMatchObject({ code: "unavailable" });
  });

  it("settles what is under way at a cut: unknown when written, not-sent when it was still waiting", async () => {
    const { other, connection } = await dialled(manualRuntime());
    const ask = () =>
      connection
        .call(
          createCall({
            kind: "request",
            message: createEnvelope({ kind: "request", type: "test.a.v1", source: "/me" }),
          }),
        )
        .catch((error) => error);
    other.block();
    const written = ask();
    await turn();
    const waiting = ask();
    other.cut(new Error("ECONNRESET"));
    expect(await written).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await ask()).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("fails calls at once when the peer has said that the connection ends, also those made after", async () => {
    const { other, connection } = await dialled(manualRuntime());
    const ask = () => {
      const message = createEnvelope({ kind: "request", type: "test.a.v1", source: "/me" });
      return connection.call(createCall({ kind: "request", message })).catch((error) => error);
    };
    const before = ask();
    await turn();
    const data = { code: "aborted", outcome: "rejected", message: "bye" };
    other.frame({ ...base, id: "e", kind: "error", type: "parley.connection.v1", data });
    const after = ask();
    expect(await before).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(await after).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("keeps nothing of calls that were given up while nothing could leave", async () => {
    const { other, connection } = await dialled(manualRuntime());
    const make = () =>
      createCall({ kind: "request", message: createEnvelope({ kind: "request", type: "test.a.v1", source: "/me" }) });
    other.block();
    connection.call(make()).catch(() => {});
    await turn();
    const sent = other.sent.length;
    for (let n = 0; n < 1_000; n++) {
      const call = make();
      const pending = expect(connection.call(call)).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
      call.abort(new ParleyError("cancelled", "enough"));
      await pending;
    }
    expect(connection.stats().openCalls).toBe(1);
    other.drain();
    await turn();
    expect(other.sent.length).toBe(sent);
  });

  it("takes the reason that the peer gives for ending the connection", async () => {
    const { other, connection } = await dialled(manualRuntime());
    other.frame({
      ...base,
      id: "e",
      kind: "error",
      type: "parley.connection.v1",
      data: { code: "resource_exhausted", outcome: "rejected", message: "too much" },
    });
    expect(await connection.closed).toMatchObject({ code: "resource_exhausted", message: "too much" });
  });

  it("does not answer calls without a handler", async () => {
    const { other } = await dialled(manualRuntime());
    other.frame({ ...base, id: "q", kind: "request", type: "test.a.v1", call: 2 });
    await turn();
    expect(other.last()).toMatchObject({
      kind: "error",
      call: 2,
      data: { code: "unimplemented", outcome: "not-sent" },
    });
  });
});
