import { createEnvelope, type Envelope, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, collect, echo, item, pair } from "../test/pair.ts";
import { httpLimits } from "./index.ts";

const ITEM = "x".repeat(64 * 1024);

/** Waits until the number has not changed for a while. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1, same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    same = read() === last ? same + 1 : 0;
    last = read();
    if (same === 4) return last;
  }
}

test("a reader who stalls stops the producer within the window, and loses nothing", async () => {
  let made = 0;
  await using it = await pair((one) => {
    if (one.kind !== "server-stream") return echo()(one);
    return {
      output: (async function* () {
        for (let seq = 1; seq <= 600; seq++) {
          made = seq;
          yield item(one, seq, { seq, ITEM });
        }
      })(),
    };
  });
  const { output } = await call(it, "server-stream");
  const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
  await iterator.next();
  const ahead = await settled(() => made);
  expect(ahead * ITEM.length).toBeLessThanOrEqual(httpLimits.windowBytes);
  // Others go on.
  await Promise.all(Array.from({ length: 20 }, () => call(it, "request")));
  let last = 1;
  for await (const { data } of { [Symbol.asyncIterator]: () => iterator })
    expect((data as { seq: number }).seq).toBe(++last);
  expect(last).toBe(600);
});

test("short items run ahead no further than the window says", async () => {
  let made = 0;
  await using it = await pair((one) => {
    if (one.kind !== "server-stream") return echo()(one);
    return {
      output: (async function* () {
        for (let seq = 1; seq <= 500_000; seq++) {
          made = seq;
          yield item(one, seq, 0);
        }
      })(),
    };
  });
  const { output } = await call(it, "server-stream");
  const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
  await iterator.next();
  expect(await settled(() => made)).toBeLessThanOrEqual(httpLimits.windowItems);
  await iterator.return?.();
});

test("a handler who stalls stops the upload within the window, and loses nothing", async () => {
  let made = 0;
  let go = (): void => {};
  const released = new Promise<void>((resolve) => {
    go = resolve;
  });
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    await released;
    return { message: reply(one.message, "/agent", (await collect(one.input)).length) };
  });
  async function* input(): AsyncGenerator<Envelope> {
    for (made = 1; made <= 600; made++)
      yield createEnvelope({ kind: "item", type: "text.echo.v1", source: "/test", data: ITEM });
  }
  const answer = call(it, "client-stream", { input: input() });
  expect((await settled(() => made)) * ITEM.length).toBeLessThanOrEqual(httpLimits.windowBytes);
  go();
  expect((await answer).message?.data).toBe(600);
});

test("a producer that never waits leaves room for other calls", async () => {
  let made = 0;
  await using it = await pair((one) => {
    if (one.kind !== "server-stream") return echo()(one);
    return {
      output: {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: ++made > 200_000, value: item(one, made, 0) }),
        }),
      },
    };
  });
  const stream = call(it, "server-stream").then(({ output }) => collect(output));
  await call(it, "request");
  expect(made).toBeLessThan(200_000);
  expect(await stream).toHaveLength(200_000);
});
