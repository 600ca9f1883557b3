import { type Breaker, breaker, hedge, type LogEntry, resilience, retryBudget } from "@parley/core";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, tcp, web } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions, type HttpRequestOptions } from "../index.ts";

function client(options?: HttpClientOptions): HttpClient {
  const made = new HttpClient(options);
  afterTest(() => made.close({ graceMs: 0 }));
  return made;
}

/** Answers with the statuses in turn, then with the last. */
function statuses(...list: number[]) {
  return web((_request, response, number) => {
    response.writeHead(list[Math.min(number, list.length) - 1] ?? 200).end(`answer ${number}`);
  });
}

test.each([429, 500, 502, 503, 504])("status %i is tried again, and the last answer is the answer", async (status) => {
  const { url, requests } = await statuses(status, 200);
  expect(await (await client({ retry: { baseMs: 0 } }).get(url)).text()).toBe("answer 2");
  expect(requests).toHaveLength(2);
});

test("when all attempts fail, the last answer is returned, or thrown with its status", async () => {
  const { url, requests } = await statuses(503);
  const api = client({ retry: { baseMs: 0, maxAttempts: 4 } });
  const response = await api.get(url);
  expect([response.status, await response.text()]).toEqual([503, "answer 4"]);
  const error = await failure(api.get(url, { expectOk: true }));
  expect(error).toMatchObject({ code: "unavailable", outcome: "unknown", details: { status: 503 } });
  expect(requests).toHaveLength(8);
});

test("without the option, and for other statuses, there is one attempt", async () => {
  const { url, requests } = await statuses(503);
  await client().get(url);
  const other = await statuses(404);
  await client({ retry: { baseMs: 0 } }).get(other.url);
  const chosen = await statuses(503);
  await client({ retry: { baseMs: 0, statuses: [404] } }).get(chosen.url);
  expect([requests, other.requests, chosen.requests].map((list) => list.length)).toEqual([1, 1, 1]);
});

test("a status that was chosen is tried again", async () => {
  const { url } = await statuses(404, 408, 200);
  expect((await client({ retry: { baseMs: 0, statuses: [404, 408] } }).get(url)).status).toBe(200);
});

test.each([
  ["GET", 2],
  ["HEAD", 2],
  ["PUT", 2],
  ["DELETE", 2],
  ["OPTIONS", 2],
  ["POST", 1],
  ["PATCH", 1],
])("after a 503, which may come from a gateway, %s is made %i times in all", async (method, times) => {
  const { url, requests } = await statuses(503, 200);
  await client({ retry: { baseMs: 0 } }).request(method, url);
  expect(requests).toHaveLength(times);
});

test("after a 429, by which the server refuses, any request is made again, unless its body was a stream or 429 was not chosen", async () => {
  async function* stream() {
    yield "x";
  }
  const times = async (retry: HttpClientOptions["retry"], options: HttpRequestOptions): Promise<number> => {
    const { url, requests } = await statuses(429, 200);
    await client({ retry: { baseMs: 0, ...retry } }).post(url, options);
    return requests.length;
  };
  expect(await times({}, { json: 1 })).toBe(2);
  expect(await times({}, { body: stream })).toBe(2);
  expect(await times({}, { body: stream() })).toBe(1);
  expect(await times({ statuses: [503] }, { json: 1 })).toBe(1);
});

test("a request says for itself whether its effect may be had twice", async () => {
  const post = await statuses(503, 200);
  const api = client({ retry: { baseMs: 0 } });
  await api.post(post.url, { json: { n: 1 }, idempotent: true });
  expect(post.requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}']);
  const get = await statuses(503, 200);
  await api.get(get.url, { idempotent: false });
  expect(get.requests).toHaveLength(1);
});

test("a cut before the answer is tried again for what is idempotent alone", async () => {
  let cuts = 0;
  const { url } = await tcp((socket) => {
    socket.once("data", () => {
      cuts++;
      socket.destroy();
    });
  });
  const api = client({ retry: { baseMs: 0 } });
  expect(await failure(api.get(url))).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(cuts).toBe(3);
  expect(await failure(api.post(url))).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(cuts).toBe(4);
});

test("what was not sent is tried again, whatever it is", async () => {
  const { url, close } = await tcp(() => {});
  await close();
  const log: LogEntry[] = [];
  const api = client({ retry: { baseMs: 0 }, log: (entry) => log.push(entry) });
  const error = await failure(api.post(url, { body: (async function* () {})() }));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(log.map(({ level, event }) => `${level} ${event}`)).toEqual(["warn request-again", "warn request-again"]);
});

