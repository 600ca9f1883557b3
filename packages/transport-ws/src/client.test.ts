import { Socket } from "node:net";
import { bearer } from "@parley/core";
import type { ParleyError } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import { clientOf, echo, failureOf, reached, securely, serving, tcp } from "../test/servers.ts";

describe("messages", () => {
  it("JSON, text, binary and both go out and come in, with the connection made by their first use", async () => {
    const { url } = await serving(echo);
    const json = clientOf({ url });
    expect(json.state).toBe("idle");
    await json.send({ a: [1, null, "é\u2028"] });
    expect(await json.receive()).toEqual({ a: [1, null, "é\u2028"] });
    const text = clientOf({ url, format: "text" });
    await text.send("");
    await text.send("not JSON");
    expect([await text.receive(), await text.receive()]).toEqual(["", "not JSON"]);
    const binary = clientOf({ url, format: "binary" });
    await binary.send(new Uint8Array([0, 255]));
    expect(await binary.receive()).toEqual(new Uint8Array([0, 255]));
    const any = clientOf({ url, format: "any" });
    await any.send("one");
    await any.send(new Uint8Array([2]));
    expect([await any.receive(), await any.receive()]).toEqual(["one", new Uint8Array([2])]);
  });

  it("come in order by iteration, which can be left and taken up again", async () => {
    const { url } = await serving((peer) => {
      for (let n = 1; n <= 1_000; n++) peer.send(String(n));
      peer.close(1000);
    });
    const client = clientOf({ url });
    const read: unknown[] = [];
    for await (const n of client) if (read.push(n) === 10) break;
    for await (const n of client) read.push(n);
    expect(read).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(client.state).toBe("closed");
    expect(await failureOf(client.receive())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("go to listeners while there are any, with what came before them", async () => {
    const { url } = await serving((peer) => peer.on("message", (data) => peer.send(`${data}`)));
    const client = clientOf({ url });
    await client.send(1);
    await expect.poll(() => client.stats().unreadBytes).toBeGreaterThan(0);
    const heard: unknown[] = [];
    const all = Promise.withResolvers<void>();
    const off = client.on("message", (message) => heard.push(message) === 3 && all.resolve());
    await client.send(2);
    await client.send(3);
    await all.promise;
    off();
    await client.send(4);
    expect(await client.receive()).toBe(4);
    expect(heard).toEqual([1, 2, 3]);
  });

  it("that are none of the format are told, counted and skipped", async () => {
    const { url } = await serving((peer) => {
      peer.send("Welcome!");
      peer.send(new Uint8Array(3));
      peer.send("1");
    });
    const client = clientOf({ url });
    const errors: ParleyError[] = [];
    client.on("error", (error) => errors.push(error));
    expect(await client.receive()).toBe(1);
    expect(errors.map(({ code }) => code)).toEqual(["invalid_argument", "invalid_argument"]);
    expect(errors[0]?.message).not.toContain("Welcome");
    expect(client.stats().refusedMessages).toBe(2);
  });

  it("that cannot be sent are refused before anything leaves", async () => {
    const { url } = await serving(echo);
    const client = clientOf({ url, maxMessageBytes: 10 });
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const [message, code] of [
      [undefined, "invalid_argument"],
      [cyclic, "invalid_argument"],
      ["x".repeat(10), "resource_exhausted"],
    ] as const) {
      expect(await failureOf(client.send(message))).toMatchObject({ code, outcome: "not-sent" });
    }
    const text = clientOf({ url, format: "text" });
    // @ts-expect-error the format is text
    expect(await failureOf(text.send(new Uint8Array(1)))).toMatchObject({ code: "invalid_argument" });
    expect([client.state, text.state]).toEqual(["idle", "idle"]);
  });

  it("many small ones of one turn leave in few writes", async () => {
    const { url } = await serving((peer) => peer.on("message", (data) => String(data) === "999" && peer.send("done")));
    const client = clientOf({ url, format: "text" });
    await client.connect();
    // What a socket does for each write of several parts, such as the head and the body of a frame.
    const writes = vi.spyOn(Socket.prototype as unknown as { _writev(): void }, "_writev");
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.send(String(n))));
    expect(await client.receive()).toBe("done");
    expect(writes.mock.calls.length).toBeLessThan(20);
    writes.mockRestore();
  });
});

