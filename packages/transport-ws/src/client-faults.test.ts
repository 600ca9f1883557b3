import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { inspect } from "node:util";
import { bearer } from "@parley/core";
import type { ParleyError } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { clientOf, echo, failureOf, mute, reached, serving, socketOf, tcp } from "../test/servers.ts";
import { WebSocketClient } from "./index.ts";

/** Frames of a server: text, `more` when another part follows. */
const frame = (payload: string, more = false, opcode = 1): Buffer =>
  Buffer.concat([Buffer.from([(more ? 0 : 0x80) | opcode, payload.length]), Buffer.from(payload)]);

describe("a link that is half open", () => {
  it("is found by a ping that nobody answers, and dialled again", async () => {
    const { url } = await serving(echo, { autoPong: false });
    const client = clientOf({ url, pingIntervalMs: 20, pingTimeoutMs: 20 });
    await client.connect();
    const change = await reached(client, "reconnecting");
    expect(change.error).toMatchObject({ code: "unavailable", message: expect.stringContaining("ping") });
    await reached(client, "open");
  });

  it("is not suspected while the peer talks, or answers", async () => {
    const { url } = await serving(
      (peer) => {
        const talk = setInterval(() => peer.send("1"), 10);
        peer.once("close", () => clearInterval(talk));
      },
      { autoPong: false },
    );
    const talking = clientOf({ url, pingIntervalMs: 20, pingTimeoutMs: 20 });
    const answering = clientOf({ url: (await serving(echo)).url, pingIntervalMs: 5, pingTimeoutMs: 50 });
    await Promise.all([talking.connect(), answering.connect()]);
    const changes: unknown[] = [];
    for (const client of [talking, answering]) client.onState((change) => changes.push(change));
    for (let heard = 0; heard < 30; heard++) await talking.receive();
    expect(changes).toEqual([]);
  });

  it("is not suspected while its own reader is slow", async () => {
    let connections = 0;
    const { url } = await serving((peer) => {
      connections++;
      for (let n = 0; n < 100; n++) peer.send(JSON.stringify("x".repeat(10_000)));
    });
    const client = clientOf({ url, pingIntervalMs: 5, pingTimeoutMs: 5, maxUnreadBytes: 20_000 });
    await client.connect();
    await expect.poll(() => client.stats().unreadBytes).toBeGreaterThan(20_000);
    expect(await client.health()).toEqual({ state: "open", lastError: undefined });
    const marker = clientOf({
      url: (await serving(echo, { autoPong: false })).url,
      pingIntervalMs: 20,
      pingTimeoutMs: 20,
    });
    await marker.connect();
    await reached(marker, "reconnecting");
    for (let n = 0; n < 100; n++) await client.receive();
    expect([client.state, connections]).toEqual(["open", 1]);
  });

  it("health measures, dials nobody, and never rejects", async () => {
    const { url, close } = await serving(echo);
    const client = clientOf({ url, reconnect: false });
    expect(await client.health()).toEqual({ state: "idle", lastError: undefined });
    await client.connect();
    const [health, other] = await Promise.all([client.health(), client.health()]);
    expect(health.state).toBe("open");
    expect(health.roundTripMs).toBeGreaterThan(0);
    expect(other.roundTripMs).toBeGreaterThan(0);
    const over = reached(client, "closed");
    await close();
    await over;
    expect(await client.health()).toMatchObject({ state: "closed", lastError: { code: "unavailable" } });
    const mutes = await serving(echo, { autoPong: false });
    const silent = clientOf({ url: mutes.url });
    await silent.connect();
    expect(await silent.health({ timeoutMs: 20 })).toMatchObject({
      state: "open",
      lastError: { code: "deadline_exceeded" },
    });
    const asked = silent.health({ timeoutMs: 60_000 });
    await mutes.close();
    expect(await asked).toMatchObject({ lastError: { code: "unavailable" } });
  });
});

