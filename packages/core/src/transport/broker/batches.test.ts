import { describe, expect, it } from "vitest";
import { type TestBroker, testBroker } from "../../../test/test-broker.ts";
import { createCall } from "../../call/call.ts";
import type { Peer } from "../../call/context.ts";
import { ParleyError } from "../../call/error.ts";
import type { Handler } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { answererItem, reply } from "../../envelope/follow.ts";
import { HELLO } from "../hello.ts";
import { type DialBrokerOptions, dialBroker, listenBroker } from "../over-broker.ts";
import { channelLimits } from "../over-channel.ts";
import type { Connection } from "../transport.ts";
import { readTerms, writeTerms } from "./terms.ts";
import { BRIDGE } from "./topic-bridge.ts";

const source = "/test";
const both = { calling: true, serving: true };

/** A caller and one replica; `calling` and `serving` say whether their links carry several events in a message. */
async function pair(handler: Handler, { calling, serving }: typeof both, more: Partial<DialBrokerOptions> = {}) {
  const broker = testBroker();
  const common = { transport: "test", agent: "any" };
  const answer: Handler = (call) => {
    if (call.message.type === HELLO || call.message.type === BRIDGE) throw new ParleyError("unimplemented", "no agent");
    return handler(call);
  };
  const url = new URL("test://broker/any");
  const listener = await listenBroker(broker.open("replica", { batches: serving }), answer, { ...common, url });
  const connection = await dialBroker(broker.open("caller", { batches: calling }), { ...common, ...more });
  const close = async () => {
    await connection.close({ graceMs: 0 });
    await listener.close({ graceMs: 0 });
  };
  return { broker, connection, listener, [Symbol.asyncDispose]: close };
}

const echo: Handler = ({ message }) => ({ message: reply(message, source, message.data) });

/** Answers all requests at once when so many have come. */
function together(count: number): Handler {
  const all = Promise.withResolvers<void>();
  let come = 0;
  return async (call) => {
    if (++come === count) all.resolve();
    await all.promise;
    return echo(call);
  };
}

function request(connection: Connection, data: unknown): Promise<unknown> {
  const message = createEnvelope({ kind: "request", type: "test.any.v1", source, data });
  return connection.call(createCall({ kind: "request", message })).then(({ message }) => message?.data);
}

function requests(connection: Connection, count: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => request(connection, n)));
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** With how many others each answer came, in their order. */
function sizes({ delivered }: TestBroker): number[] {
  return delivered
    .filter(({ message }) => message.type === "test.any.v1" && message.kind === "reply")
    .map((one) => one.together);
}

describe("answers of one turn", () => {
  it("go to their caller as one message, if it said that it takes that, and both links have it", async () => {
    await using two = await pair(together(20), both);
    expect(await requests(two.connection, 20)).toEqual(upTo(20));
    expect(sizes(two.broker)).toEqual(new Array(20).fill(20));
  });

  it.each([
    ["the caller's link has it not", { calling: false, serving: true }],
    ["the replica's link has it not", { calling: true, serving: false }],
  ])("go one by one where %s", async (_, links) => {
    await using two = await pair(together(4), links);
    expect(await requests(two.connection, 4)).toEqual(upTo(4));
    expect(sizes(two.broker)).toEqual([1, 1, 1, 1]);
  });

  it("go one by one to a caller that takes only short messages", async () => {
    await using two = await pair(together(4), both, { limits: { ...channelLimits, maxMessageBytes: 60_000 } });
    await requests(two.connection, 4);
    expect(sizes(two.broker)).toEqual([1, 1, 1, 1]);
  });

  it("are at most 32 to a message", async () => {
    await using two = await pair(together(70), both);
    expect(await requests(two.connection, 70)).toEqual(upTo(70));
    expect(sizes(two.broker)).toEqual([...new Array(64).fill(32), ...new Array(6).fill(6)]);
  });

  it("leave before 16 Ki characters have come together, and a long one alone", async () => {
    await using two = await pair(together(7), both);
    const data = ["x", "y".repeat(20_000), ...new Array(5).fill("z".repeat(3_900))];
    expect(await Promise.all(data.map((one) => request(two.connection, one)))).toEqual(data);
    expect(sizes(two.broker)).toEqual([1, 1, 4, 4, 4, 4, 1]);
  });

  it("leave before what comes after them and is acknowledged", async () => {
    const { broker, connection, ...two } = await pair(
      (call) => (call.kind === "request" ? echo(call) : { output: items(call.message) }),
      both,
    );
    await using _closing = two;
    const held = Promise.withResolvers<void>();
    broker.fate = ({ to }) => (to === "agent" ? held.promise : undefined);
    const answered = request(connection, "first");
    const message = createEnvelope({ kind: "server-stream", type: "test.any.v1", source });
    const streamed = connection.call(createCall({ kind: "server-stream", message }));
    // Both arrive in one turn.
    setImmediate(held.resolve);
    await answered;
    const data: unknown[] = [];
    for await (const item of (await streamed).output ?? []) data.push(item.data);
    expect(data).toEqual([1, 2, 3]);
    const came = broker.delivered.filter(({ message }) => message.type === "test.any.v1");
    const kinds = came.slice(0, 4).map(({ message }) => message.kind);
    expect(kinds).toEqual(["request", "server-stream", "reply", "credit"]);
  });

  it("leave before their side has closed", async () => {
    let back: Peer["invoke"];
    let close = (): void => {};
    await using two = await pair(
      (call) => {
        back = call.context.peer?.invoke;
        return echo(call);
      },
      both,
      {
        handler: async (call) => {
          close();
          return echo(call);
        },
      },
    );
    await request(two.connection, "there");
    close = () => void two.connection.close();
    const message = createEnvelope({ kind: "request", type: "test.any.v1", source, data: "back" });
    expect((await back?.(createCall({ kind: "request", message })))?.message?.data).toBe("back");
  });

  async function* items(message: Parameters<typeof answererItem>[0]) {
    for (const n of [1, 2, 3]) yield answererItem(message, source, n, n);
  }
});

describe("the terms of a caller", () => {
  const hop = { limits: channelLimits, batchItems: 32, heartbeatMs: 1_000 };

  it("say how many events a message may hold only if it may hold several", () => {
    expect(writeTerms({ items: 1, bytes: 2 }, hop, 1)).toBe(`1:2:32:${channelLimits.maxMessageBytes}`);
    expect(writeTerms({ items: 1, bytes: 2 }, hop, 32)).toBe(`1:2:32:${channelLimits.maxMessageBytes}:32`);
  });

  it.each([
    ["0:0:32:1048576:16", 16],
    ["0:0:32:1048576:100000", 32],
    ["0:0:32:1048576:0", 1],
    ["0:0:32:1048576:x", 1],
    ["0:0:32:1048576:2:2", 1],
    ["0:0:32:65535:16", 1],
    ["0:0:32:1048576", 1],
    ["0:0", 1],
    [undefined, 1],
  ])("that are %j let a message hold %i", (credit, events) => {
    expect(readTerms(credit).batchEvents).toBe(events);
  });
});
