import { isAscii } from "node:buffer";
import type { IPublishPacket } from "mqtt";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  MESSAGE_EXPIRY_INTERVAL,
  PAYLOAD_FORMAT_INDICATOR,
  RESPONSE_TOPIC,
  RETAIN,
  SUBSCRIPTION_IDENTIFIER,
  USER_PROPERTY,
} from "./publish-bytes.ts";

type Properties = NonNullable<IPublishPacket["properties"]>;

/** A message as it came, with its payload. */
export interface ReceivedPublish extends IPublishPacket {
  readonly payload: Buffer;
}

/**
 * Reads a PUBLISH at QoS 0 (MQTT 5, 3.3) as the library does, which looks at each text in several steps: for a message with user properties
 * that is most of what it costs to receive.
 * @param flags its first byte
 * @param start where its variable header begins
 * @returns undefined for what is left to the library to judge: what is unusual (a topic alias, a property that comes twice) or broken
 */
export function decodePublish(
  version: 4 | 5,
  flags: number,
  bytes: Buffer,
  start: number,
  end: number,
): ReceivedPublish | undefined {
  const reader = new Reader(bytes, start, end);
  const topic = reader.text();
  const properties = version === 5 ? readProperties(reader) : undefined;
  if (reader.failed || topic === "") return undefined;
  const payload = bytes.subarray(reader.at, end);
  const retain = (flags & RETAIN) !== 0;
  return {
    cmd: "publish",
    qos: 0,
    dup: false,
    retain,
    topic,
    payload,
    ...(properties ? { properties } : {}),
  };
}

/** Undefined when there are none. */
function readProperties(reader: Reader): Properties | undefined {
  const length = reader.varint();
  if (length === 0) return undefined;
  const end = reader.at + length;
  const properties: Properties = {};
  while (reader.at < end && !reader.failed) if (!readProperty(reader, end, properties)) reader.fail();
  if (reader.at !== end) reader.fail();
  return properties;
}

/** Whether it is one that a PUBLISH has, and has once. */
function readProperty(reader: Reader, end: number, properties: Properties): boolean {
  switch (reader.byte()) {
    case USER_PROPERTY:
      reader.readAhead(end);
      // A name may be that of anything an object has.
      properties.userProperties ??= Object.create(null) as NonNullable<Properties["userProperties"]>;
      return addUserProperty(properties.userProperties, reader.text(), reader.text());
    case SUBSCRIPTION_IDENTIFIER:
      return addSubscription(properties, reader.varint());
    case CONTENT_TYPE:
      if (properties.contentType !== undefined) return false;
      properties.contentType = reader.text();
      return true;
    case RESPONSE_TOPIC:
      if (properties.responseTopic !== undefined) return false;
      properties.responseTopic = reader.text();
      return true;
    case CORRELATION_DATA:
      if (properties.correlationData !== undefined) return false;
      properties.correlationData = reader.data();
      return true;
    case MESSAGE_EXPIRY_INTERVAL:
      if (properties.messageExpiryInterval !== undefined) return false;
      properties.messageExpiryInterval = reader.integer();
      return true;
    case PAYLOAD_FORMAT_INDICATOR:
      if (properties.payloadFormatIndicator !== undefined) return false;
      properties.payloadFormatIndicator = reader.byte() !== 0;
      return true;
    default:
      return false;
  }
}

function addUserProperty(all: NonNullable<Properties["userProperties"]>, name: string, value: string): true {
  const before = all[name];
  all[name] = before === undefined ? value : [before, value].flat();
  return true;
}

/** There is one for each subscription that the message is for. */
function addSubscription(properties: Properties, id: number): true {
  const before = properties.subscriptionIdentifier;
  properties.subscriptionIdentifier = before === undefined ? id : [before, id].flat();
  return true;
}

/** Takes what a packet consists of, one after the other. Beyond its end there is nothing but 0, and it has failed. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #ahead = "";
  #aheadStart = 0;
  #aheadEnd = 0;
  at: number;
  failed = false;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.at = start;
  }

  fail(): void {
    this.failed = true;
  }

  byte(): number {
    return this.#has(1) ? (this.#bytes[this.at++] as number) : 0;
  }

  integer(): number {
    if (!this.#has(4)) return 0;
    this.at += 4;
    return this.#bytes.readUInt32BE(this.at - 4);
  }

  /** A variable byte integer (MQTT 5, 1.5.5). */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.fail();
    return 0;
  }

  text(): string {
    const start = this.at + 2;
    const end = this.#endOfData();
    this.at = end;
    if (end > this.#aheadEnd) return this.#bytes.toString("utf8", start, end);
    return this.#ahead.slice(start - this.#aheadStart, end - this.#aheadStart);
  }

  /** Reads all up to there as one text, if each byte is a character. Of several texts, to take them from it costs half. Once for a packet. */
  readAhead(end: number): void {
    if (this.#aheadStart > 0) return;
    this.#aheadStart = this.at;
    if (!isAscii(this.#bytes.subarray(this.at, end))) return;
    this.#ahead = this.#bytes.toString("latin1", this.at, end);
    this.#aheadEnd = end;
  }

  data(): Buffer {
    const end = this.#endOfData();
    const data = this.#bytes.subarray(this.at, end);
    this.at = end;
    return data;
  }

  #endOfData(): number {
    const length = this.byte() * 256 + this.byte();
    return this.#has(length) ? this.at + length : this.at;
  }

  #has(length: number): boolean {
    if (this.at + length <= this.#end) return true;
    this.failed = true;
    return false;
  }
}
