import { expect, test } from "vitest";
import { createCall } from "../../call/call.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { answererItem, reply } from "../../envelope/follow.ts";
import { systemRuntime } from "../../runtime/runtime.ts";
import { acceptChannel, dialChannel } from "../over-channel.ts";
import type { Channel, ChannelEvents, OpenChannel } from "./channel.ts";
import { type FrameCodec, jsonFrames } from "./frame-codec.ts";

/** Frames that are bytes: JSON behind a byte that text would not begin with. */
const byteFrames: FrameCodec<Uint8Array> = {
  encode: (message, hop) => bytesOf(jsonFrames.encode(message, hop)),
  encodeText: (message, hop, data) => bytesOf(jsonFrames.encodeText(message, hop, data)),
  decode(frame) {
    if (frame[0] !== 0xff) throw new Error("not from this codec");
    return jsonFrames.decode(new TextDecoder().decode(frame.subarray(1)));
  },
  bytesOf: (frame) => frame.length,
};

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from([0xff, ...new TextEncoder().encode(text)]);
}

/** Two ends; what one writes arrives at the other in a later turn. */
function pipe(seen: Uint8Array[]): readonly [OpenChannel<Uint8Array>, OpenChannel<Uint8Array>] {
  const ends: ChannelEvents<Uint8Array>[] = [];
  const open =
    (own: number): OpenChannel<Uint8Array> =>
    (events): Channel<Uint8Array> => {
      ends[own] = events;
      return {
        write(frames) {
          seen.push(...frames);
          systemRuntime.nextTurn(() => {
            for (const frame of frames) ends[1 - own]?.frame(frame);
          });
          return true;
        },
        close: () => systemRuntime.nextTurn(() => ends.map(({ closed }) => closed())),
      };
    };
  return [open(0), open(1)];
}

test("calls, batches of items, errors and credit go over a channel whose frames are bytes", async () => {
  const seen: Uint8Array[] = [];
  const [near, far] = pipe(seen);
  acceptChannel(far, {
    transport: "test",
    codec: byteFrames,
    handler({ kind, message }) {
      if (kind === "request") return { message: reply(message, "/s", message.data) };
      return { output: numbers(message) };
    },
  });
  const limits = { maxMessageBytes: 100_000, maxCalls: 8, windowItems: 64, windowBytes: 64_000 };
  const connection = await dialChannel(near, { transport: "test", codec: byteFrames, limits });
  const make = (kind: "request" | "server-stream", data: unknown) =>
    createCall({ kind, message: createEnvelope({ kind, type: "test.it.v1", source: "/c", data }, systemRuntime) });
  expect((await connection.call(make("request", { text: "Grüße" }))).message?.data).toEqual({ text: "Grüße" });
  const { output } = await connection.call(make("server-stream", 200));
  const items: unknown[] = [];
  for await (const { data } of output ?? []) items.push(data);
  expect(items).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  expect(seen.every((frame) => frame[0] === 0xff)).toBe(true);
  const texts = seen.map((frame) => new TextDecoder().decode(frame.subarray(1)));
  expect(texts.some((text) => text.includes('"count":'))).toBe(true);
  expect(texts.some((text) => text.includes('"kind":"credit"'))).toBe(true);
  await connection.close({ graceMs: 0 });
});

test("the codec decides how long a message is", async () => {
  const [near, far] = pipe([]);
  const limits = { maxMessageBytes: 1_000, maxCalls: 8, windowItems: 16, windowBytes: 2_000 };
  acceptChannel(far, {
    transport: "test",
    codec: byteFrames,
    limits,
    handler: ({ message }) => ({ message: reply(message, "/s") }),
  });
  // Longer on the wire than it is.
  const codec = { ...byteFrames, bytesOf: (frame: Uint8Array) => frame.length * 3 };
  const connection = await dialChannel(near, { transport: "test", codec });
  const message = createEnvelope(
    { kind: "request", type: "test.it.v1", source: "/c", data: "x".repeat(250) },
    systemRuntime,
  );
  await expect(connection.call(createCall({ kind: "request", message }))).rejects.toMatchObject({
    code: "resource_exhausted",
  });
  await connection.close({ graceMs: 0 });
});

async function* numbers(opener: Envelope): AsyncGenerator<Envelope> {
  for (let n = 1; n <= Number(opener.data); n++) yield answererItem(opener, "/s", n, n);
}