describe("events", () => {
  it("tell a whole life in order", async () => {
    let connections = 0;
    const { url } = await serving((peer) => {
      if (++connections === 1) peer.close(1012, "restarting");
      else peer.once("message", () => peer.close(4403, "go away"));
    });
    const client = clientOf({ url });
    const told: unknown[] = [];
    client.onState(({ state }) => told.push(state));
    client.on("open", ({ again }) => told.push(`open ${again}`));
    client.on("close", ({ code, reason, reconnecting }) => told.push(`close ${code} ${reason} ${reconnecting}`));
    client.on("error", ({ code }) => told.push(`error ${code}`));
    const over = reached(client, "closed");
    await client.connect();
    await reached(client, "open");
    await client.send("x");
    expect(await over).toMatchObject({
      error: { code: "permission_denied", details: { closeCode: 4403, closeReason: "go away" } },
    });
    expect(told).toEqual([
      "connecting",
      "open",
      "open false",
      "error unavailable",
      "reconnecting",
      "close 1012 restarting true",
      "open",
      "open true",
      "error permission_denied",
      "closed",
      "close 4403 go away false",
    ]);
    expect(await failureOf(client.receive())).toMatchObject({ code: "permission_denied" });
    expect(await failureOf(client.send(1))).toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
      cause: { code: "permission_denied" },
    });
  });

  it("a listener that throws spoils nothing, and is not silent", async () => {
    const { url } = await serving(echo);
    const client = clientOf({ url });
    const thrown = new Promise((resolve) => process.prependOnceListener("uncaughtException", resolve));
    const others = process.listeners("uncaughtException").slice(1);
    for (const other of others) process.off("uncaughtException", other);
    client.on("open", () => {
      throw new Error("mine");
    });
    await client.send(1);
    expect(await client.receive()).toBe(1);
    expect(await thrown).toMatchObject({ message: "mine" });
    for (const other of others) process.on("uncaughtException", other);
  });
});

describe("coming back", () => {
  it("after a cut, with fresh headers at each dial, what the open listener sends leading", async () => {
    const heard: string[][] = [];
    const peers: WebSocket[] = [];
    const { url } = await serving((peer, { authorization }) => {
      const messages = [String(authorization)];
      heard.push(messages);
      peers.push(peer);
      peer.on("message", (data) => {
        messages.push(String(data));
        peer.send("ok");
      });
    });
    let token = 0;
    const client = clientOf({ url, format: "text", credentials: bearer(async () => String(++token)) });
    client.on("open", () => void client.send("subscribe"));
    await client.send("one");
    await client.receive();
    await client.receive();
    peers[0]?.terminate();
    await reached(client, "reconnecting");
    await client.send("two");
    await client.receive();
    await client.receive();
    expect(heard).toEqual([
      ["Bearer 1", "subscribe", "one"],
      ["Bearer 2", "subscribe", "two"],
    ]);
  });

  it("iteration goes on over a cut", async () => {
    let connections = 0;
    const { url } = await serving((peer) => {
      peer.send(String(++connections));
      if (connections < 3) setImmediate(() => peer.terminate());
      else peer.close(1000);
    });
    const read: unknown[] = [];
    for await (const message of clientOf({ url })) read.push(message);
    expect(read).toEqual([1, 2, 3]);
  });

  it.each([
    ["not after a close code that is final", { finalCodes: [1001] }, 1001, "closed"],
    ["also after a usual one that is not said to be final", { finalCodes: [] }, 1008, "reconnecting"],
    ["never when that is said", false, 1006, "closed"],
  ] as const)("%s", async (_what, reconnect, code, state) => {
    const { url } = await serving((peer) => (code === 1006 ? peer.terminate() : peer.close(code)));
    const client = clientOf({ url, reconnect });
    const next = reached(client, state);
    await client.connect();
    await next;
  });

  it("no more often than allowed, then iteration throws why", async () => {
    const { url, close } = await serving(echo);
    const client = clientOf({ url, reconnect: { baseMs: 1, maxAttempts: 3 } });
    const attempts: (number | undefined)[] = [];
    client.onState(({ attempt }) => attempt && attempts.push(attempt));
    await client.connect();
    const reading = failureOf(client.receive());
    await close();
    expect(await reading).toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
      message: expect.stringContaining("refused"),
    });
    expect(attempts).toEqual([1, 2, 3]);
    expect(client.state).toBe("closed");
  });

  it("not when refused for who it is", async () => {
    let refusing = false;
    const { url, server } = await serving(echo, {
      verifyClient: (_info, done) => done(!refusing, 401, "Unauthorized"),
    });
    const client = clientOf({ url });
    await client.connect();
    refusing = true;
    const over = reached(client, "closed");
    for (const peer of server.clients) peer.terminate();
    expect(await over).toMatchObject({ error: { code: "unauthenticated", details: { status: 401 } } });
  });
});

