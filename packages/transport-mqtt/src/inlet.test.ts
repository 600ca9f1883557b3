import { describe, expect, test } from "vitest";
import { encodePublish } from "./encode-publish.ts";
import { Inlet } from "./inlet.ts";

/** Tells what is wrong with the bytes of a broker. */
function frameGuard(maxPacketBytes: number): (chunk: Uint8Array) => string | undefined {
  const inlet = new Inlet({ version: 5, maxPacketBytes, rest: () => {} });
  return (chunk) => inlet.take(Buffer.from(chunk));
}

const CONNACK = [0x20, 3, 0, 0, 0];

/** A PUBLISH of so many bytes after its fixed header. */
function publish(length: number): number[] {
  const header = [0x30];
  for (let left = length; ; left = Math.floor(left / 128)) {
    header.push((left % 128) | (left >= 128 ? 0x80 : 0));
    if (left < 128) break;
  }
  return [...header, ...new Array<number>(length).fill(0xff)];
}

test.each([1, 2, 3, 7, 1_000_000])("packets are measured however they are cut: %i bytes a chunk", (size) => {
  const good = Uint8Array.from([...CONNACK, ...publish(0), ...publish(127), ...publish(128), ...publish(16_384)]);
  const guard = frameGuard(16_384);
  for (let at = 0; at < good.length; at += size) expect(guard(good.subarray(at, at + size))).toBeUndefined();
  const bad = Uint8Array.from(publish(16_385));
  const found = [];
  for (let at = 0; at < bad.length && found.length === 0; at += size) {
    const wrong = guard(bad.subarray(at, at + size));
    if (wrong !== undefined) found.push(wrong);
  }
  expect(found).toEqual(["a packet of 16385 bytes came, and 16384 are allowed"]);
});

test("a length of more than four bytes is none", () => {
  expect(frameGuard(100)(Uint8Array.from([0x20, 0x80, 0x80, 0x80, 0x80, 1]))).toBe("a packet has no valid length");
});

test.each(["HTTP/1.1", "SSH-2.0", "\u0000", "{"])("%j is not how a broker begins", (text) => {
  expect(frameGuard(100)(Buffer.from(text))).toBe("what answers is no MQTT broker");
});

describe("messages", () => {
  const connack = Buffer.from(CONNACK);
  const pingresp = Buffer.from([0xd0, 0]);
  /** A PUBLISH at QoS 1 of MQTT 3.1.1. */
  const confirmed = Buffer.from([0x32, 6, 0, 1, 0x61, 0, 1, 0x78]);
  const text = (n: number): Buffer => encodePublish(4, "a", String(n));

  /** Where what came went: the payload of messages, and the first bytes of the packets that the library got, which reads them when it is told to. */
  function inlet({ reads = true } = {}) {
    const went: string[] = [];
    const made = new Inlet({
      version: 4,
      maxPacketBytes: 100,
      rest(bytes) {
        went.push(bytes.toString("hex"));
        if (reads) made.read();
      },
    });
    return { made, went, take: (...packets: readonly Buffer[]) => made.take(Buffer.concat(packets)) };
  }

  test("are the library's until somebody takes them", () => {
    const { made, went, take } = inlet();
    take(connack, text(1));
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    made.read();
    take(text(2));
    expect(went).toEqual([connack.toString("hex") + text(1).toString("hex"), "2"]);
  });

  test("at QoS 0 are read here, and all else by the library, each in its turn", () => {
    const { made, went, take } = inlet();
    take(connack);
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    take(text(1), pingresp, text(2), text(3), confirmed);
    expect(went.slice(1)).toEqual(["1", "d000", "2", "3", confirmed.toString("hex")]);
  });

  test("that were cut are the library's, and those behind them are not", () => {
    const { made, went, take } = inlet({ reads: false });
    take(connack);
    made.read();
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    const whole = text(2);
    for (let cut = 1; cut < whole.length; cut++) {
      went.length = 0;
      take(text(1), whole.subarray(0, cut));
      const rest = made.take(Buffer.concat([whole.subarray(cut)]));
      expect(rest).toBeUndefined();
      made.read();
      take(text(3));
      expect(went).toEqual(["1", whole.subarray(0, cut).toString("hex"), whole.subarray(cut).toString("hex"), "3"]);
    }
  });

  test("wait behind what the library has not read", () => {
    const { made, went, take } = inlet({ reads: false });
    take(connack);
    made.read();
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    take(confirmed, text(1));
    take(text(2));
    // The library has read the first of the three that it got.
    made.read();
    take(text(3));
    for (let read = 0; read < 3; read++) made.read();
    take(text(4));
    const [, ...library] = [connack, confirmed, text(1), text(2), text(3)].map((bytes) => bytes.toString("hex"));
    expect(went.slice(1)).toEqual([...library, "4"]);
  });

  test("that say they are repeated, or have an alias, are the library's to judge", () => {
    const { made, went, take } = inlet();
    take(connack);
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    const repeated = Buffer.from([0x38, ...text(1).subarray(1)]);
    take(repeated, encodePublish(4, "", "2"), text(3));
    expect(went.slice(1)).toEqual([repeated.toString("hex"), encodePublish(4, "", "2").toString("hex"), "3"]);
  });

  test("that are too long are not read", () => {
    const { made, went, take } = inlet();
    take(connack);
    made.deliverTo(({ payload }) => went.push(payload.toString()));
    expect(take(text(1), encodePublish(4, "a", "x".repeat(98)))).toBe(
      "a packet of 101 bytes came, and 100 are allowed",
    );
    expect(went.slice(1)).toEqual(["1"]);
  });
});
