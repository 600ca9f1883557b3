import { expect, test } from "vitest";
import { frameGuard } from "./frame-guard.ts";

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