describe("a peer that breaks off", () => {
  it("in the middle of a frame: no message, and the cut is told", async () => {
    const url = await mute((socket) => {
      socket.write(frame('"whole"'));
      socket.write(frame('"half"').subarray(0, 5), () => socket.destroy());
    });
    const client = clientOf({ url, reconnect: false });
    const closed = new Promise((resolve) => client.on("close", resolve));
    expect(await client.receive()).toBe("whole");
    expect(await failureOf(client.receive())).toMatchObject({ code: "unavailable" });
    expect(await closed).toEqual({ code: 1006, reason: "", reconnecting: false });
  });

  it("with a frame that is none: the connection ends, and the process does not", async () => {
    const url = await mute((socket) => socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff])));
    const client = clientOf({ url, reconnect: false });
    expect(await failureOf(client.receive())).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });

  it("never with a message, which is endless: cut with 1009 when it is over the limit", async () => {
    const said: Buffer[] = [];
    let ended: unknown;
    const url = await mute((socket) => {
      const part = frame("x".repeat(100), true, 0);
      socket.write(frame("x", true));
      const more = setInterval(() => socket.write(part), 1);
      socket.on("data", (data) => said.push(data));
      ended = once(socket, "close").finally(() => clearInterval(more));
    });
    const client = clientOf({ url, reconnect: false, maxMessageBytes: 1_000, closeTimeoutMs: 50 });
    expect(await failureOf(client.receive())).toMatchObject({
      code: "resource_exhausted",
      message: expect.stringContaining("1000 bytes"),
    });
    await ended;
    // A masked close frame of two bytes.
    const [first = 0, length = 0, ...rest] = Buffer.concat(said);
    expect([first, length]).toEqual([0x88, 0x82]);
    const [a = 0, b = 0, , , x = 0, y = 0] = rest;
    expect(((a ^ x) << 8) | (b ^ y)).toBe(1009);
  });
});

describe("compression", () => {
  it("is off unless asked for, and then shrinks what is sent", async () => {
    const extensions: string[] = [];
    let bytes = 0;
    const { url } = await serving(
      (peer) => {
        extensions.push(peer.extensions);
        socketOf(peer).on("data", (data: Buffer) => {
          bytes += data.length;
        });
        echo(peer);
      },
      { perMessageDeflate: true },
    );
    const plain = clientOf({ url });
    await plain.connect();
    const packed = clientOf({ url, compression: true });
    const message = "x".repeat(100_000);
    await packed.send(message);
    expect(await packed.receive()).toBe(message);
    expect(extensions).toEqual(["", "permessage-deflate"]);
    expect(bytes).toBeLessThan(10_000);
  });

  it("cannot be used to blow up a client", async () => {
    const { url } = await serving((peer) => peer.send(Buffer.alloc(64 * 1024 * 1024)), { perMessageDeflate: true });
    const client = clientOf({ url, compression: true, format: "binary", reconnect: false, maxMessageBytes: 1_000_000 });
    const before = process.memoryUsage().arrayBuffers;
    expect(await failureOf(client.receive())).toMatchObject({ code: "resource_exhausted" });
    // What the server of this process made, and little more.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 1024 * 1024);
  });
});

