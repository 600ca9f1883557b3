import { answererItem, type Envelope, type ParleyError } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { agent, ask, dialling, opening, stream } from "../test/harness.ts";

const MIB = 1024 * 1024;

async function* offered(mib: number): AsyncGenerator<Envelope> {
  const { message } = opening("client-stream", "test.sum.v1");
  for (let n = 1; n <= mib * 16; n++) yield answererItem(message, "/test", n, "x".repeat(64 * 1024));
}

/** Resolves when a number has not changed for so many turns of the loop that it would have, had nothing held it up. */
async function still(count: () => number): Promise<void> {
  for (let turns = 0, last = count(); turns < 1_000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (count() !== last) turns = 0;
    last = count();
  }
}

describe("under load", () => {
  it("a thousand calls at a time in each direction, with data that fills the pipes, do not stall", async () => {
    const data = "x".repeat(20_000);
    const handler = ({ message }: { message: Envelope }) => ({
      message: { ...message, kind: "reply" as const, id: `${message.id}.r` },
    });
    const connection = await dialling({}, { handler });
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask(connection, "test.back.v1", data)));
    expect(answers.every((answer) => answer === data)).toBe(true);
    expect(connection.stats()).toEqual({ openCalls: 0, lateMessages: 0, refusedMessages: 0 });
  }, 30_000);

  it("a stream that nobody reads holds up only itself", async () => {
    const connection = await dialling();
    const { output } = await stream(connection, "test.sized.v1", { items: 10_000, chars: 10_000 });
    const iterator = output?.[Symbol.asyncIterator]();
    await iterator?.next();
    expect(await ask(connection, "test.echo.v1", 1)).toBe(1);
    await iterator?.return?.();
  });

  it("128 MiB of a stream for a child that stops reading stay with their producer", async () => {
    const connection = await dialling({ heartbeatMs: 60_000 });
    expect(await ask(connection, "test.stop-reading.v1")).toBe("paused");
    let taken = 0;
    async function* counted() {
      for await (const item of offered(128)) {
        taken++;
        yield item;
      }
    }
    const before = process.memoryUsage().rss;
    const call = connection.call(opening("client-stream", "test.sum.v1", undefined, counted()));
    const settled = call.catch((error: { code: string }) => error.code);
    await still(() => taken);
    expect(taken).toBeLessThan(32);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    await connection.close({ graceMs: 0 });
    expect(await settled).toBe("unavailable");
  });

  it("128 MiB of requests for a child that stops reading wait, and are known not to have been sent", async () => {
    const connection = await dialling({ heartbeatMs: 60_000, command: agent("stubborn"), exitMs: 100 });
    expect(await ask(connection, "test.stop-reading.v1")).toBe("paused");
    const before = process.memoryUsage().rss;
    const data = "x".repeat(MIB);
    const calls = Array.from({ length: 128 }, () =>
      ask(connection, "test.echo.v1", data).catch((error: ParleyError) => `${error.code} ${error.outcome}`),
    );
    await still(() => connection.stats().openCalls);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
    await connection.close({ graceMs: 0 });
    const ends = await Promise.all(calls);
    expect(new Set(ends)).toEqual(new Set(["unavailable unknown", "unavailable not-sent"]));
    expect(ends.filter((end) => end === "unavailable unknown").length).toBeLessThan(20);
  });

  it("128 MiB come through whole when both sides read", async () => {
    const connection = await dialling();
    const { message } = await connection.call(opening("client-stream", "test.sum.v1", undefined, offered(128)));
    expect(message?.data).toBe(128 * MIB);
  }, 30_000);
});
