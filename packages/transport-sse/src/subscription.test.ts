import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createEnvelope, type Envelope, type Handler } from "@parley/core/transport";
import { expect, test } from "vitest";
import { announcing, eventsOf, stranger, wire } from "../test/wires.ts";
import { sseLimits } from "./index.ts";

const run = promisify(execFile);

interface Publisher {
  readonly handler: Handler;
  publish(subject: string, data: unknown): Envelope;
  /** Subscriptions under way. */
  readonly filters: string[];
}

/** Answers subscriptions; filters match by their beginning. */
function publisher(): Publisher {
  const subscribers = new Set<{ readonly filter: string; readonly push: (item: Envelope) => void }>();
  const filters: string[] = [];
  return {
    filters,
    publish(subject, data) {
      const item = createEnvelope({ kind: "item", type: "test.news.v1", source: "/agent", subject, data });
      for (const { filter, push } of subscribers) if (subject.startsWith(filter.replace(/[+#].*/, ""))) push(item);
      return item;
    },
    handler: announcing({ "test.news": "subscribe" }, (call) => {
      const filter = call.message.subject ?? "";
      const queue: Envelope[] = [];
      let wake = (): void => {};
      const subscriber = {
        filter,
        push(item: Envelope) {
          queue.push(item);
          wake();
        },
      };
      filters.push(filter);
      subscribers.add(subscriber);
      call.onAbort({
        callAborted() {
          filters.splice(filters.indexOf(filter), 1);
          subscribers.delete(subscriber);
          wake();
        },
      });
      return {
        output: (async function* () {
          while (subscribers.has(subscriber)) {
            if (queue.length > 0) yield queue.shift() as Envelope;
            else {
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
            }
          }
        })(),
      };
    }),
  };
}

const accept = { accept: "text/event-stream" };

test("a GET subscribes to several filters, its items have no name and ids to go on from", async () => {
  const { handler, publish, filters } = publisher();
  await using it = await wire(handler);
  const path = "/test.news.v1?topic=a/%2B&topic=b/%23&topic=b/c";
  const reading = await stranger(it.url, { method: "GET", path, headers: accept });
  expect(reading).toMatchObject({ status: 200, headers: { "content-type": "text/event-stream" } });
  expect(filters).toEqual(["a/+", "b/#", "b/c"]);
  publish("a/x", "one\ntwo");
  publish("c/x", "not for us");
  publish("b/c", 3);
  const text = await reading.until(".2\n");
  expect(text).toMatch(/^retry: \d+\nid: [\w-]{22}\.0\n\n/);
  const [first, second, ...rest] = eventsOf(text);
  expect(rest).toEqual([]);
  expect(first).not.toHaveProperty("event");
  expect(JSON.parse(first?.["data"] ?? "")).toMatchObject({ kind: "item", subject: "a/x", data: "one\ntwo" });
  expect(JSON.parse(second?.["data"] ?? "")).toMatchObject({ subject: "b/c", data: 3 });

  reading.leave();
  publish("a/y", 4);
  const again = await stranger(it.url, {
    method: "GET",
    path,
    headers: { ...accept, "last-event-id": first?.["id"] ?? "" },
  });
  publish("a/z", 5);
  const events = eventsOf(await again.until(".4\n"));
  expect(events.map(({ data }) => (JSON.parse(data ?? "") as Envelope).data)).toEqual([3, 4, 5]);
});

test("a second reader of the same stream takes it over, and the first is cut off", async () => {
  const { handler, publish } = publisher();
  await using it = await wire(handler);
  const path = "/test.news.v1?topic=a";
  const first = await stranger(it.url, { method: "GET", path, headers: accept });
  publish("a", 1);
  const [event] = eventsOf(await first.until(".1\n"));
  const second = await stranger(it.url, {
    method: "GET",
    path,
    headers: { ...accept, "last-event-id": event?.["id"] ?? "" },
  });
  await first.closed;
  publish("a", 2);
  await second.until('"data":2');
});

test("who leaves a subscription and does not come back is forgotten after the window", async () => {
  const { handler, filters } = publisher();
  await using it = await wire(handler, { resumeWindowMs: 100 });
  const reading = await stranger(it.url, { method: "GET", path: "/test.news.v1?topic=a", headers: accept });
  expect(filters).toEqual(["a"]);
  reading.leave();
  await expect.poll(() => filters).toEqual([]);
  expect(it.listener.stats().openCalls).toBe(0);
});

test.each<[string, Readonly<Record<string, string>>, string, number]>([
  ["without an accept of its own", {}, "/test.news.v1?topic=a", 406],
  ["as an image", { accept: "image/png,*/*" }, "/test.news.v1?topic=a", 406],
  ["from another site", { ...accept, "sec-fetch-site": "cross-site" }, "/test.news.v1?topic=a", 403],
  ["from another origin", { ...accept, origin: "https://evil.example" }, "/test.news.v1?topic=a", 403],
  ["by another name", { ...accept, host: "evil.example" }, "/test.news.v1?topic=a", 403],
  ["to nothing", accept, "/test.news.v1", 400],
  ["to no filter", accept, "/test.news.v1?topic=a%23", 400],
  ["to too many", accept, `/test.news.v1?${Array.from({ length: 65 }, () => "topic=a").join("&")}`, 400],
])("a GET %s is refused", async (_name, headers, path, status) => {
  const { handler, filters } = publisher();
  await using it = await wire(handler);
  expect(await stranger(it.url, { method: "GET", path, headers })).toMatchObject({ status });
  expect(filters).toEqual([]);
});

test("the hundred and first stream without a reader pushes the oldest out", async () => {
  const { handler, filters } = publisher();
  await using it = await wire(handler);
  for (let index = 0; index < 101; index++) {
    const path = `/test.news.v1?topic=a/${index}`;
    (await stranger(it.url, { method: "GET", path, headers: accept })).leave();
  }
  await expect.poll(() => filters.length).toBe(100);
  expect(filters).not.toContain("a/0");
});

test("a GET beyond maxCalls is refused, and one that goes on is not", async () => {
  const { handler, publish } = publisher();
  await using it = await wire(handler, { limits: { ...sseLimits, maxCalls: 1 } });
  const path = "/test.news.v1?topic=a";
  const first = await stranger(it.url, { method: "GET", path, headers: accept });
  publish("a", 1);
  const [event] = eventsOf(await first.until(".1\n"));
  const beyond = await stranger(it.url, { method: "GET", path, headers: accept });
  expect(beyond).toMatchObject({ status: 429, headers: { "retry-after": expect.any(String) } });
  expect(JSON.parse(await beyond.closed)).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  const again = await stranger(it.url, {
    method: "GET",
    path,
    headers: { ...accept, "last-event-id": event?.["id"] ?? "" },
  });
  publish("a", 2);
  await again.until('"data":2');
});

test("a listener that closes waits for no reader who is away, nor for one who leaves then", async () => {
  const { handler, filters } = publisher();
  await using it = await wire(handler);
  const path = (topic: string) => `/test.news.v1?topic=${topic}`;
  const away = await stranger(it.url, { method: "GET", path: path("a"), headers: accept });
  const there = await stranger(it.url, { method: "GET", path: path("b"), headers: accept });
  away.leave();
  await away.closed;
  await (await stranger(it.url, { method: "GET", path: "/healthz" })).closed;
  const closed = it.listener.close({ graceMs: 60_000 });
  expect(filters).toEqual(["b"]);
  there.leave();
  await closed;
  expect(filters).toEqual([]);
});

test("curl reads a stream of plain JSON's answer, and leaving cancels", async () => {
  const { handler, publish, filters } = publisher();
  await using it = await wire(handler);
  const url = `http://127.0.0.1:${it.url.port}/test.news.v1?topic=a`;
  const reading = run("curl", ["-sN", "-m", "1", "-H", "accept: text/event-stream", url]).catch(
    (error: { readonly stdout: string }) => error,
  );
  await expect.poll(() => filters).toEqual(["a"]);
  publish("a", "for curl");
  expect((await reading).stdout).toMatch(
    /^retry: \d+\nid: .+\n\nid: .+\.1\ndata: \{"specversion":"1.0".+"for curl"\}\n\n$/,
  );
});
