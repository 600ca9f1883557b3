import { connect as connectTcp, createServer, type Socket } from "node:net";
import { bearer } from "@parley/core";
import {
  answererItem,
  type Connection,
  createCall,
  createEnvelope,
  type Envelope,
  type Handler,
  HELLO,
  ParleyError,
  type ReconnectingConnection,
  type ReconnectOptions,
  reconnecting,
  reply,
  type StateChange,
} from "@parley/core/transport";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type WsOptions, ws } from "./index.ts";

const source = "/test";
const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A handler that notes what it is asked, and answers requests when it is told to. */
function working() {
  const ran: unknown[] = [];
  const shown: unknown[] = [];
  const aborted: unknown[] = [];
  let go = Promise.withResolvers<void>();
  const handler: Handler = (call) => {
    const { kind, message } = call;
    if (message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
    ran.push(message.data);
    shown.push(call.context.peer?.presented?.header("authorization")[0]);
    call.onAbort({ callAborted: ({ code }) => void aborted.push(code) });
    if (kind === "notify") return {};
    if (kind === "request") {
      const answer = { message: reply(message, source, message.data) };
      return message.data === "held" ? go.promise.then(() => answer) : answer;
    }
    async function* items() {
      for (let n = 1; n <= Number(message.data); n++) yield answererItem(message, source, n, n);
    }
    return { output: items() };
  };
  return {
    handler,
    ran,
    shown,
    aborted,
    release() {
      go.resolve();
      go = Promise.withResolvers();
    },
  };
}

/** A relay between both ends, which can reset its connections, fall silent, and take no new ones. */
async function relayTo(port: string) {
  const pairs = new Set<readonly [Socket, Socket]>();
  let open = true;
  let dialled = 0;
  const server = createServer((near) => {
    dialled++;
    near.on("error", () => {});
    if (!open) return near.resetAndDestroy();
    const far = connectTcp(Number(port), "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    far.on("error", () => near.resetAndDestroy());
    near.on("close", () => {
      pairs.delete(pair);
      far.destroy();
    });
    far.on("close", () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = {
    url: new URL(`ws://127.0.0.1:${(server.address() as { readonly port: number }).port}`),
    get dialled() {
      return dialled;
    },
    reset() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    /** Nothing passes any more, and nobody is told. */
    mute() {
      for (const [near, far] of pairs) {
        near.unpipe().pause();
        far.unpipe().pause();
      }
    },
    refuse(refused: boolean) {
      open = !refused;
    },
  };
  cleanups.push(() => {
    relay.reset();
    server.close();
  });
  return relay;
}

async function scene(options: WsOptions = {}, reconnect: ReconnectOptions = {}) {
  const work = working();
  const listener = await ws(options).listen(new URL("ws://127.0.0.1:0"), work.handler);
  cleanups.push(() => listener.close({ graceMs: 0 }));
  const relay = await relayTo(listener.url.port);
  const dialling = reconnecting(ws(options), { baseMs: 1, maxMs: 10, ...reconnect });
  const connection = await dialling.connect(relay.url);
  cleanups.push(() => connection.close({ graceMs: 0 }));
  return { ...work, listener, relay, connection };
}

function reached(connection: ReconnectingConnection, state: StateChange["state"]): Promise<void> {
  return new Promise((resolve) => {
    const off = connection.onState((change) => {
      if (change.state !== state) return;
      off();
      resolve();
    });
  });
}

async function ask(connection: Connection, data: unknown): Promise<unknown> {
  const message = createEnvelope({ kind: "request", type: "test.work.v1", source, data });
  return (await connection.call(createCall({ kind: "request", message }))).message?.data;
}

function tell(connection: Connection, data: unknown): Promise<unknown> {
  const message = createEnvelope({ kind: "notify", type: "test.work.v1", source, data });
  return connection.call(createCall({ kind: "notify", message }));
}

async function count(connection: Connection, upTo: number, onItem: (n: number) => unknown = () => {}) {
  const message = createEnvelope({ kind: "server-stream", type: "test.work.v1", source, data: upTo });
  const { output } = await connection.call(createCall({ kind: "server-stream", message }));
  const items: unknown[] = [];
  for await (const { data } of output ?? []) {
    items.push(data);
    await onItem(data as number);
  }
  return items;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at + 1);

describe("a connection that is reset", () => {
  it("goes on with its streams, without a gap and without a double", async () => {
    const { connection, relay, ran } = await scene();
    const items = await count(connection, 20_000, (n) => {
      if (n % 3_000 === 0) relay.reset();
    });
    expect(items).toEqual(upTo(20_000));
    expect(ran).toEqual([20_000]);
    expect(relay.dialled).toBeGreaterThan(3);
  });

  it("answers what it was asked, and hands over each notification once, in the order of all", async () => {
    const { connection, relay, ran } = await scene();
    const answers: Promise<unknown>[] = [];
    for (let n = 0; n < 300; n++) {
      answers.push(n % 3 === 0 ? tell(connection, n) : ask(connection, n));
      if (n % 25 === 0) relay.reset();
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(answers);
    expect(ran).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  it("lets nobody know who asks how the connection is, but for its state", async () => {
    const { connection, relay } = await scene();
    relay.refuse(true);
    const lost = reached(connection, "reconnecting");
    relay.reset();
    await lost;
    expect(connection.state).toBe("reconnecting");
    const waiting = ask(connection, "waits");
    const back = reached(connection, "open");
    relay.refuse(false);
    await back;
    expect(await waiting).toBe("waits");
  });
});

it("a caller who comes back with another credential is known by it, and goes on with what was under way", async () => {
  let dials = 0;
  const { connection, relay, release, shown } = await scene({ credentials: bearer(() => `token-${++dials}`) });
  const held = ask(connection, "held");
  await ask(connection, "before");
  const back = reached(connection, "open");
  relay.reset();
  await back;
  release();
  expect([await held, await ask(connection, "after")]).toEqual(["held", "after"]);
  expect(shown).toEqual(["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
});

it("a link that falls silent is left, and what was under way goes on by another", async () => {
  const { connection, relay, release } = await scene({ heartbeatMs: 300 });
  const held = ask(connection, "held");
  await ask(connection, "before");
  const lost = reached(connection, "reconnecting");
  relay.mute();
  await lost;
  await reached(connection, "open");
  release();
  expect(await held).toBe("held");
});

it("an idle connection with a session stays, by signs of life from both sides", async () => {
  const { connection, relay } = await scene({ heartbeatMs: 250 });
  const changes: StateChange[] = [];
  connection.onState((change) => changes.push(change));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect([changes, relay.dialled]).toEqual([[], 1]);
});

it("a peer that is away for longer than the window finds its streams lost, never with a gap", async () => {
  const { connection, relay, aborted } = await scene({ resumeWindowMs: 50 });
  const seen: number[] = [];
  const reading = count(connection, 100_000, (n) => {
    seen.push(n);
    if (n !== 500) return;
    relay.refuse(true);
    relay.reset();
  });
  await expect(reading).rejects.toMatchObject({ code: "data_loss", outcome: "unknown" });
  expect(seen).toEqual(upTo(seen.length));
  await expect.poll(() => aborted).toEqual(["unavailable"]);
  relay.refuse(false);
  expect(await ask(connection, "after")).toBe("after");
});

it("a listener that has restarted knows no session: what is under way is lost, and what follows goes through", async () => {
  const { connection, relay, listener, release } = await scene();
  const held = ask(connection, "held");
  held.catch(() => {});
  await ask(connection, "before");
  const { url } = listener;
  const lost = reached(connection, "reconnecting");
  relay.refuse(true);
  relay.reset();
  await lost;
  await listener.close({ graceMs: 0 });
  release();
  const again = working();
  const second = await ws().listen(url, again.handler);
  cleanups.push(() => second.close({ graceMs: 0 }));
  relay.refuse(false);
  await expect(held).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await ask(connection, "after")).toBe("after");
  expect(again.ran).toEqual(["after"]);
});

it("a listener that has restarted gets what was never written, in its order and before what was called since", async () => {
  const { connection, relay, listener } = await scene();
  const { url } = listener;
  await ask(connection, "before");
  relay.mute();
  const told = Array.from({ length: 1_200 }, (_, n) => tell(connection, n));
  const settled = Promise.allSettled(told);
  const lost = reached(connection, "reconnecting");
  relay.refuse(true);
  relay.reset();
  await lost;
  const later = [tell(connection, "later"), ask(connection, "last")];
  await listener.close({ graceMs: 0 });
  const again = working();
  const second = await ws().listen(url, again.handler);
  cleanups.push(() => second.close({ graceMs: 0 }));
  relay.refuse(false);
  await Promise.all(later);
  const written = (await settled).findIndex(({ status }) => status === "fulfilled");
  expect(written).toBeGreaterThan(0);
  expect(again.ran).toEqual([
    ...upTo(1_200)
      .slice(written)
      .map((n) => n - 1),
    "later",
    "last",
  ]);
  for (const one of (await settled).slice(0, written))
    expect(one).toMatchObject({ status: "rejected", reason: { code: "unavailable", outcome: "unknown" } });
});

it("closing while away says goodbye, and the peer's handlers are told at once", async () => {
  const { connection, relay, aborted, listener } = await scene();
  const held = ask(connection, "held");
  held.catch(() => {});
  await ask(connection, "before");
  const lost = reached(connection, "reconnecting");
  relay.reset();
  await lost;
  await connection.close({ graceMs: 200 });
  await expect(held).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
  await expect.poll(() => aborted).toEqual(["unavailable"]);
  expect(listener.stats().openCalls).toBe(0);
});

describe("who has a session", () => {
  const base = { specversion: "1.0", parley: "1", source: "/thief" };

  /** Says hello by hand, for a session, and gives the answer. */
  async function hello(url: URL, claim: object): Promise<Envelope> {
    const socket = new WebSocket(url, ["cloudevents.json"]);
    cleanups.push(() => socket.terminate());
    await new Promise((resolve) => socket.once("open", resolve));
    const answered = new Promise<Envelope>((resolve) => {
      socket.once("message", (frame) => resolve(JSON.parse(String(frame))));
    });
    const data = { resume: { windowms: 1_000, messages: 100, bytes: 100_000, ackevery: 10 } };
    socket.send(JSON.stringify({ ...base, id: "h", kind: "request", type: HELLO, call: 1, ...claim, data }));
    return answered;
  }

  /** The claim that a connection would make next, as its relay could see it. */
  async function seen(options: WsOptions = {}) {
    const work = working();
    const listener = await ws(options).listen(new URL("ws://127.0.0.1:0"), work.handler);
    cleanups.push(() => listener.close({ graceMs: 0 }));
    const frames: Envelope[] = [];
    const relay = await relayTo(listener.url.port);
    const spy = new WebSocket(relay.url, ["cloudevents.json"]);
    spy.on("message", (frame) => frames.push(JSON.parse(String(frame))));
    cleanups.push(() => spy.terminate());
    await new Promise((resolve) => spy.once("open", resolve));
    const data = { resume: { windowms: 1_000, messages: 100, bytes: 100_000, ackevery: 10 } };
    spy.send(JSON.stringify({ ...base, id: "h", kind: "request", type: HELLO, call: 1, data }));
    await expect.poll(() => frames.length).toBe(1);
    const [answer] = frames as [Envelope];
    return { listener, relay, spy, frames, answer, work };
  }

  it("a greater generation takes it, and the channel before is told", async () => {
    const { listener, frames, answer } = await seen();
    expect(answer).toMatchObject({
      kind: "reply",
      generation: 1,
      session: expect.any(String),
      epoch: expect.any(String),
    });
    const taken = await hello(listener.url, { session: answer.session, generation: 2, ack: 0 });
    expect(taken).toMatchObject({
      kind: "reply",
      session: answer.session,
      generation: 2,
      data: { resume: { resumed: true } },
    });
    await expect.poll(() => frames.at(-1)).toMatchObject({ kind: "error", data: { code: "aborted" } });
  });

  it("one that is not greater is refused, and changes nothing", async () => {
    const { listener, answer, spy, frames } = await seen();
    const refused = await hello(listener.url, { session: answer.session, generation: 1, ack: 0 });
    expect(refused).toMatchObject({ kind: "error", data: { code: "aborted", outcome: "not-sent" } });
    spy.send(
      JSON.stringify({ ...base, id: "q", kind: "request", type: "test.work.v1", call: 3, sn: 1, data: "still" }),
    );
    await expect.poll(() => frames.at(-1)).toMatchObject({ kind: "reply", sn: 1, data: "still" });
  });

  it("a name that nobody knows gets a new one, and is told why", async () => {
    const { listener } = await seen();
    const answer = await hello(listener.url, { session: "nobody", generation: 7, ack: 0 });
    expect(answer).toMatchObject({
      kind: "reply",
      generation: 1,
      data: { resume: { resumed: false, reason: expect.any(String) } },
    });
    expect(answer.session).not.toBe("nobody");
  });

  it("a cursor that is not kept, or was never sent, loses the session", async () => {
    const { listener, answer, relay } = await seen();
    relay.reset();
    const ahead = await hello(listener.url, { session: answer.session, generation: 2, ack: 5 });
    expect(ahead).toMatchObject({ kind: "reply", data: { resume: { resumed: false } } });
    const again = await hello(listener.url, { session: answer.session, generation: 3, ack: 0 });
    expect(again).toMatchObject({ kind: "reply", data: { resume: { resumed: false } } });
  });

  it("a message without a number, or an acknowledgement of what was never sent, ends it", async () => {
    const one = await seen();
    one.spy.send(JSON.stringify({ ...base, id: "q", kind: "request", type: "test.work.v1", call: 3, data: 1 }));
    await expect.poll(() => one.frames.at(-1)).toMatchObject({ kind: "error", data: { code: "invalid_argument" } });
    const two = await seen();
    two.spy.send(JSON.stringify({ ...base, id: "a", kind: "ack", type: "parley.connection.v1", ack: 9, high: 0 }));
    await expect.poll(() => two.frames.at(-1)).toMatchObject({ kind: "error", data: { code: "invalid_argument" } });
    expect([one.work.ran, two.work.ran]).toEqual([[], []]);
  });

  it("a message that comes twice runs once, and is acknowledged again", async () => {
    const { spy, frames, work } = await seen();
    const told = { ...base, id: "n", kind: "notify", type: "test.work.v1", call: 3, sn: 1, data: "once" };
    spy.send(JSON.stringify(told));
    await expect.poll(() => frames.filter(({ kind }) => kind === "ack").length).toBe(1);
    spy.send(JSON.stringify(told));
    await expect.poll(() => frames.filter(({ kind }) => kind === "ack").length).toBe(2);
    expect(frames.at(-1)).toMatchObject({ ack: 1, high: 0 });
    expect(work.ran).toEqual(["once"]);
  });
});

it("without a wish to come back a connection has no session", async () => {
  const work = working();
  const listener = await ws().listen(new URL("ws://127.0.0.1:0"), work.handler);
  cleanups.push(() => listener.close({ graceMs: 0 }));
  const relay = await relayTo(listener.url.port);
  const connection = await ws().connect(relay.url);
  const held = ask(connection, "held");
  held.catch(() => {});
  await ask(connection, "before");
  relay.reset();
  await expect(held).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await connection.closed).toMatchObject({ code: "unavailable" });
});