describe("a reader who is slow", () => {
  const sent = 2_000;
  const flood = (peer: WebSocket): void => {
    for (let n = 1; n <= sent; n++) peer.send(JSON.stringify({ n, padding: "x".repeat(10_000) }));
  };

  it("makes the peer wait, and loses nothing", async () => {
    let waiting = (): number => 0;
    const { url } = await serving((peer) => {
      waiting = () => peer.bufferedAmount;
      flood(peer);
    });
    const client = clientOf({ url, maxUnreadBytes: 100_000 });
    await client.connect();
    await expect.poll(() => client.stats().unreadBytes).toBeGreaterThan(100_000);
    await client.health();
    expect(client.stats().unreadBytes).toBeLessThan(100_000 + 65_536 + 20_000);
    expect(waiting()).toBeGreaterThan(1_000_000);
    for (let n = 1; n <= sent; n++) expect(await client.receive()).toMatchObject({ n });
    expect(client.stats()).toMatchObject({ droppedMessages: 0, unreadBytes: 0 });
  });

  it("who still has not read when another connection comes holds that one up too", async () => {
    const peers: WebSocket[] = [];
    const { url } = await serving((peer) => {
      peers.push(peer);
      flood(peer);
    });
    const client = clientOf({ url, maxUnreadBytes: 100_000 });
    await client.connect();
    await expect.poll(() => client.stats().unreadBytes).toBeGreaterThan(100_000);
    const back = reached(client, "open");
    peers[0]?.terminate();
    // A socket that is not read learns of its end by writing.
    while (client.state === "open") await client.send("x").catch(() => {});
    await back;
    await expect.poll(() => peers[1]?.bufferedAmount).toBeGreaterThan(1_000_000);
    await client.send("x");
    // What was read before, and what comes in one segment with the answer to the next handshake.
    expect(client.stats().unreadBytes).toBeLessThan(100_000 + 2 * 65_536 + 20_000);
  });

  it("loses the oldest, counted, when that is wanted", async () => {
    const { url } = await serving((peer) => {
      flood(peer);
      peer.close(1000);
    });
    const client = clientOf({ url, maxUnreadBytes: 100_000, overflow: "drop-oldest" });
    const over = reached(client, "closed");
    await client.connect();
    await over;
    const { droppedMessages } = client.stats();
    expect(droppedMessages).toBeGreaterThan(sent - 11);
    const read: unknown[] = [];
    for await (const message of client) read.push((message as { n: number }).n);
    expect(read).toEqual(Array.from({ length: sent - droppedMessages }, (_, index) => droppedMessages + index + 1));
  });

  it("may stop waiting for the next, which then goes to another", async () => {
    let peer: WebSocket | undefined;
    const { url } = await serving((one) => {
      peer = one;
    });
    const client = clientOf({ url });
    await client.connect();
    const giveUp = new AbortController();
    const given = failureOf(client.receive({ signal: giveUp.signal }));
    const late = failureOf(client.receive({ timeoutMs: 10 }));
    expect(await late).toMatchObject({ code: "deadline_exceeded" });
    const next = client.receive();
    giveUp.abort();
    expect(await given).toMatchObject({ code: "cancelled" });
    peer?.send("1");
    expect(await next).toBe(1);
  });
});

describe("a peer that does not read", () => {
  const deaf = () => serving((peer) => socketOf(peer).pause());
  const big = "x".repeat(100_000);

  it("makes senders wait, bounded in bytes, in number and in time", async () => {
    const { url } = await deaf();
    const client = clientOf({
      url,
      format: "text",
      maxQueuedBytes: 1_000_000,
      maxWaiting: 10,
      pingIntervalMs: false,
    });
    await client.connect();
    const ends: Promise<ParleyError | undefined>[] = [];
    let full: ParleyError | undefined;
    client.send(big).catch(() => {});
    while (!full) {
      const sending = client.send(big, { timeoutMs: 200 });
      ends.push(
        sending.then(
          () => undefined,
          (error: ParleyError) => error,
        ),
      );
      full = await Promise.race([
        ends.at(-1),
        new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
      ]);
    }
    expect(full).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(client.stats().queuedBytes).toBeLessThan(2_200_000);
    const settled = await Promise.all(ends);
    const late = settled.filter((end) => end?.code === "deadline_exceeded").map((end) => end?.outcome);
    // What the socket had may have left, what waited for it has not.
    expect(late.indexOf("not-sent")).toBeGreaterThan(0);
    expect(late.lastIndexOf("unknown")).toBeLessThan(late.indexOf("not-sent"));
    expect(late.filter((outcome) => outcome === "not-sent").length).toBeGreaterThan(5);
  });

  it("makes senders fail at once when that is wanted", async () => {
    const { url } = await deaf();
    const client = clientOf({
      url,
      format: "text",
      maxQueuedBytes: 500_000,
      whenQueueFull: "reject",
      pingIntervalMs: false,
    });
    await client.connect();
    const codes = new Set<string>();
    for (let n = 0; n < 1_000 && codes.size === 0; n++) {
      client.send(big).catch(({ code }: ParleyError) => codes.add(code));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...codes]).toEqual(["resource_exhausted"]);
    expect(client.stats().queuedBytes).toBeLessThan(600_000);
  });

  it("a message over the bound goes through alone", async () => {
    const { url } = await serving(echo);
    const client = clientOf({ url, format: "text", maxQueuedBytes: 10, whenQueueFull: "reject" });
    await client.send(big);
    expect(await client.receive()).toBe(big);
  });

  it("a sender who gives up takes back what has not been handed over", async () => {
    const heard: string[] = [];
    const url = await tcp(() => {});
    const waiting = clientOf({ url, format: "text" });
    const giveUp = new AbortController();
    const given = failureOf(waiting.send("one", { signal: giveUp.signal }));
    giveUp.abort();
    expect(await given).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    expect(waiting.stats().queuedBytes).toBe(0);
    const server = await serving((peer) => peer.on("message", (data) => heard.push(String(data))));
    const client = clientOf({ url: server.url, format: "text" });
    const again = new AbortController();
    const first = failureOf(client.send("one", { signal: again.signal }));
    again.abort();
    await first;
    await client.send("two");
    await client.close();
    expect(heard).toEqual(["two"]);
  });

  it("is not waited for beyond the grace, and what it has not got is told", async () => {
    const { url } = await deaf();
    const client = clientOf({ url, format: "text", pingIntervalMs: false });
    await client.connect();
    const ends = Array.from({ length: 200 }, () =>
      client.send(big).then(
        () => "sent",
        ({ outcome }: ParleyError) => outcome,
      ),
    );
    await client.close({ graceMs: 50 });
    const outcomes = await Promise.all(ends);
    expect(outcomes[0]).toBe("sent");
    expect(outcomes.at(-1)).toBe("not-sent");
    expect(outcomes.indexOf("unknown")).toBeGreaterThan(0);
  });
});

