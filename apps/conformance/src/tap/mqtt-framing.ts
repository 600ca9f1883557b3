import type { Framing, Piece } from "./framing.ts";
import { headOf, packet, prefixed, variable } from "./mqtt-packet.ts";

/** MQTT 3.1.1 and 5: the payload of every PUBLISH is a frame. Each connection has its own, since CONNECT says which version it speaks. */
export const mqtt: Framing = {
  ...perConnection(),
  forConnection: perConnection,
};

const CONNECT = 1;
const PUBLISH = 3;

function perConnection(): Framing {
  let version = 4;
  return {
    splitter: () => {
      let rest: Buffer = Buffer.alloc(0);
      return (chunk) => {
        const pieces: Piece[] = [];
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        for (let head = headOf(rest); head && head.end <= rest.length; head = headOf(rest)) {
          const bytes = rest.subarray(0, head.end);
          rest = rest.subarray(head.end);
          if (head.type === CONNECT) version = bytes[head.body + 2 + bytes.readUInt16BE(head.body)] ?? version;
          pieces.push(head.type === PUBLISH ? published(bytes, head.body, version) : { bytes });
        }
        return pieces;
      };
    },
    encode: () => {
      throw new Error("a frame can be forged once one has passed: its topic is that frame's");
    },
    // DISCONNECT with reason 0 (3.14): a client says it, and a broker of MQTT 5 may.
    goodbye: () => Buffer.from([0xe0, 0]),
  };
}

/** PUBLISH (3.3): topic, packet identifier where QoS is above 0, properties in MQTT 5, then the payload. */
function published(bytes: Buffer, body: number, version: number): Piece {
  const flags = bytes.readUInt8(0) & 0x0f;
  const afterTopic = body + 2 + bytes.readUInt16BE(body);
  const topic = bytes.subarray(body, afterTopic);
  const afterId = afterTopic + ((flags & 0x06) === 0 ? 0 : 2);
  const properties = version === 5 ? variable(bytes, afterId) : undefined;
  const payload = properties ? properties.next + properties.value : afterId;
  const ownHead = bytes.subarray(body, payload);
  const freeHead = Buffer.concat([topic, bytes.subarray(afterId, payload)]);
  return {
    bytes,
    text: bytes.toString("utf8", payload),
    encode: (text) => packet(0x30 | flags, ownHead, Buffer.from(text)),
    // At QoS 0: the identifier of another packet cannot be used again.
    forge: (text) =>
      packet(0x30, (version === 5 && callHead(topic.toString("utf8", 2), text)) || freeHead, Buffer.from(text)),
  };
}

/**
 * What goes before the payload of a call to an agent, `<agent>/call/<sender>/<type>`, with the type that the event says, and said to be an
 * event: so it is the event itself that is judged. Undefined for what is no call.
 */
function callHead(topic: string, text: string): Buffer | undefined {
  const agent = /^(.+\/call\/[^/]+\/)[^/]+$/.exec(topic)?.[1];
  if (agent === undefined) return undefined;
  const type = /"type":"([\w.]+)"/.exec(text)?.[1] ?? topic.slice(agent.length);
  const contentType = prefixed("application/cloudevents+json");
  // Content Type (3.3.2.3.9).
  return Buffer.concat([prefixed(agent + type), Buffer.from([1 + contentType.length, 0x03]), contentType]);
}