test("a stream is sent once; a function makes it anew", async () => {
  const { url, requests } = await statuses(503, 200, 503, 200);
  const api = client({ retry: { baseMs: 0 } });
  const stream = async function* () {
    yield "one ";
    yield "two";
  };
  expect((await api.put(url, { body: stream() })).status).toBe(503);
  await api.get(url);
  expect((await api.put(url, { body: stream })).status).toBe(200);
  expect(requests.map(({ body }) => body)).toEqual(["one two", "", "one two", "one two"]);
});

test.each<[string, () => string, number]>([
  ["seconds", () => "1", 1_000],
  ["a date", () => new Date(Date.now() + 2_000).toUTCString(), 900],
  ["an eternity, cut to the limit,", () => "86400", 100],
  ["a date that has passed", () => "Wed, 21 Oct 2015 07:28:00 GMT", 0],
  ["nonsense", () => "soon", 0],
])("Retry-After by %s is waited for", async (name, value, atLeast) => {
  const { url } = await web((_request, response, number) => {
    response.writeHead(number === 1 ? 429 : 200, { "retry-after": value() }).end();
  });
  const maxRetryAfterMs = name.startsWith("an eternity") ? 100 : undefined;
  const begun = performance.now();
  expect((await client({ retry: { baseMs: 0, maxRetryAfterMs } }).get(url)).status).toBe(200);
  // One that waits too long is seen by the limit of every test.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(atLeast - 5);
});

test("a wait that would last beyond the request's time is not begun", async () => {
  const { url, requests } = await web((_request, response) => response.writeHead(429, { "retry-after": "30" }).end());
  const begun = performance.now();
  const response = await client({ retry: {} }).get(url, { timeoutMs: 20_000 });
  expect([response.status, requests.length]).toEqual([429, 1]);
  expect(performance.now() - begun).toBeLessThan(4_000);
});

test("a signal ends the wait for another attempt", async () => {
  const asked = Promise.withResolvers<void>();
  const { url } = await web((_request, response) => {
    response.writeHead(429, { "retry-after": "30" }).end();
    asked.resolve();
  });
  const controller = new AbortController();
  const pending = failure(client({ retry: {} }).get(url, { signal: controller.signal }));
  await asked.promise;
  setTimeout(() => controller.abort(), 30);
  expect(await pending).toMatchObject({ code: "cancelled" });
});

test("a budget bounds the attempts of all requests together", async () => {
  const { url, requests } = await statuses(503);
  const budget = retryBudget({ ratio: 0, perSecond: 2, perCall: 2 });
  const api = client({ retry: { baseMs: 0, budget } });
  for (let request = 0; request < 10; request++) await (await api.get(url)).text();
  expect(requests).toHaveLength(12);
});

test("policies of core see statuses as failures: a breaker opens, and refuses", async () => {
  const { url, requests } = await statuses(503);
  const guard: Breaker = breaker({ minCalls: 3 });
  const api = client({ use: [guard] });
  for (let request = 0; request < 3; request++) expect((await api.post(url)).status).toBe(503);
  expect(guard.state).toBe("open");
  expect(await failure(api.post(url))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(requests).toHaveLength(3);
});

test("answers that come to nothing are let go of, however long they are", async () => {
  const { url, requests } = await web((_request, response, number) => {
    response.writeHead(number === 2 ? 200 : 503).end(Buffer.alloc(number === 2 ? 0 : 4_000_000));
  });
  const pool = { maxPerOrigin: 1 };
  const api = client({ retry: { baseMs: 0 }, pool });
  expect((await api.get(url)).status).toBe(200);
  // The breaker refuses the second attempt, and its error is not mistaken for the first answer.
  const guarded = client({ retry: { baseMs: 0 }, pool, use: [breaker({ minCalls: 1 })] });
  const error = await failure(guarded.get(url));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("breaker") });
  expect(requests).toHaveLength(3);
  await guarded.close();
  expect(guarded.stats().busy).toBe(0);
});

test("the policies of core hold around requests: time for an attempt, a hedge, their own retries", async () => {
  const slowAtFirst = () =>
    web((_request, response, number) => {
      if (number > 1) response.end(`answer ${number}`);
    });
  const timed = await slowAtFirst();
  const again = client({ use: [resilience({ timeoutMs: 50, retry: { baseMs: 0 } })] });
  expect(await (await again.get(timed.url)).text()).toBe("answer 2");
  const hedged = await slowAtFirst();
  const both = client({ use: [hedge({ delayMs: 20 })] });
  expect(await (await both.get(hedged.url)).text()).toBe("answer 2");
  await both.close();
  expect(both.stats()).toMatchObject({ busy: 0, waiting: 0 });
});
