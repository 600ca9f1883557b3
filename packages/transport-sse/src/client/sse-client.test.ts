import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Interceptor, ParleyError } from "@parley/core";
import { afterEach, expect, test } from "vitest";
import { SseClient, type SseClientOptions, type SseEvent } from "../index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** What a server was asked. */
interface Asked {
  readonly method: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Served {
  readonly url: string;
  readonly server: Server;
  readonly requests: readonly Asked[];
}

type Answer = (response: ServerResponse, request: Asked) => unknown;

/** A server that gives its answers in turn, and then the last again and again. */
async function serve(...answers: Answer[]): Promise<Served> {
  const requests: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const asked = { method: request.method, headers: request.headers, body };
    requests.push(asked);
    await answers[Math.min(requests.length, answers.length) - 1]?.(response, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  return { url: `http://127.0.0.1:${port}/events`, server, requests };
}

/** An answer of events that ends, is cut, or stays open. */
function events(text: string, then: "end" | "cut" | "stay" = "end"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.write(text, () => {
      if (then === "end") response.end();
      else if (then === "cut") response.destroy();
    });
  };
}

function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(code, headers).end();
}

const over = status(204);

function client(url: string, options: Partial<SseClientOptions> = {}): SseClient {
  const made = new SseClient({ url, reconnect: { baseMs: 1, maxMs: 50 }, ...options });
  cleanUp.push(() => made.close());
  return made;
}

async function all(stream: AsyncIterable<SseEvent>): Promise<string[]> {
  const data: string[] = [];
  for await (const event of stream) data.push(event.data);
  return data;
}

async function failure(promise: Promise<unknown>): Promise<ParleyError> {
  return promise.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: ParleyError) => error,
  );
}

test("events have name, data and id, and an answer 204 ends the stream", async () => {
  const { url, requests } = await serve(events("event: add\nid: 7\ndata: a\ndata: b\n\nretry: 5\ndata: c\n\n"), over);
  const seen: SseEvent[] = [];
  const stream = client(url, { params: { topic: "a b" }, headers: { "x-own": "1" } });
  for await (const event of stream) seen.push(event);
  expect(seen).toEqual([
    { event: "add", data: "a\nb", id: "7" },
    { event: "message", data: "c", id: "7", retryMs: 5 },
  ]);
  expect(requests[0]).toMatchObject({
    method: "GET",
    headers: { accept: "text/event-stream", "cache-control": "no-store", "x-own": "1" },
  });
  expect(requests[0]?.headers).not.toHaveProperty("last-event-id");
  expect([stream.state, stream.lastEventId]).toEqual(["closed", "7"]);
});

test("a stream with nothing at all ends at once", async () => {
  expect(await all(client((await serve(over)).url))).toEqual([]);
});

test("a body is posted, and the stream ends by its last data, without a second request", async () => {
  const { url, requests } = await serve(
    events('data: {"token":"one"}\n\ndata: {"token":"two"}\n\ndata: [DONE]\n\n', "stay"),
  );
  const stream = new SseClient({ url, json: { stream: true, messages: [] }, doneData: "[DONE]" });
  const tokens = (await all(stream)).map((data) => JSON.parse(data).token);
  expect(tokens).toEqual(["one", "two"]);
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    method: "POST",
    body: '{"stream":true,"messages":[]}',
    headers: { "content-type": "application/json", accept: "text/event-stream" },
  });
});

test.each(["end", "cut"] as const)(
  "a posted stream that is over by %s before its last data has failed",
  async (then) => {
    const { url, requests } = await serve(events("data: one\n\n", then));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { data } of new SseClient({ url, json: {}, doneData: "[DONE]" })) seen.push(data);
    })();
    expect(await failure(reading)).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect([seen, requests.length]).toEqual([["one"], 1]);
  },
);

test("without last data, a posted stream ends with its answer, and fails by a cut", async () => {
  expect(await all(new SseClient({ url: (await serve(events("data: one\n\n"))).url, body: "x" }))).toEqual(["one"]);
  const { url } = await serve(events("data: one\n\n", "cut"));
  expect(await failure(all(new SseClient({ url, body: "x" })))).toMatchObject({
    code: "unavailable",
    outcome: "unknown",
  });
});

test.each(["end", "cut"] as const)("after an %s it comes back with the last id, and goes on", async (then) => {
  const { url, requests } = await serve(
    events("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: not whole", then),
    events("data: c\n\nid: ü\ndata: d\n\n", then),
    over,
  );
  expect(await all(client(url))).toEqual(["a", "b", "c", "d"]);
  const ids = requests.map(({ headers }) => headers["last-event-id"]);
  expect(ids).toEqual([undefined, "2", Buffer.from("ü").toString("latin1")]);
});

test("a client can begin at an id", async () => {
  const { url, requests } = await serve(over);
  await all(client(url, { lastEventId: "41" }));
  expect(requests[0]?.headers["last-event-id"]).toBe("41");
});

