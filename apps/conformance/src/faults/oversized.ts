import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import type { Tapping } from "../subject.ts";

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "x");
/** What is sent at most, if nobody stops it. */
const MAX_SENT_BYTES = 48 * MIB;
/** 2 GiB. */
const CLAIM = 2 ** 31;

/** A message that says it is longer than anybody would take, or that is once it is unpacked. */
export interface Oversized {
  readonly name: string;
  /** Sends it to a listener; resolves when the listener has refused, or everything was sent. */
  send(listener: URL): Promise<Refusal>;
}

/** How a listener took it. */
export interface Refusal {
  /** It was stopped: by an answer, or by the end of the connection. */
  readonly refused: boolean;
  readonly sentBytes: number;
}

/** What there is of the kind on a wire of these bytes; empty where nothing states a length. */
export function oversized(tapping: Tapping, scheme: string): readonly Oversized[] {
  switch (tapping) {
    case "websocket":
      return [
        overTcp(
          "a frame of 2 GiB",
          webSocketHead,
          Buffer.concat([Buffer.from([0x81, 0xff]), bigEndian(CLAIM), Buffer.alloc(4)]),
        ),
        overTcp("a compressed frame nobody agreed to", webSocketHead, compressedFrame()),
      ];
    case "http":
      return [
        overTcp("a body of 2 GiB", (url) => httpHead(url, [`content-length: ${CLAIM}`])),
        overTcp(
          "a chunk of 2 GiB",
          (url) => httpHead(url, ["transfer-encoding: chunked"]),
          Buffer.from(`${CLAIM.toString(16)}\r\n`),
        ),
        overTcp(
          "a body that is 1 GiB once it is unpacked",
          (url) => httpHead(url, ["transfer-encoding: chunked", "content-encoding: deflate"]),
          chunked(bomb()),
        ),
      ];
    default:
      return scheme.startsWith("grpc")
        ? [overGrpc("a message of 2 GiB", 0), overGrpc("a compressed message of 2 GiB", 1)]
        : [];
  }
}

function overTcp(name: string, head: (url: URL) => Buffer, start: Buffer = Buffer.alloc(0)): Oversized {
  return {
    name,
    async send(url) {
      const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) });
      let refused = false;
      const stop = (): void => {
        refused = true;
      };
      socket.on("error", stop).on("end", stop).on("close", stop);
      const opening = head(url);
      socket.on("data", (chunk: Buffer) => {
        if (/^HTTP\/1\.1 [45]/.test(chunk.toString("latin1"))) stop();
      });
      await once(socket, "connect");
      socket.write(opening);
      // An upgrade is answered before frames may follow.
      if (opening.includes("upgrade: websocket"))
        await Promise.race([once(socket, "data"), once(socket, "close")]).catch(stop);
      socket.write(start);
      let sentBytes = opening.length + start.length;
      while (!refused && sentBytes < MAX_SENT_BYTES) {
        sentBytes += CHUNK.length;
        if (!socket.write(CHUNK)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(stop);
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.destroy();
      return { refused, sentBytes };
    },
  };
}

const webSocketHead = (url: URL): Buffer =>
  Buffer.from(
    [
      `GET ${url.pathname} HTTP/1.1`,
      `host: ${url.host}`,
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol: cloudevents.json",
      "\r\n",
    ].join("\r\n"),
  );

const httpHead = (url: URL, headers: readonly string[]): Buffer =>
  Buffer.from(
    [
      "POST /conformance.echo.v1 HTTP/1.1",
      `host: ${url.host}`,
      "content-type: application/json",
      ...headers,
      "\r\n",
    ].join("\r\n"),
  );

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** RFC 7692: RSV1 says that a message is compressed; without the extension it is a breach (RFC 6455, 5.2). */
function compressedFrame(): Buffer {
  const payload = bomb().subarray(0, 60_000);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(payload.length);
  return Buffer.concat([Buffer.from([0xc1, 0xfe]), length, Buffer.alloc(4), payload]);
}

/** About 1 MiB of deflate (RFC 1951) that is 1 GiB of zeros: one block that stands for a MiB, a thousand times. */
function bomb(): Buffer {
  const block = deflateRawSync(Buffer.alloc(MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat(Array.from({ length: 1024 }, () => block));
}

function chunked(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
}

/** gRPC's prefix of a message: whether it is compressed, and its length in four bytes. */
function overGrpc(name: string, compressed: 0 | 1): Oversized {
  return {
    name,
    async send(url) {
      const session = connectHttp2(`http://${url.host}`);
      session.on("error", () => {});
      const stream = session.request({
        ":method": "POST",
        ":path": "/parley.v1.Parley/Request",
        "content-type": "application/grpc",
        te: "trailers",
        ...(compressed ? { "grpc-encoding": "gzip" } : {}),
      });
      let refused = false;
      const stop = (): void => {
        refused = true;
      };
      stream.on("error", stop).on("close", stop).on("trailers", stop).resume();
      stream.on("response", (headers) => {
        if (headers["grpc-status"] !== undefined) stop();
      });
      const prefix = Buffer.from([compressed, 0x7f, 0xff, 0xff, 0xff]);
      stream.write(prefix);
      let sentBytes = prefix.length;
      while (!refused && sentBytes < MAX_SENT_BYTES) {
        sentBytes += CHUNK.length;
        if (!stream.write(CHUNK)) await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(stop);
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.destroy();
      session.destroy();
      return { refused, sentBytes };
    },
  };
}
