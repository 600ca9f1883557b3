import { describe, expect, it } from "vitest";
import { type Framing, lines, type Piece, websocket } from "./framing.ts";
import type { From } from "./tap.ts";

const head = Buffer.from("GET / HTTP/1.1\r\nupgrade: websocket\r\n\r\n");

function split(framing: Framing, from: From, bytes: Buffer, size: number): Piece[] {
  const splitter = framing.splitter(from);
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(...splitter(bytes.subarray(at, at + size)));
  return pieces;
}

describe.each([1, 3, 7, 1_000_000])("in chunks of %i bytes", (size) => {
  it.each(["dialler", "listener"] as const)(
    "WebSocket frames of the %s are found, whatever their length, and no byte is lost",
    (from) => {
      const texts = ["", "short", "é".repeat(100), "x".repeat(200), "y".repeat(size === 1_000_000 ? 70_000 : 500)];
      const bytes = Buffer.concat([
        head,
        ...texts.map((text) => websocket.encode(text, from)),
        websocket.goodbye?.(from) ?? Buffer.alloc(0),
      ]);
      const pieces = split(websocket, from, bytes, size);
      expect(pieces.flatMap(({ text }) => (text === undefined ? [] : [text]))).toEqual(texts);
      expect(Buffer.concat(pieces.map(({ bytes: part }) => part)).equals(bytes)).toBe(true);
    },
  );

  it("lines are found, without their ends", () => {
    const pieces = split(lines, "dialler", Buffer.from('{"a":1}\n\n{"b":"é"}\n'), size);
    expect(pieces.map(({ text }) => text)).toEqual(['{"a":1}', "", '{"b":"é"}']);
  });
});

it("the lines of a WebSocket message are frames where the listener has chosen that subprotocol", () => {
  const answer = (protocol: string): Buffer =>
    Buffer.from(
      `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: ${protocol}\r\nupgrade: websocket\r\n\r\n`,
    );
  for (const [protocol, texts] of [
    ["parley.lines", ['{"a":1}', '{"b":"é"}']],
    ["cloudevents.json", ['{"a":1}\n{"b":"é"}']],
  ] as const) {
    const connection = websocket.forConnection?.() as Framing;
    for (const from of ["listener", "dialler"] as const) {
      const opening = from === "listener" ? answer(protocol) : head;
      const message = websocket.encode('{"a":1}\n{"b":"é"}', from);
      const [, ...pieces] = split(connection, from, Buffer.concat([opening, message]), 1_000);
      expect(pieces.map(({ text }) => text)).toEqual(texts);
      expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(
        Buffer.concat(texts.map((text) => websocket.encode(text, from))),
      );
    }
  }
});

it("a masked WebSocket frame is read as what it says", () => {
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from("masked").map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]);
  expect(split(websocket, "dialler", Buffer.concat([head, frame]), 1_000)[1]?.text).toBe("masked");
});