test("its state tells of attempts, with the server's retry in their delays, up to the limit", async () => {
  const { url } = await serve(events("retry: 30\ndata: a\n\n"), events("retry: 9000000\ndata: b\n\n", "cut"), over);
  const stream = client(url, { reconnect: { baseMs: 1, maxMs: 40 } });
  const changes: unknown[] = [];
  const delays: number[] = [];
  stream.onState(({ state, attempt, delayMs, error }) => {
    changes.push([state, attempt, error?.code]);
    if (delayMs !== undefined) delays.push(delayMs);
  });
  await all(stream);
  expect(changes).toEqual([
    ["connecting", undefined, undefined],
    ["open", undefined, undefined],
    ["reconnecting", 1, "unavailable"],
    ["open", undefined, undefined],
    ["reconnecting", 1, "unavailable"],
    ["open", undefined, undefined],
    ["closed", undefined, undefined],
  ]);
  expect(delays[0]).toBeGreaterThanOrEqual(30);
  expect(delays[0]).toBeLessThanOrEqual(31);
  expect(delays[1]).toBeGreaterThanOrEqual(40);
  expect(delays[1]).toBeLessThanOrEqual(41);
});

test("attempts in a row are limited, and counted anew with each event", async () => {
  const some = events("data: x\n\n");
  const none = events(": nothing\n\n");
  const { url, requests } = await serve(some, none, none, some, none, none, none, some);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { data } of client(url, { reconnect: { baseMs: 0.1, maxMs: 1, maxAttempts: 3 } })) seen.push(data);
  })();
  expect(await failure(reading)).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect([seen.length, requests.length]).toEqual([2, 7]);
});

test.each([429, 500, 502, 503, 504])("a server that answers %i for a while is come back to", async (code) => {
  const { url } = await serve(events("data: a\n\n"), status(code), events("data: b\n\n"), over);
  expect(await all(client(url))).toEqual(["a", "b"]);
});

