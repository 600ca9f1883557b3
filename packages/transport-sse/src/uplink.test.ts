import { type Handler, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { announcing, collect, items, make, rejection, stranger, wire } from "../test/wires.ts";

/** Sums what comes up. */
const sum: Handler = announcing({ "test.echo": "client-stream" }, async ({ message, input }) => ({
  message: reply(message, "/agent", await collect(input)),
}));

const event = { specversion: "1.0", parley: "1", source: "/me", type: "test.echo.v1" };

function itemsOf(opener: string, ...seqs: readonly number[]): string {
  return JSON.stringify(
    seqs.map((seq) => ({ ...event, kind: "item", id: `${opener}.c${seq}`, inreplyto: opener, seq, data: seq })),
  );
}

function up(url: URL, body: string) {
  const headers = { "content-type": "application/cloudevents-batch+json", accept: "text/event-stream" };
  return stranger(url, { path: "/test.echo.v1", headers, body });
}

function open(url: URL, id: string) {
  const headers = { "content-type": "application/cloudevents+json", accept: "text/event-stream" };
  return stranger(url, {
    path: "/test.echo.v1",
    headers,
    body: JSON.stringify({ ...event, kind: "client-stream", id }),
  });
}

test("what a caller sends is taken once and in order: repeated dropped, a gap 409, an unknown call 404", async () => {
  await using it = await wire(sum);
  const opened = await open(it.url, "one");
  expect(await up(it.url, itemsOf("one", 1, 2))).toMatchObject({ status: 202 });
  expect(await up(it.url, itemsOf("one", 1, 2, 3))).toMatchObject({ status: 202 });
  const gap = await up(it.url, itemsOf("one", 5));
  expect(gap).toMatchObject({ status: 409 });
  expect(await gap.closed).toContain("data_loss");
  expect(await up(it.url, itemsOf("two", 1))).toMatchObject({ status: 404 });
  expect(await up(it.url, itemsOf("one", 4))).toMatchObject({ status: 202 });
  const end = JSON.stringify([{ ...event, kind: "end", id: "one.e", inreplyto: "one", seq: 5 }]);
  expect(await up(it.url, end)).toMatchObject({ status: 202 });
  expect(await opened.closed).toContain('"data":[1,2,3,4]');
});

test("what comes up for a call that is over is late and no error, whether or not its answer has arrived", async () => {
  await using it = await wire(
    announcing({ "test.echo": "client-stream" }, ({ message }) => ({ message: reply(message, "/agent", "enough") })),
  );
  const late = async (id: string) => (await up(it.url, itemsOf(id, 1))).status;
  for (const id of ["one", "two"]) {
    const opened = await open(it.url, id);
    expect(await late(id)).toBe(202);
    expect(await opened.closed).toContain("enough");
  }
  expect([await late("one"), await late("two"), await late("three")]).toEqual([202, 202, 404]);
  expect(await up(it.url, itemsOf("one", 1).replaceAll("test.echo", "test.other"))).toMatchObject({ status: 400 });
});

test("of the calls that are over, the last 1,024 are known", async () => {
  await using it = await wire(
    announcing({ "test.echo": "client-stream" }, ({ message }) => ({ message: reply(message, "/agent") })),
  );
  for (let call = 0; call < 1_030; call++) await (await open(it.url, `call${call}`)).closed;
  expect((await up(it.url, itemsOf("call0", 1))).status).toBe(404);
  expect((await up(it.url, itemsOf("call1029", 1))).status).toBe(202);
});

test.each<[string, string, number]>([
  ["nothing", "[]", 400],
  ["no array", "{}", 400],
  ["what belongs to no call", JSON.stringify([{ ...event, kind: "item", id: "x" }]), 400],
  ["an opener", JSON.stringify([{ ...event, kind: "request", id: "x", inreplyto: "one" }]), 400],
  ["two calls in one", JSON.stringify([...JSON.parse(itemsOf("one", 1)), ...JSON.parse(itemsOf("two", 1))]), 400],
  ["another operation", itemsOf("one", 1).replaceAll("test.echo", "test.other"), 400],
  ["too many", `[${Array.from({ length: 257 }, (_, index) => itemsOf("one", index + 1).slice(1, -1)).join(",")}]`, 429],
])("a batch with %s is refused, and the call goes on", async (_name, body, status) => {
  await using it = await wire(sum);
  const opened = await open(it.url, "one");
  expect(await up(it.url, body)).toMatchObject({ status });
  expect(it.listener.stats().openCalls).toBe(1);
  opened.leave();
});

test("a caller that cancels, fails or closes ends the call at the handler", async () => {
  const ends: unknown[] = [];
  const handler: Handler = announcing({}, async (call) => {
    try {
      await collect(call.input);
    } catch (error) {
      ends.push((error as { readonly code: string }).code);
    }
    return { message: reply(call.message, "/agent") };
  });
  await using it = await wire(handler);
  for (const [index, said] of [
    { kind: "cancel", data: { code: "deadline_exceeded" } },
    { kind: "error", data: { code: "aborted" } },
  ].entries()) {
    const id = `call${index}`;
    await open(it.url, id);
    const body = JSON.stringify([{ ...event, ...said, id: `${id}.x`, inreplyto: id }]);
    expect(await up(it.url, body)).toMatchObject({ status: 202 });
  }
  (await open(it.url, "left")).leave();
  await expect.poll(() => ends).toEqual(["deadline_exceeded", "aborted", "cancelled"]);
});

test("twenty thousand items go up in order, many in a request, and a handler that stalls holds them back", async () => {
  const go = Promise.withResolvers<void>();
  let calls = 0;
  const handler: Handler = announcing({}, async ({ message, input }) => {
    let taken = 0;
    if (++calls === 1) await go.promise;
    for await (const { data } of input ?? []) if (data !== ++taken) throw new Error(`${data} came as number ${taken}`);
    return { message: reply(message, "/agent", taken) };
  });
  await using it = await wire(handler);
  const given = [0, 0];
  const send = (call: 0 | 1) => {
    const values = (function* () {
      while ((given[call] as number) < 20_000) yield ++(given[call] as number);
    })();
    return make(it, "client-stream", { input: items(values) });
  };
  const stalled = send(0);
  await expect.poll(() => given[0]).toBeGreaterThan(500);
  expect((await send(1)).message?.data).toBe(20_000);
  // More is not taken than is kept on both sides.
  expect(given[0]).toBeLessThan(5_000);
  go.resolve();
  expect((await stalled).message?.data).toBe(20_000);
});

test("items that throw cancel the call at the peer, and fail it here", async () => {
  const left = Promise.withResolvers<void>();
  const handler: Handler = announcing({}, (call) => {
    call.onAbort({ callAborted: () => left.resolve() });
    return new Promise(() => {});
  });
  await using it = await wire(handler);
  const input = (async function* () {
    yield* items([1]);
    throw new TypeError("none of your business");
  })();
  expect(await rejection(make(it, "client-stream", { input }))).toMatchObject({ code: "internal" });
  await left.promise;
});
