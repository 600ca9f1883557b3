import { once } from "node:events";
import { connect } from "node:net";
import { headOf, packet, prefixed } from "../tap/mqtt-packet.ts";

/** Time for a broker to answer. */
const LIMIT_MS = 2_000;
const [CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP] = [2, 3, 4, 9, 13];
const PINGREQ = Buffer.from([0xc0, 0]);

/** Something that a broker has delivered. */
export interface Heard {
  readonly topic: string;
  readonly payload: string;
}

/** A client of an MQTT broker in the suite's own words. */
export interface RawClient {
  /** All that was delivered, in order. */
  readonly heard: readonly Heard[];
  /** Resolves when it is subscribed, at QoS 0. */
  subscribe(filter: string): Promise<void>;
  /** Resolves when the broker has taken it, at QoS 1. */
  publish(topic: string, payload: string): Promise<void>;
  /** Resolves when the broker has answered, which it does after all that came before. */
  ping(): Promise<void>;
  close(): void;
}

/** CONNECT of MQTT 3.1.1 (3.1), clean session, with a client id that the broker is to choose, and with the user and password of the URL. */
export function connectPacket({ username, password }: Pick<URL, "username" | "password">): Buffer {
  const login = username === "" ? [] : [username, password].map((part) => prefixed(decodeURIComponent(part)));
  const head = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, login.length > 0 ? 0xc2 : 2, 0, 0]);
  return packet(0x10, head, prefixed(""), ...login);
}

/** Connects, without TLS. @throws Error when the broker does not answer, or refuses */
export async function rawClient(url: URL): Promise<RawClient> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 1883), noDelay: true });
  const heard: Heard[] = [];
  const waiting = new Map<number, PromiseWithResolvers<Buffer>>();
  const fail = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const ask = async (bytes: Buffer, answer: number): Promise<Buffer> => {
    const asked = Promise.withResolvers<Buffer>();
    waiting.set(answer, asked);
    const timer = setTimeout(() => socket.destroy(new Error(`${url.host} does not answer`)), LIMIT_MS);
    try {
      if (socket.destroyed) throw new Error(`${url.host} hung up`);
      socket.write(bytes);
      return await asked.promise;
    } finally {
      clearTimeout(timer);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let head = headOf(rest); head && head.end <= rest.length; head = headOf(rest)) {
      const body = rest.subarray(head.body, head.end);
      rest = rest.subarray(head.end);
      if (head.type === PUBLISH) heard.push(published(body));
      waiting.get(head.type)?.resolve(body);
      waiting.delete(head.type);
    }
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error(`${url.host} hung up`)));
  await once(socket, "connect");
  const close = (): void => void socket.destroy();
  try {
    const connack = await ask(connectPacket(url), CONNACK);
    if (connack[1] !== 0) throw new Error(`${url.host} refuses the suite's own client (${connack[1]})`);
  } catch (error) {
    close();
    throw error;
  }
  return {
    heard,
    async subscribe(filter) {
      const suback = await ask(packet(0x82, Buffer.from([0, 1]), prefixed(filter), Buffer.from([0])), SUBACK);
      if ((suback[2] ?? 0) >= 0x80) throw new Error(`${url.host} refuses the suite's own subscription to ${filter}`);
    },
    async publish(topic, payload) {
      await ask(packet(0x32, prefixed(topic), Buffer.from([0, 1]), Buffer.from(payload)), PUBACK);
    },
    async ping() {
      await ask(PINGREQ, PINGRESP);
    },
    close,
  };
}

/** PUBLISH at QoS 0 (3.3). */
function published(body: Buffer): Heard {
  const end = 2 + body.readUInt16BE(0);
  return { topic: body.toString("utf8", 2, end), payload: body.toString("utf8", end) };
}
