import type { From } from "./tap.ts";

/** A piece of a byte stream: bytes that pass as they are, or, where `text` is there, one frame that may be rewritten. */
export interface Piece {
  readonly bytes: Buffer;
  readonly text?: string;
  /** Another text in place of this frame's, where more than the text makes a frame. */
  encode?(text: string): Buffer;
  /** A frame of its own beside this one. */
  forge?(text: string): Buffer;
}

/** How the frames of a wire lie in its bytes. */
export interface Framing {
  /** Makes a splitter for one direction of one connection; it gives back every byte it takes, in pieces. */
  splitter(from: From): (chunk: Buffer) => Piece[];
  encode(text: string, from: From): Buffer;
  /** For wires whose directions must be read together: a framing for one connection. */
  forConnection?(): Framing;
  /** Bytes by which one side ends a connection in good order. */
  goodbye?(from: From): Buffer;
}

/** One frame a line. */
export const lines: Framing = {
  splitter: () => {
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const pieces: Piece[] = [];
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
        const bytes = rest.subarray(0, at + 1);
        pieces.push({ bytes, text: bytes.toString("utf8", 0, at) });
        rest = rest.subarray(at + 1);
      }
      return pieces;
    };
  },
  encode: (text) => Buffer.from(`${text}\n`),
  goodbye: () => Buffer.alloc(0),
};

/**
 * WebSocket (RFC 6455, 5.2) behind its HTTP upgrade: every unfragmented, uncompressed text message is a frame, or where both sides have agreed on
 * Parley's subprotocol of lines each of its lines, which then travels by itself. Each connection has its own.
 */
export const websocket: Framing = {
  ...oneWebsocket(),
  forConnection: oneWebsocket,
};

const SPEAKS_LINES = /^sec-websocket-protocol: *parley\.lines *\r$/im;

function oneWebsocket(): Framing {
  let linewise = false;
  return {
    splitter: (from) => {
      let rest: Buffer = Buffer.alloc(0);
      let upgraded = false;
      return (chunk) => {
        const pieces: Piece[] = [];
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        if (!upgraded) {
          const end = rest.indexOf("\r\n\r\n");
          if (end < 0) return pieces;
          upgraded = true;
          const head = rest.subarray(0, end + 4);
          if (from === "listener") linewise = SPEAKS_LINES.test(head.toString("latin1"));
          pieces.push({ bytes: head });
          rest = rest.subarray(end + 4);
        }
        for (let length = frameLength(rest); length > 0 && length <= rest.length; length = frameLength(rest)) {
          const piece = websocketPiece(rest.subarray(0, length));
          pieces.push(...(linewise ? linesOf(piece, from) : [piece]));
          rest = rest.subarray(length);
        }
        return pieces;
      };
    },
    encode: (text, from) => websocketFrame(0x81, Buffer.from(text), from),
    goodbye: (from) => websocketFrame(0x88, Buffer.from([1000 >> 8, 1000 & 0xff]), from),
  };
}

/** The events of a text message, each in a message of its own. */
function linesOf(piece: Piece, from: From): readonly Piece[] {
  if (!piece.text?.includes("\n")) return [piece];
  return piece.text.split("\n").map((text) => ({ bytes: websocketFrame(0x81, Buffer.from(text), from), text }));
}

/** HTTP/1.1: no frames of its own, but a chunked body ends in good order with a chunk of length 0 (RFC 9112, 7.1). */
export const http: Pick<Framing, "goodbye"> = { goodbye: () => Buffer.from("0\r\n\r\n") };

/** Length of the frame at the start, 0 if its head is not there yet. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < 2) return 0;
  const short = bytes.readUInt8(1) & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + lengthBytes) return 0;
  const payload =
    lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  return 2 + lengthBytes + maskBytes(bytes) + payload;
}

function maskBytes(bytes: Buffer): number {
  return (bytes.readUInt8(1) & 0x80) === 0 ? 0 : 4;
}

function websocketPiece(bytes: Buffer): Piece {
  if (bytes.readUInt8(0) !== 0x81) return { bytes };
  const short = bytes.readUInt8(1) & 0x7f;
  const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  if (maskBytes(bytes) === 0) return { bytes, text: bytes.toString("utf8", head) };
  const mask = bytes.subarray(head, head + 4);
  const payload = Buffer.from(bytes.subarray(head + 4));
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return { bytes, text: payload.toString("utf8") };
}

/** A client's frame is masked, here with zeros (RFC 6455, 5.3). */
function websocketFrame(head: number, payload: Buffer, from: From): Buffer {
  const masked = from === "dialler" ? 0x80 : 0;
  const length =
    payload.length < 126
      ? Buffer.from([masked | payload.length])
      : payload.length < 2 ** 16
        ? Buffer.from([masked | 126, payload.length >> 8, payload.length & 0xff])
        : longLength(masked, payload.length);
  return Buffer.concat([Buffer.from([head]), length, Buffer.alloc(masked ? 4 : 0), payload]);
}

function longLength(masked: number, length: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(masked | 127, 0);
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}