it("at a cut every message that waits is told its true outcome: what was not sent was seen by nobody", async () => {
  const seen: number[] = [];
  const { port } = await serving((peer) => peer.on("message", (data) => seen.push(JSON.parse(String(data)).n)));
  /** Passes so much on, then nothing more, so that all that follows waits. */
  let passing = 3_000_000;
  const sockets: Socket[] = [];
  const url = await tcp((socket) => {
    const onward = connect(port, "127.0.0.1");
    sockets.push(socket, onward);
    onward.on("error", () => {}).pipe(socket);
    socket.on("data", (data: Buffer) => {
      passing -= data.length;
      onward.write(data);
      if (passing < 0) socket.pause();
    });
  });
  const client = clientOf({ url, maxQueuedBytes: 64_000_000, reconnect: false });
  await client.connect();
  const padding = "x".repeat(10_000);
  const outcomes: string[] = [];
  const ends = Array.from({ length: 2_000 }, (_, n) =>
    client.send({ n, padding }).then(
      () => outcomes.push(`${n} sent`),
      ({ code, outcome }: ParleyError) => outcomes.push(`${n} ${code} ${outcome}`),
    ),
  );
  await expect.poll(() => seen.length).toBeGreaterThan(250);
  const over = reached(client, "closed");
  for (const socket of sockets) socket.destroy();
  await over;
  await Promise.all(ends);
  const numbers = (what: string): number[] =>
    outcomes.filter((text) => text.endsWith(what)).map((text) => Number.parseInt(text, 10));
  const [sent, unknown, unsent] = [numbers(" sent"), numbers("unavailable unknown"), numbers("unavailable not-sent")];
  expect(sent.length + unknown.length + unsent.length).toBe(2_000);
  expect(unknown.length).toBeGreaterThan(0);
  expect(unsent.length).toBeGreaterThan(1_000);
  expect(Math.max(...seen)).toBeLessThan(Math.min(...unsent));
  expect(client.stats().queuedBytes).toBe(0);
});