test.each<[string, Answer, object]>([
  ["404", status(404), { code: "not_found", outcome: "rejected", details: { status: 404 } }],
  ["401", status(401), { code: "unauthenticated", outcome: "rejected" }],
  [
    "another content type",
    (response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>"),
    { code: "internal", details: { status: 200 } },
  ],
  ["another status of success", status(202, { "content-type": "text/event-stream" }), { code: "internal" }],
])("an answer of %s ends it, at first and later", async (_name, answer, expected) => {
  expect(await failure(all(client((await serve(answer)).url)))).toMatchObject(expected);
  const later = await serve(events("data: a\n\n"), answer);
  const stream = client(later.url);
  expect(await failure(all(stream))).toMatchObject(expected);
  expect(await stream.health()).toMatchObject({ state: "closed", lastError: expected });
  expect(later.requests).toHaveLength(2);
});

test("a server that is not there fails the first attempt: unavailable, not sent", async () => {
  const { url, server } = await serve(over);
  server.close();
  const stream = client(url);
  expect(await failure(stream.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(stream.state).toBe("idle");
  expect(await failure(all(stream))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(stream.state).toBe("closed");
});

test("a server that says nothing is waited for so long, and can be asked again", async () => {
  const { url } = await serve(() => {}, events("data: a\n\n"), over);
  const stream = client(url);
  expect(await failure(stream.connect({ timeoutMs: 40 }))).toMatchObject({
    code: "deadline_exceeded",
    outcome: "unknown",
  });
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  expect(await failure(stream.connect({ signal: controller.signal }))).toMatchObject({
    code: "cancelled",
    outcome: "not-sent",
  });
  await stream.connect({ timeoutMs: 10_000 });
  expect(stream.state).toBe("open");
  expect(await all(stream)).toEqual(["a"]);
});

test("silence beyond the idle time is a cut, and comments are no silence", async () => {
  const { url, requests } = await serve(
    events("id: 1\ndata: a\n\n", "stay"),
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      let sent = 0;
      const timer = setInterval(() => {
        response.write(++sent < 6 ? ": alive\n" : "data: b\n\n");
        if (sent === 6) clearInterval(timer);
      }, 30);
      response.on("close", () => clearInterval(timer));
    },
    over,
  );
  expect(await all(client(url, { idleTimeoutMs: 100 }))).toEqual(["a", "b"]);
  expect(requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "1", "1"]);
});

test("without coming back, silence beyond the idle time is an error", async () => {
  const { url } = await serve(events("data: a\n\n", "stay"));
  const error = await failure(all(client(url, { idleTimeoutMs: 50, reconnect: false })));
  expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
});

test("a line without an end is cut, and not asked for again", async () => {
  const { url, requests } = await serve((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const write = (): void => {
      while (!response.destroyed && response.write("data: ".padEnd(4_096, "x")));
      if (!response.destroyed) response.once("drain", write);
    };
    write();
  });
  const error = await failure(all(client(url, { maxEventChars: 10_000 })));
  expect(error).toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
  expect(requests).toHaveLength(1);
});

test("leaving the iteration ends the request and closes the client", async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await serve((response, request) => {
    response.on("close", closed.resolve);
    return events("data: a\n\ndata: b\n\n", "stay")(response, request);
  });
  const stream = client(url);
  for await (const _ of stream) break;
  await closed.promise;
  expect(stream.state).toBe("closed");
  expect(() => stream[Symbol.asyncIterator]()).toThrow("read once");
  expect(await failure(stream.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("closing ends the reader without an error, wherever it is", async () => {
  const asked = Promise.withResolvers<void>();
  const silent = await serve(() => asked.resolve());
  const connecting = client(silent.url);
  const first = all(connecting);
  await asked.promise;
  await connecting.close();
  expect(await first).toEqual([]);

  const { url } = await serve(events("data: a\n\n", "stay"));
  const reading = client(url);
  const got: string[] = [];
  for await (const { data } of reading) {
    got.push(data);
    setImmediate(() => reading.close());
  }
  expect(got).toEqual(["a"]);

  const gone = await serve(events("data: a\n\n"));
  const waiting = client(gone.url, { reconnect: { baseMs: 60_000, maxMs: 60_000 } });
  waiting.onState(({ state }) => {
    if (state === "reconnecting") setImmediate(() => waiting.close());
  });
  expect(await all(waiting)).toEqual(["a"]);
});

test("a signal ends the reader with its reason", async () => {
  const { url } = await serve(events("data: a\n\n", "stay"));
  const controller = new AbortController();
  const reason = new Error("enough");
  const reading = (async () => {
    for await (const _ of client(url, { signal: controller.signal })) setImmediate(() => controller.abort(reason));
  })();
  expect(await failure(reading)).toMatchObject({ code: "cancelled", outcome: "unknown", cause: reason });
  const before = client(url, { signal: AbortSignal.abort(reason) });
  expect(await failure(all(before))).toMatchObject({ code: "cancelled", outcome: "not-sent" });
});

test("a stream is read once", async () => {
  const { url } = await serve(events("data: a\n\n"), over);
  const stream = client(url);
  const first = all(stream);
  expect(() => stream[Symbol.asyncIterator]()).toThrow("read once");
  expect(await first).toEqual(["a"]);
});

test("a reader who stalls holds up the server", async () => {
  let sent = 0;
  const stalled = Promise.withResolvers<void>();
  const { url } = await serve(async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = `data: ${"x".repeat(100_000)}\n\n`;
    for (; sent < 1_000; sent++) {
      if (response.write(event)) continue;
      const drained = new Promise<boolean>((resolve) => response.once("drain", () => resolve(true)));
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
      if (!(await Promise.race([drained, late]))) return stalled.resolve();
    }
  });
  for await (const _ of client(url)) {
    await stalled.promise;
    break;
  }
  expect(sent).toBeLessThan(300);
});

test("credentials are asked for at each request, and once more after a 401", async () => {
  const list = ["one", "two", "three"];
  const shown = () => ({
    header: () => ["authorization", `Bearer ${list[0]}`] as const,
    login: () => ({ password: "" }),
    text: () => "",
  });
  const { url, requests } = await serve(events("data: a\n\n"), status(401), events("data: b\n\n"), over);
  const stream = client(url, { credentials: { present: shown, refused: () => list.shift() !== undefined } });
  expect(await all(stream)).toEqual(["a", "b"]);
  const tokens = requests.map(({ headers }) => headers.authorization);
  expect(tokens).toEqual(["Bearer one", "Bearer one", "Bearer two", "Bearer two"]);
});

test("the opening passes the policies, and is made again; after a cut only reconnect does so", async () => {
  const types: string[] = [];
  const note: Interceptor = (next) => (call) => {
    types.push(call.message.type);
    return next(call);
  };
  const { url, requests } = await serve(status(503), events("data: 1\n\n", "cut"), status(503));
  const stream = client(url, { retry: { baseMs: 1 }, use: [note], reconnect: { baseMs: 1, maxMs: 5, maxAttempts: 2 } });
  const read: string[] = [];
  const failed = failure(
    (async () => {
      for await (const { data } of stream) read.push(data);
    })(),
  );
  expect(await failed).toMatchObject({ details: { status: 503 } });
  expect(read).toEqual(["1"]);
  expect(requests.length).toBe(4);
  expect(types).toEqual(Array.from({ length: 4 }, () => "sse.connect"));
});

test("a POST is made again only if that is said, and its time is for all attempts", async () => {
  for (const [idempotent, count] of [
    [true, 2],
    [false, 1],
  ] as const) {
    const { url, requests } = await serve(status(503), events("data: 1\n\n"));
    const stream = client(url, { json: {}, retry: { baseMs: 1 }, reconnect: false, idempotent });
    if (idempotent) expect(await all(stream)).toEqual(["1"]);
    else expect(await failure(all(stream))).toMatchObject({ code: "unavailable", details: { status: 503 } });
    expect(requests.length).toBe(count);
  }
  const { url } = await serve(() => {});
  const silent = client(url, { timeoutMs: 50 });
  expect(await failure(silent.connect())).toMatchObject({ code: "deadline_exceeded" });
});
