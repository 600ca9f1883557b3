import { type Envelope, type Handler, systemRuntime } from "@parley/core/transport";
import { expect, test } from "vitest";
import { cable } from "../test/cable.ts";
import { announcing, answers, collect, eventsOf, make, rejection, stranger, webServer, wire } from "../test/wires.ts";
import { createSseHandler } from "./index.ts";

/** Numbers that come when they are let. */
function numbers(count: number): {
  readonly values: AsyncIterable<number>;
  upTo(last: number): void;
  readonly made: number;
} {
  let allowed = 0;
  let made = 0;
  let wake = (): void => {};
  return {
    get made() {
      return made;
    },
    upTo(last) {
      allowed = last;
      wake();
    },
    values: (async function* () {
      for (let value = 1; value <= count; value++) {
        while (value > allowed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        made = value;
        yield value;
      }
    })(),
  };
}

function streaming(values: AsyncIterable<unknown> | Iterable<unknown>): Handler {
  return announcing({ "test.echo": "server-stream" }, (call) => ({ output: answers(call, values) }));
}

const all = Array.from({ length: 21 }, (_, index) => index + 1);

test.each(Array.from({ length: 21 }, (_, index) => index))(
  "a stream that is cut after %i items goes on without gap or double",
  async (k) => {
    using way = await cable();
    const source = numbers(21);
    await using it = await wire(streaming(source.values), {}, way.via);
    const { output } = await make(it, "server-stream");
    const reader = output?.[Symbol.asyncIterator]();
    const seen: unknown[] = [];
    source.upTo(k);
    for (let index = 0; index < k; index++) seen.push((await reader?.next())?.value?.data);
    way.cut();
    source.upTo(21);
    for (let next = await reader?.next(); next && !next.done; next = await reader?.next()) seen.push(next.value.data);
    expect(seen).toEqual(all);
  },
);

test("a stream that is cut again and again, also as it is taken up, goes on", async () => {
  using way = await cable();
  const source = numbers(200);
  await using it = await wire(streaming(source.values), {}, way.via);
  const { output } = await make(it, "server-stream");
  const seen: unknown[] = [];
  source.upTo(10);
  for await (const { data } of output ?? []) {
    seen.push(data);
    if ((data as number) % 10 !== 0) continue;
    way.cut();
    source.upTo((data as number) + 10);
  }
  expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test("a cut longer than the window is told as data_loss, after what had come", async () => {
  using way = await cable();
  const source = numbers(21);
  await using it = await wire(streaming(source.values), { resumeWindowMs: 200 }, way.via);
  const { output } = await make(it, "server-stream");
  source.upTo(3);
  const reader = output?.[Symbol.asyncIterator]();
  for (let index = 0; index < 3; index++) await reader?.next();
  way.shut = true;
  way.cut();
  source.upTo(21);
  expect(await rejection(reader?.next() as Promise<unknown>)).toMatchObject({ code: "data_loss" });
});

test("a hole is told as data_loss: what came while nobody read was more than is kept", async () => {
  const text = "x".repeat(64 * 1024);
  let made = 0;
  const enough = Promise.withResolvers<void>();
  const handler = streaming(
    (async function* () {
      for (; made < 60; made++) yield text;
      enough.resolve();
      await new Promise(() => {});
    })(),
  );
  await using it = await wire(handler);
  const first = await stranger(it.url, {
    path: "/test.echo.v1",
    headers: { accept: "text/event-stream", prefer: "resume", "content-type": "application/json" },
    body: "{}",
  });
  await first.until("\nid: ");
  await enough.promise;
  const session = /id: ([\w-]+)\.0/.exec(first.text)?.[1];
  first.leave();
  const again = await stranger(it.url, {
    method: "GET",
    path: "/test.echo.v1",
    headers: { accept: "text/event-stream", "last-event-id": `${session}.1` },
  });
  const [fault] = eventsOf(await again.closed);
  expect(session).toHaveLength(22);
  expect(fault).toMatchObject({ event: "fault", id: `${session}.over` });
  expect(JSON.parse(fault?.["data"] ?? "")).toMatchObject({ kind: "error", data: { code: "data_loss" } });
  const last = await stranger(it.url, {
    method: "GET",
    path: "/test.echo.v1",
    headers: { accept: "text/event-stream", "last-event-id": fault?.["id"] ?? "" },
  });
  expect(last.status).toBe(204);
});

test.each([
  ["items", 5_000, "", 600],
  ["bytes", 1_000, "x".repeat(4_000), 300],
])("without a reader, the handler waits when what is kept, by %s, is half new", async (_by, count, text, atMost) => {
  using way = await cable();
  const released = Promise.withResolvers<void>();
  let made = 0;
  let streams = 0;
  const handler = announcing({ "test.echo": "server-stream" }, (call) => {
    const first = ++streams === 1;
    const values = (async function* () {
      for (let value = 1; value <= count; value++) {
        if (first) made = value;
        yield text + value;
        if (first && value === 1) await released.promise;
      }
    })();
    return { output: answers(call, values) };
  });
  await using it = await wire(handler, {}, way.via);
  const { output } = await make(it, "server-stream");
  const reader = output?.[Symbol.asyncIterator]();
  expect((await reader?.next())?.value?.data).toBe(`${text}1`);
  way.shut = true;
  way.cut();
  // The listener has learned of the cut when a request on another way, sent after it, was answered.
  await (await stranger(it.url, { method: "GET", path: "/healthz" })).closed;
  released.resolve();
  // As many items of another stream, whose turns come in between.
  const other = await stranger(it.url, {
    path: "/test.echo.v1",
    headers: { accept: "text/event-stream", "content-type": "application/json" },
    body: "{}",
  });
  expect((await other.closed).includes(`${text}${count}"}`)).toBe(true);
  expect(made).toBeLessThan(atMost);
  way.shut = false;
  const rest = await collect({ [Symbol.asyncIterator]: () => reader as AsyncIterator<never> });
  expect(rest.map((value) => Number(String(value).slice(text.length)))).toEqual(
    Array.from({ length: count - 1 }, (_, index) => index + 2),
  );
});

test.each(["resume", "resume, batch-items=4"])(
  "who comes back in the turn in which items are written gets each of them once: %s",
  async (prefer) => {
    const source = numbers(5);
    using web = await webServer();
    const parley = createSseHandler(streaming(source.values));
    web.server.on("request", async (request, response) => {
      // As a framework that has something to await before; the items wait for the end of this turn to leave.
      if (request.headers["last-event-id"]) source.upTo(3);
      for (let turn = 0; turn < 50; turn++) await undefined;
      parley.handle(request, response);
    });
    const url = new URL(`http://127.0.0.1:${web.port}`);
    const headers = { accept: "text/event-stream", prefer, "content-type": "application/json" };
    source.upTo(1);
    const first = await stranger(url, { path: "/test.echo.v1", headers, body: "{}" });
    const [event] = eventsOf(await first.until(".1\n"));
    const again = await stranger(url, {
      method: "GET",
      path: "/test.echo.v1",
      headers: { accept: "text/event-stream", "last-event-id": event?.["id"] ?? "" },
    });
    source.upTo(5);
    const events = eventsOf(await again.closed).filter((one) => one["event"] === undefined);
    expect(events.map(({ data }) => (JSON.parse(data ?? "") as Envelope).data)).toEqual([2, 3, 4, 5]);
    await parley.close();
  },
);

test("an unknown stream, and a name that is none, are told as data_loss", async () => {
  await using it = await wire(streaming([1]));
  for (const last of ["AAAAAAAAAAAAAAAAAAAAAA.3", "nonsense", "x".repeat(4_000)]) {
    const answer = await stranger(it.url, {
      method: "GET",
      path: "/test.echo.v1",
      headers: { accept: "text/event-stream", "last-event-id": last },
    });
    expect(answer.status).toBe(200);
    expect(await answer.closed).toContain("data_loss");
  }
});

test("leaving a stream cancels its handler at once, also though closing it would not", async () => {
  const left = Promise.withResolvers<void>();
  const handler = announcing({}, (call) => {
    call.onAbort({ callAborted: () => left.resolve() });
    return { output: answers(call, forever()) };
  });
  await using it = await wire(handler);
  const { output } = await make(it, "server-stream");
  for await (const _ of output ?? []) break;
  await left.promise;
  expect(it.listener.stats().openCalls).toBe(0);
});

async function* forever(): AsyncGenerator<number> {
  for (let value = 1; ; value++) {
    yield value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("streams that were left, or read to their end and followed by a request, leave nothing to watch", async () => {
  await using it = await wire(streaming([1, 2, 3]));
  expect(await collect((await make(it, "server-stream")).output)).toEqual([1, 2, 3]);
  for await (const _ of (await make(it, "server-stream")).output ?? []) break;
  await it.connection.ping();
  await expect.poll(() => systemRuntime.deadlines.size).toBe(0);
});

test("closing the connection cancels its streams at the peer before the window is over", async () => {
  const left = Promise.withResolvers<void>();
  const handler = announcing({}, (call) => {
    call.onAbort({ callAborted: () => left.resolve() });
    return { output: answers(call, forever()) };
  });
  await using it = await wire(handler);
  await make(it, "server-stream");
  await it.connection.close({ graceMs: 0 });
  await left.promise;
});

test("where several items share an event, a stream is taken up after an event and not within one", async () => {
  const text = "x".repeat(200);
  await using it = await wire(streaming(Array.from({ length: 6 }, (_, index) => `${text}${index + 1}`)));
  const headers = { accept: "text/event-stream", "content-type": "application/json" };
  const first = await stranger(it.url, {
    path: "/test.echo.v1",
    headers: { ...headers, prefer: "resume, batch-items=4" },
    body: "{}",
  });
  const events = eventsOf(await first.closed);
  const ids = events.map(({ id }) => id ?? "");
  const session = ids[0]?.split(".")[0] ?? "";
  expect(ids).toEqual(["4", "6", "over"].map((position) => `${session}.${position}`));
  const after = async (items: number): Promise<string> => {
    const again = { ...headers, "last-event-id": `${session}.${items}` };
    return (await stranger(it.url, { method: "GET", path: "/test.echo.v1", headers: again })).closed;
  };
  expect(eventsOf(await after(4)).map(({ id }) => id)).toEqual([`${session}.6`, `${session}.over`]);
  expect(await after(2)).toContain("data_loss");
});
