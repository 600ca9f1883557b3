import type { Socket } from "node:net";
import { startServer, type TestBroker } from "./brokers.ts";

/** How a broker that is no real one answers, where no real one does what a test needs. */
export interface Script {
  /** Properties of the CONNACK, encoded. */
  readonly connack?: readonly number[];
  /** Reason code for a CONNECT, of which it gets user and password. */
  readonly connect?: (login: readonly (string | undefined)[]) => number;
  /** Bytes that follow the CONNACK in the same segment. */
  readonly welcome?: readonly number[];
  /** Reason code for a SUBSCRIBE; null for no answer. */
  readonly suback?: (filter: string) => number | null;
  /** Reason code for a PUBLISH at QoS 1; null for no answer. */
  readonly puback?: (topic: string) => number | null;
  /** Reason code for a PUBLISH at QoS 2. */
  readonly pubrec?: (topic: string) => number;
  /** Told of a client's DISCONNECT. */
  readonly disconnected?: () => void;
  /** Told of each PINGREQ, which is answered. */
  readonly pinged?: () => void;
  /** Told of each connection. */
  readonly connected?: (socket: Socket) => void;
  /** Told of each SUBSCRIBE. */
  readonly subscribing?: () => void;
  /** Leaves SUBSCRIBE without an answer. */
  readonly ignoresSubscribe?: boolean;
  /** Leaves UNSUBSCRIBE of one filter without an answer. */
  readonly ignoresUnsubscribe?: boolean;
  /** Bytes that follow the answer to the first SUBSCRIBE. */
  readonly afterwards?: readonly number[];
}

/** Speaks just enough of MQTT 5 to open a link. */
export function startFakeBroker({
  connack = [],
  connect = () => 0,
  welcome = [],
  suback = () => 1,
  puback = () => 0,
  pubrec = () => 0,
  disconnected,
  pinged,
  connected,
  subscribing,
  ignoresSubscribe = false,
  ignoresUnsubscribe = false,
  afterwards,
}: Script): Promise<TestBroker> {
  return startServer((socket) => {
    connected?.(socket);
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const packet = firstPacket(rest);
        if (!packet) return;
        rest = rest.subarray(packet.end);
        const { type, body } = packet;
        if (type === 0x10)
          socket.write(
            Buffer.from([0x20, 3 + connack.length, 0, connect(loginOf(body)), connack.length, ...connack, ...welcome]),
          );
        else if (type === 0x82) {
          subscribing?.();
          const properties = 3 + (body[2] as number);
          const reason = suback(textAt(body, properties));
          if (ignoresSubscribe || reason === null) continue;
          socket.write(Buffer.from([0x90, 4, body[0] as number, body[1] as number, 0, reason]));
          if (afterwards) socket.write(Buffer.from(afterwards));
        } else if (type === 0xa2) {
          if (!ignoresUnsubscribe) socket.write(Buffer.from([0xb0, 4, body[0] as number, body[1] as number, 0, 0]));
        } else if ((type & 0xf6) === 0x32) {
          const length = body.readUInt16BE(0);
          const reason = puback(textAt(body, 0));
          if (reason !== null) socket.write(Buffer.from([0x40, 3, ...body.subarray(2 + length, 4 + length), reason]));
        } else if ((type & 0xf6) === 0x34) {
          const length = body.readUInt16BE(0);
          const reason = pubrec(textAt(body, 0));
          socket.write(Buffer.from([0x50, 3, ...body.subarray(2 + length, 4 + length), reason]));
        } else if (type === 0x62) socket.write(Buffer.from([0x70, 2, ...body.subarray(0, 2)]));
        else if (type === 0xc0) {
          pinged?.();
          socket.write(Buffer.from([0xd0, 0]));
        } else if (type === 0xe0) {
          disconnected?.();
          socket.end();
        }
      }
    });
  });
}

/** First bytes of the packets in a chunk. */
export function packetTypes(chunk: Buffer): number[] {
  const packet = firstPacket(chunk);
  return packet ? [packet.type, ...packetTypes(chunk.subarray(packet.end))] : [];
}

function textAt(body: Buffer, at: number): string {
  return body.toString("utf8", at + 2, at + 2 + body.readUInt16BE(at));
}

/** User and password of a CONNECT of MQTT 5 without a will. */
function loginOf(body: Buffer): readonly (string | undefined)[] {
  const flags = body[7] as number;
  const clientId = 11 + (body[10] as number);
  const user = clientId + 2 + body.readUInt16BE(clientId);
  if ((flags & 0x80) === 0) return [undefined, flags & 0x40 ? textAt(body, user) : undefined];
  return [textAt(body, user), flags & 0x40 ? textAt(body, user + 2 + body.readUInt16BE(user)) : undefined];
}

function firstPacket(
  bytes: Buffer,
): { readonly type: number; readonly body: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    const byte = bytes[at] as number;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte & 0x80) continue;
    const end = at + 1 + length;
    return bytes.length < end ? undefined : { type: bytes[0] as number, body: bytes.subarray(at + 1, end), end };
  }
  return undefined;
}