describe("closing", () => {
  it("lets what was sent leave, says goodbye, and is final", async () => {
    const heard: string[] = [];
    const goodbye = Promise.withResolvers<unknown>();
    const { url } = await serving((peer) => {
      peer.on("message", (data) => heard.push(String(data)));
      peer.on("close", (code, reason) => goodbye.resolve([code, reason.toString()]));
    });
    const client = clientOf({ url, format: "text" });
    await client.connect();
    const sends = Array.from({ length: 100 }, (_, n) => client.send(String(n)));
    const reading = client[Symbol.asyncIterator]().next();
    const closed = [client.close({ code: 3001, reason: "done" }), client.close()];
    expect(await failureOf(client.send("late"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    await Promise.all([...sends, ...closed]);
    expect(await reading).toEqual({ done: true, value: undefined });
    expect(await goodbye.promise).toEqual([3001, "done"]);
    expect(heard).toHaveLength(100);
    expect(client.state).toBe("closed");
    expect(await failureOf(client.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("waits so long for a peer that does not answer, and no longer", async () => {
    const gone = Promise.withResolvers<unknown>();
    const url = await mute((socket) => socket.once("close", gone.resolve));
    const client = clientOf({ url, closeTimeoutMs: 50 });
    await client.connect();
    const start = performance.now();
    await client.close();
    expect(performance.now() - start).toBeGreaterThan(40);
    expect(performance.now() - start).toBeLessThan(4_000);
    await gone.promise;
    const patient = clientOf({ url, closeTimeoutMs: 60_000 });
    await patient.connect();
    await patient.close({ graceMs: 50 });
  });

  it("is not kept up by messages that nobody reads", async () => {
    const { url } = await serving((peer) => {
      for (let n = 0; n < 1_000; n++) peer.send(JSON.stringify("x".repeat(10_000)));
    });
    const client = clientOf({ url, maxUnreadBytes: 20_000, closeTimeoutMs: 5_000 });
    await client.connect();
    await expect.poll(() => client.stats().unreadBytes).toBeGreaterThan(20_000);
    const closed = new Promise<{ code: number }>((resolve) => client.on("close", resolve));
    await client.close();
    expect((await closed).code).toBe(1000);
  });

  it("between attempts to come back, or before the first use, is done at once", async () => {
    const { url, close } = await serving(echo);
    const client = clientOf({ url, reconnect: { baseMs: 60_000, maxMs: 60_000 } });
    await client.connect();
    const waiting = reached(client, "reconnecting");
    await close();
    await waiting;
    const sending = failureOf(client.send(1));
    await client.close();
    expect(await sending).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    const unused = clientOf({ url });
    await unused.close();
    expect(unused.state).toBe("closed");
  });

  it("leaves no timer and no socket", async () => {
    const { url } = await serving(echo);
    const before = process.getActiveResourcesInfo().toSorted();
    for (let n = 0; n < 10; n++) {
      const client = new WebSocketClient({ url });
      await client.send(n);
      await client.receive();
      await client.close();
    }
    await expect.poll(() => process.getActiveResourcesInfo().toSorted()).toEqual(before);
  });

  it("is refused with a code or a reason that no close frame of a client has", async () => {
    const client = clientOf({ url: (await serving(echo)).url });
    for (const options of [{ code: 1005 }, { code: 999 }, { reason: "é".repeat(62) }]) {
      expect(await failureOf(client.close(options))).toMatchObject({ code: "invalid_argument" });
    }
    expect(client.state).toBe("idle");
  });
});

it("options that make no sense are told when the client is made", () => {
  const make = (options: object) => () => new WebSocketClient({ url: "ws://127.0.0.1:1", ...options });
  expect(make({ url: "http://127.0.0.1" })).toThrow("http:");
  expect(make({ url: "nonsense" })).toThrow("is no URL");
  for (const name of ["connectTimeoutMs", "pingIntervalMs", "maxMessageBytes", "maxQueuedBytes", "maxUnreadBytes"])
    expect(make({ [name]: 0 })).toThrow(name);
  expect(make({ url: "ws://user:hunter2@127.0.0.1" })).toThrow(/^(?!.*hunter2).*credentials/);
  expect(make({ reconnect: { maxAttempts: -1 } })).toThrow("maxAttempts");
  expect(make({ credentials: bearer("x"), headers: { Authorization: "y" } })).toThrow("authorization");
});

it("a client that is shown to somebody shows no secret", () => {
  const client = new WebSocketClient({
    url: "ws://127.0.0.1:1/?t=hunter2",
    headers: { authorization: "hunter2" },
  });
  expect(inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client)).not.toContain("hunter2");
});
