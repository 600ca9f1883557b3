import { type Call, type Envelope, type Handler, HELLO, ParleyError } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, described, failure, item, pair, send } from "../../test/pair.ts";
import { web } from "../../test/servers.ts";
import { http } from "../index.ts";

/** Long enough for company. */
const text = "x".repeat(200);

function streaming(items: (one: Call) => AsyncGenerator<Envelope>): Handler {
  return (one) => (one.message.type === HELLO ? described(one, {}) : { output: items(one) });
}

async function* seven(one: Call): AsyncGenerator<Envelope> {
  for (let seq = 1; seq <= 7; seq++) yield item(one, seq, { seq, text });
}

/** The lines of the answer to somebody without Parley. */
async function lines(handler: Handler, headers: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  await using it = await pair(handler);
  const answer = await send(it.url, {
    path: "/text.tokens.v1",
    headers: { "content-type": "application/cloudevents+json", ...headers },
    body: JSON.stringify({
      specversion: "1.0",
      parley: "1",
      id: "o",
      source: "/test",
      type: "text.tokens.v1",
      kind: "server-stream",
    }),
  });
  const all = answer.text.trim().split("\n");
  return all.map((line) => JSON.parse(line));
}

test("items share events with a caller who prefers it, as many as it says", async () => {
  expect(await lines(streaming(seven), { prefer: "wait=5, batch-items=3" })).toEqual([
    expect.objectContaining({ id: "o.s1", kind: "item", seq: 1, count: 3, data: [1, 2, 3].map(dataOf) }),
    expect.objectContaining({ id: "o.s4", kind: "item", seq: 4, count: 3, data: [4, 5, 6].map(dataOf) }),
    expect.objectContaining({ id: "o.s7", kind: "item", seq: 7, data: dataOf(7) }),
    expect.objectContaining({ id: "o.e", kind: "end", seq: 8 }),
  ]);
});

test.each([{}, { prefer: "batch-items=1" }, { prefer: "batch-items=many" }, { prefer: "no-batch-items=3" }])(
  "with %o each item is an event",
  async (headers) => {
    const all = await lines(streaming(seven), headers as Record<string, string>);
    expect(all.map((line) => (line as Envelope).seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  },
);

test("what is more than data, or longer than an event of several, travels alone and in its place", async () => {
  async function* mixed(one: Call): AsyncGenerator<Envelope> {
    yield item(one, 1, text);
    yield { ...item(one, 2, text), traceid: "t" };
    yield item(one, 3, Uint8Array.of(1));
    yield item(one, 4, text.repeat(100));
    yield { ...item(one, 5, text), source: "/other" };
    yield item(one, 6, text);
    yield item(one, 7, text);
  }
  const all = (await lines(streaming(mixed), { prefer: "batch-items=32" })) as Envelope[];
  expect(all.map(({ seq, count }) => [seq, count])).toEqual([
    [1, undefined],
    [2, undefined],
    [3, undefined],
    [4, undefined],
    [5, undefined],
    [6, 2],
    [8, undefined],
  ]);
});

test("an item that cannot be sent fails the stream after those before it", async () => {
  async function* broken(one: Call): AsyncGenerator<Envelope> {
    yield item(one, 1, text);
    yield item(one, 2, text);
    yield item(one, 3, 1n);
  }
  expect(await lines(streaming(broken), { prefer: "batch-items=32" })).toMatchObject([
    { kind: "item", seq: 1, count: 2 },
    { kind: "error", seq: 3, data: { code: "internal" } },
  ]);
});

test("between two Parleys items come out as they went in", async () => {
  const made: Envelope[] = [];
  await using it = await pair(
    streaming(async function* (one) {
      for await (const each of seven(one)) {
        made.push(each);
        yield each;
      }
    }),
  );
  const { output } = await call(it, "server-stream");
  const seen: Envelope[] = [];
  for await (const each of output ?? []) seen.push(each);
  expect(seen).toEqual(made.map((each, index) => ({ ...each, seq: index + 1 })));
});

test("a listener that announces more items than it sends ends the call", async () => {
  const { url } = await web(({ body }, response) => {
    const { id, type, kind } = JSON.parse(body) as Envelope;
    if (kind !== "server-stream") {
      const answer = { specversion: "1.0", parley: "1", id: `${id}.r`, source: "/s", type, kind: "reply", data: {} };
      response.writeHead(200, { "content-type": "application/cloudevents+json" });
      return response.end(JSON.stringify({ ...answer, data: { profiles: ["1"] } }));
    }
    const several = { specversion: "1.0", parley: "1", id: `${id}.s1`, source: "/s", type, kind: "item", seq: 1 };
    response.writeHead(200, { "content-type": "application/cloudevents+ndjson" });
    return response.end(`${JSON.stringify({ ...several, count: 3, data: [1, 2] })}\n`);
  });
  await using connection = await http().connect(new URL(url));
  const { output } = await call({ connection }, "server-stream");
  const error = await failure(output?.[Symbol.asyncIterator]().next() as Promise<unknown>);
  expect(error).toBeInstanceOf(ParleyError);
  expect(error).toMatchObject({
    code: "internal",
    outcome: "unknown",
    message: expect.stringContaining("the 3 items"),
  });
});

function dataOf(seq: number): object {
  return { seq, text };
}