describe("a first dial that fails", () => {
  it.each([
    [401, "unauthenticated"],
    [403, "permission_denied"],
    [404, "unavailable"],
    [429, "resource_exhausted"],
    [502, "unavailable"],
  ])("by HTTP status %i: %s, for whoever waits, and the next use dials again", async (status, code) => {
    let dials = 0;
    const url = await tcp((socket) => {
      dials++;
      socket.once("data", () =>
        socket.end(`HTTP/1.1 ${status} No\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
      );
    });
    const client = clientOf({ url: `${url}/path?token=secret` });
    const failures = await Promise.all([
      failureOf(client.connect()),
      failureOf(client.send(1)),
      failureOf(client.receive()),
    ]);
    for (const failure of failures) expect(failure).toMatchObject({ code, details: { status } });
    expect(failures[1]).toMatchObject({ outcome: "not-sent" });
    expect(failures[0]?.retryAfterMs).toBe(status === 429 || status === 502 ? 7_000 : undefined);
    expect(failures[0]?.message).not.toContain("secret");
    expect([client.state, dials]).toEqual(["idle", 1]);
    await failureOf(client.connect());
    expect(dials).toBe(2);
  });

  it("a caller may stop waiting, and closing stops dialling", async () => {
    const gone = Promise.withResolvers<unknown>();
    const url = await tcp((socket) => socket.resume().once("close", gone.resolve));
    const client = clientOf({ url });
    expect(await failureOf(client.connect({ timeoutMs: 20 }))).toMatchObject({ code: "deadline_exceeded" });
    expect(await failureOf(client.connect({ signal: AbortSignal.abort("bored") }))).toMatchObject({
      code: "cancelled",
    });
    expect(await failureOf(client.send(1, { timeoutMs: 20 }))).toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    expect(client.state).toBe("connecting");
    const waiting = failureOf(client.connect());
    await client.close();
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    await gone.promise;
  });

  it("a token that cannot be had: told as such, and with the cause", async () => {
    const { url } = await serving(echo);
    const cause = new Error("vault is sealed");
    const error = await failureOf(clientOf({ url, credentials: bearer(() => Promise.reject(cause)) }).connect());
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", cause });
    expect(error.message).not.toContain("vault");
  });

  it("a token that has expired: another is asked for, once, and nobody notices", async () => {
    const shown: unknown[] = [];
    const { url } = await serving(echo, {
      verifyClient: ({ req }, done) => {
        shown.push(req.headers.authorization);
        done(req.headers.authorization === "Bearer new", 401, "Unauthorized");
      },
    });
    const renewing = clientOf({ url, credentials: bearer((refused) => (refused ? "new" : "old")) });
    await renewing.send(1);
    expect(await renewing.receive()).toBe(1);
    const stale = clientOf({ url, credentials: bearer(() => "old") });
    expect(await failureOf(stale.send(1))).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    expect(shown).toEqual(["Bearer old", "Bearer new", "Bearer old", "Bearer old"]);
  });

  it("a subprotocol that the peer does not speak", async () => {
    const { url } = await serving(echo, { handleProtocols: () => false });
    const error = await failureOf(clientOf({ url, protocols: ["graphql-ws"] }).connect());
    expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("graphql-ws") });
  });
});

describe("TLS", () => {
  it("a server whose certificate the authority signed is spoken to, and pinged", async () => {
    const url = await securely(certificates.serverCert, certificates.serverKey);
    const client = clientOf({ url, tls: { ca: certificates.ca }, pingIntervalMs: 10, pingTimeoutMs: 50 });
    await client.send(1);
    expect(await client.receive()).toBe(1);
    expect((await client.health()).roundTripMs).toBeGreaterThan(0);
  });
});
