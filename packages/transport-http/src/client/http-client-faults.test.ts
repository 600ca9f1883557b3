import { spawn } from "node:child_process";
import { getEventListeners } from "node:events";
import type { Socket } from "node:net";
import { connect as tcpConnect } from "node:net";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, serve, tcp, web } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

function client(options?: HttpClientOptions): HttpClient {
  const made = new HttpClient(options);
  afterTest(() => made.close({ graceMs: 0 }));
  return made;
}

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

test("an unknown host: unavailable, not sent", async () => {
  const error = await failure(client().get("http://no-such-host.invalid"));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test.each<[string, (socket: Socket) => void]>([
  ["nothing but a close", (socket) => void socket.once("data", () => socket.destroy())],
  ["something that is not HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
  ["half a head", (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Ty"))],
])("a server that answers with %s: unavailable, outcome unknown", async (_name, accept) => {
  const { url } = await tcp(accept);
  expect(await failure(client().get(url))).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test.each<[string, string]>([
  ["a length that is too long", `${HEAD}Content-Length: 500\r\n\r\nhalf`],
  ["chunks without an end", `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
])("half an answer by %s: what came is read, then it is unavailable, outcome unknown", async (_name, text) => {
  const { url } = await tcp((socket) => void socket.once("data", () => socket.end(text)));
  const response = await client().get(url);
  let read = "";
  const reading = (async () => {
    for await (const chunk of response) read += Buffer.from(chunk).toString();
  })();
  expect(await failure(reading)).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(read).toBe("half");
});

test("a server that takes the request and says nothing: deadline exceeded, outcome unknown, nothing left open", async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await tcp((socket) => void socket.resume().once("close", closed.resolve));
  const api = client({ headersTimeoutMs: 50 });
  const error = await failure(api.get(url));
  expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  expect(error.message).toContain("within 50 ms");
  await closed.promise;
  expect(api.stats()).toEqual({ busy: 0, idle: 1, waiting: 0 });
});

test("the time for the head begins anew with each part of the body that is sent", async () => {
  const { url } = await web((_request, response) => response.end("got it"));
  const api = client({ headersTimeoutMs: 200 });
  async function* slow() {
    for (let part = 0; part < 4; part++) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      yield "x";
    }
  }
  expect(await (await api.post(url, { body: slow() })).text()).toBe("got it");
});

test("a server that stops in the middle of its answer: deadline exceeded, outcome unknown", async () => {
  const { url } = await tcp(
    (socket) => void socket.once("data", () => socket.write(`${HEAD}Content-Length: 9\r\n\r\nhalf`)),
  );
  const response = await client({ bodyTimeoutMs: 50 }).get(url);
  expect(await failure(response.text())).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
});

test("the whole time holds for the reading too", async () => {
  const { url } = await tcp(
    (socket) => void socket.once("data", () => socket.write(`${HEAD}Content-Length: 9\r\n\r\nhalf`)),
  );
  const response = await client().get(url, { timeoutMs: 60 });
  expect(await failure(response.text())).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
});

test("an answer that nobody begins to read is given up, and its connection serves others", async () => {
  const { url } = await serve((request, response) => {
    if (request.url === "/big") response.end(Buffer.alloc(4_000_000));
    else response.end("small");
  });
  const api = client({ bodyTimeoutMs: 60, pool: { maxPerOrigin: 1 } });
  const unread = await api.get(`${url}/big`);
  expect(await (await api.get(url)).text()).toBe("small");
  const error = await failure(unread.text());
  expect(error).toMatchObject({ code: "deadline_exceeded" });
  expect(error.message).toContain("nobody began to read");
});

test("a reader may take its time", async () => {
  const { url } = await web((_request, response) => response.end(Buffer.alloc(2_000_000)));
  const response = await client({ bodyTimeoutMs: 60 }).get(url);
  let bytes = 0;
  let paused = false;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (!paused && bytes > 100_000) {
      paused = true;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
  expect(bytes).toBe(2_000_000);
});

test("a reader who stalls holds up the server", async () => {
  let sent = 0;
  const stalled = Promise.withResolvers<void>();
  const { url } = await serve(async (_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024);
    for (; sent < 64; sent++) {
      if (response.write(chunk)) continue;
      const drained = await Promise.race([
        new Promise<boolean>((resolve) => response.once("drain", () => resolve(true))),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (!drained) return stalled.resolve();
    }
  });
  const response = await client({ maxResponseBytes: Number.POSITIVE_INFINITY }).get(url);
  await stalled.promise;
  expect(sent).toBeLessThan(30);
  response.discard();
});

test("a reader who leaves ends the answer", async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await serve((_request, response) => {
    response.on("close", closed.resolve);
    response.write("one");
  });
  const api = client();
  for await (const _ of await api.get(url)) break;
  await closed.promise;
  expect(api.stats()).toMatchObject({ busy: 0 });
});

test.each<[string, (response: import("node:http").ServerResponse) => void]>([
  ["says so", (response) => void response.writeHead(200, { "content-length": 1_001 }).write("x")],
  [
    "does not",
    (response) => {
      response.write(Buffer.alloc(600));
      response.end(Buffer.alloc(600));
    },
  ],
])("a body over the limit that %s is not read", async (_name, answer) => {
  const { url } = await serve((_request, response) => answer(response));
  const api = client({ maxResponseBytes: 1_000 });
  expect(await failure((await api.get(url)).bytes())).toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
});

test("the length that an answer to HEAD names is no body", async () => {
  const { url } = await web((_request, response) => void response.writeHead(200, { "content-length": 9_999 }).end());
  expect(await (await client({ maxResponseBytes: 10 }).head(url)).text()).toBe("");
});

test("a request is given up by its signal, wherever it is", async () => {
  const reason = new Error("enough");
  const asked = Promise.withResolvers<void>();
  const { url } = await serve((request, response) => {
    if (request.url === "/body") response.write("half");
    else asked.resolve();
  });
  const api = client({ pool: { maxPerOrigin: 1 } });
  const aborted = AbortSignal.abort(reason);
  expect(await failure(api.get(url, { signal: aborted }))).toMatchObject({
    code: "cancelled",
    outcome: "not-sent",
    cause: reason,
  });
  const first = new AbortController();
  const waitingForHead = api.get(url, { signal: first.signal });
  await asked.promise;
  const second = new AbortController();
  const waitingForSocket = api.get(url, { signal: second.signal });
  second.abort(reason);
  expect(await failure(waitingForSocket)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  first.abort(reason);
  expect(await failure(waitingForHead)).toMatchObject({ code: "cancelled", outcome: "unknown", cause: reason });
  const third = new AbortController();
  const response = await api.get(`${url}/body`, { signal: third.signal });
  const reading = response.text();
  third.abort(reason);
  expect(await failure(reading)).toMatchObject({ code: "cancelled", outcome: "unknown", cause: reason });
  expect(api.stats()).toMatchObject({ busy: 0, waiting: 0 });
});

test("a signal that serves many requests is let go of by each", async () => {
  const { url } = await web(
    ({ url: path }, response) => void response.writeHead(path === "/" ? 200 : 302, { location: "/" }).end(),
  );
  const { signal } = new AbortController();
  const api = client();
  await (await api.get(`${url}/away`, { signal })).text();
  await failure(api.get("http://127.0.0.1:9", { signal }));
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("a hook or credential that never comes holds nobody beyond the request's time", async () => {
  const api = client({ hooks: { beforeRequest: () => new Promise(() => {}) } });
  const error = await failure(api.get("http://127.0.0.1:9", { timeoutMs: 50 }));
  expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
});

test("a server that takes no connection: unavailable in time, not sent; who gives up leaves no connection behind", async () => {
  // Its queue of connections is full, and the kernel drops the next.
  const python = spawn("python3", [
    "-c",
    "import socket,sys\ns=socket.socket()\ns.bind(('127.0.0.1',0))\ns.listen(0)\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()",
  ]);
  afterTest(() => python.kill());
  const port = Number(String(await new Promise((resolve) => python.stdout.once("data", resolve))));
  const filler = tcpConnect(port, "127.0.0.1").on("error", () => {});
  await new Promise((resolve) => filler.once("connect", resolve));
  afterTest(() => filler.destroy());
  const url = `http://127.0.0.1:${port}`;
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  const before = sockets();
  const givingUp: ((api: HttpClient, controller: AbortController) => unknown)[] = [
    (_api, controller) => controller.abort(),
    (api) => api.close({ graceMs: 0 }),
  ];
  for (const giveUp of givingUp) {
    const api = client();
    const controller = new AbortController();
    const pending = failure(api.get(url, { signal: controller.signal }));
    await turn();
    expect(sockets()).toBe(before + 1);
    await giveUp(api, controller);
    expect(await pending).toMatchObject({ outcome: "not-sent" });
    expect(api.stats()).toEqual({ busy: 0, idle: 0, waiting: 0 });
    // Long before the time to connect is over.
    for (let turns = 0; turns < 10 && sockets() > before; turns++) await turn();
    expect(sockets()).toBe(before);
  }
  const error = await failure(client({ connectTimeoutMs: 100 }).get(url));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a stream that waits for its next part is told to return when the request is given up", async () => {
  const returned = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { url } = await serve(() => {});
  const body: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      next() {
        asked.resolve();
        return new Promise(() => {});
      },
      async return() {
        returned.resolve();
        return { done: true, value: undefined };
      },
    }),
  };
  const controller = new AbortController();
  const pending = failure(client().post(url, { body, signal: controller.signal }));
  await asked.promise;
  controller.abort();
  expect(await pending).toMatchObject({ code: "cancelled", outcome: "unknown" });
  await returned.promise;
});

test("closing lets requests end within the grace, and cuts those that do not", async () => {
  const held: (() => void)[] = [];
  const both = Promise.withResolvers<void>();
  const { url } = await serve((_request, response) => {
    held.push(() => response.end("done"));
    if (held.length === 2) both.resolve();
  });
  const api = client({
    hooks: { beforeRequest: ({ method }) => (method === "PUT" ? new Promise(() => {}) : undefined) },
  });
  const quick = api.get(url);
  const slow = failure(api.get(url));
  const waiting = failure(api.put(url));
  await both.promise;
  const closing = api.close({ graceMs: 200 });
  held[0]?.();
  expect(await (await quick).text()).toBe("done");
  expect(await slow).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  await closing;
  expect(api.state).toBe("closed");
});
