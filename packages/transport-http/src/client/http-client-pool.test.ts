import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, serve } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

function client(options?: HttpClientOptions): HttpClient {
  const made = new HttpClient(options);
  afterTest(() => made.close({ graceMs: 0 }));
  return made;
}

/** A server that counts its connections, and the requests that it has at a time. */
async function counting(holdMs = 0) {
  const counts = { open: 0, mostOpen: 0, busy: 0, mostBusy: 0, asked: 0 };
  const { url, server } = await serve((_request, response) => {
    counts.asked++;
    counts.mostBusy = Math.max(counts.mostBusy, ++counts.busy);
    response.on("close", () => counts.busy--);
    if (holdMs === 0) setImmediate(() => response.end("ok"));
    else setTimeout(() => response.end("ok"), holdMs);
  });
  const empty = Promise.withResolvers<void>();
  server.on("connection", (socket) => {
    counts.mostOpen = Math.max(counts.mostOpen, ++counts.open);
    socket.on("close", () => {
      if (--counts.open === 0) empty.resolve();
    });
  });
  return { url, counts, empty: empty.promise };
}

test("ten thousand requests with a limit of 5 for the origin never exceed it, and leave nothing", async () => {
  const { url, counts, empty } = await counting();
  const api = client({ pool: { maxPerOrigin: 5, maxWaiting: 10_000 }, connectTimeoutMs: 60_000 });
  const read = async () => (await api.get(url)).text();
  const texts = await Promise.all(Array.from({ length: 10_000 }, read));
  expect(texts.every((text) => text === "ok")).toBe(true);
  expect(counts).toMatchObject({ asked: 10_000, mostOpen: 5 });
  expect(api.stats()).toEqual({ busy: 0, idle: 5, waiting: 0 });
  await api.close();
  await empty;
  expect(counts.open).toBe(0);
}, 60_000);

test("a limit in all is kept over several origins, and idle connections make room", async () => {
  const servers = await Promise.all([counting(2), counting(2), counting(2)]);
  const api = client({ pool: { maxPerOrigin: 3, maxTotal: 4 } });
  let open = 0;
  let mostOpen = 0;
  const read = async (index: number) => {
    const { url } = servers[index % 3] ?? { url: "" };
    const text = await (await api.get(url)).text();
    open = servers.reduce((sum, { counts }) => sum + counts.busy, 0);
    mostOpen = Math.max(mostOpen, open);
    return text;
  };
  await Promise.all(Array.from({ length: 300 }, (_, index) => read(index)));
  expect(mostOpen).toBeLessThanOrEqual(4);
  for (const { counts } of servers) {
    expect(counts.asked).toBe(100);
    expect(counts.mostBusy).toBeLessThanOrEqual(3);
  }
  const { busy, idle, waiting } = api.stats();
  expect([busy, waiting]).toEqual([0, 0]);
  expect(idle).toBeLessThanOrEqual(4);
});

test("who waits is served in the order of asking", async () => {
  const order: (string | undefined)[] = [];
  const { url } = await serve((request, response) => {
    order.push(request.url);
    setImmediate(() => response.end());
  });
  const api = client({ pool: { maxPerOrigin: 1 } });
  const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
  await Promise.all(paths.map(async (path) => (await api.get(url + path)).text()));
  expect(order).toEqual(paths);
});

test("more than may wait are refused, and who waits too long as well, unsent", async () => {
  const { url, counts } = await counting(150);
  const api = client({ pool: { maxPerOrigin: 1, maxWaiting: 1 }, connectTimeoutMs: 40 });
  const first = api.get(url);
  const second = failure(api.get(url));
  const third = await failure(api.get(url));
  expect(third).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  expect(third.message).toContain("1 requests wait");
  const late = await second;
  expect(late).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  expect(late.message).toContain("within 40 ms");
  expect((await first).status).toBe(200);
  expect(counts.asked).toBe(1);
});

test("a connection is used again at once after an answer that was given up", async () => {
  const { url } = await serve((request, response) => {
    response.write("x");
    if (request.url === "/whole") response.end();
  });
  const api = client({ pool: { maxPerOrigin: 1 } });
  for (let round = 0; round < 50; round++) {
    const [cut, whole] = [await api.get(`${url}/cut`), api.get(`${url}/whole`)];
    cut.discard();
    expect(await (await whole).text()).toBe("x");
  }
});

test("an idle connection is closed after its time", async () => {
  const { url, counts, empty } = await counting();
  await (await client({ pool: { idleTimeoutMs: 50 } }).get(url)).text();
  await empty;
  expect(counts.open).toBe(0);
});

test("a connection that the server closed while it was idle costs no request", async () => {
  const { url, server } = await serve((_request, response) => response.end("ok"));
  const api = client();
  for (let round = 0; round < 20; round++) {
    expect(await (await api.get(url)).text()).toBe("ok");
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
