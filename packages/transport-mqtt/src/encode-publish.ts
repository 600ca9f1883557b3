import type { IClientPublishOptions } from "mqtt";
import {
  CONTENT_TYPE,
  CORRELATION_DATA,
  MESSAGE_EXPIRY_INTERVAL,
  PUBLISH,
  RESPONSE_TOPIC,
  RETAIN,
  USER_PROPERTY,
} from "./publish-bytes.ts";

/**
 * A PUBLISH at QoS 0 as one buffer (MQTT 5, 3.3). The library writes it in some twenty pieces, and four for each user property, which is most of
 * the cost of a short message.
 */
export function encodePublish(
  version: 4 | 5,
  topic: string,
  payload: string | Buffer,
  { properties, retain = false }: Pick<IClientPublishOptions, "properties" | "retain"> = {},
): Buffer {
  const payloadBytes = Buffer.byteLength(payload);
  const propertyBytes = properties ? lengthOf(properties) : 0;
  const header = 2 + Buffer.byteLength(topic) + (version === 5 ? varintBytes(propertyBytes) + propertyBytes : 0);
  const length = header + payloadBytes;
  const packet = Buffer.allocUnsafe(1 + varintBytes(length) + length);
  packet[0] = retain ? PUBLISH | RETAIN : PUBLISH;
  let at = writeVarint(packet, length, 1);
  at = writeText(packet, topic, at);
  if (version === 5) {
    at = writeVarint(packet, propertyBytes, at);
    if (properties) at = writeProperties(packet, properties, at);
  }
  if (typeof payload === "string") packet.write(payload, at, "utf8");
  else payload.copy(packet, at);
  return packet;
}

type Properties = NonNullable<IClientPublishOptions["properties"]>;

function lengthOf(properties: Properties): number {
  const { contentType, responseTopic, correlationData, messageExpiryInterval, userProperties } = properties;
  let ofUser = 0;
  eachUserProperty(userProperties, (name, value) => {
    ofUser += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  });
  return (
    ofUser +
    (contentType === undefined ? 0 : 3 + Buffer.byteLength(contentType)) +
    (responseTopic === undefined ? 0 : 3 + Buffer.byteLength(responseTopic)) +
    (correlationData === undefined ? 0 : 3 + correlationData.length) +
    (messageExpiryInterval === undefined ? 0 : 5)
  );
}

function writeProperties(packet: Buffer, properties: Properties, start: number): number {
  const { contentType, responseTopic, correlationData, messageExpiryInterval, userProperties } = properties;
  let at = start;
  if (contentType !== undefined) {
    packet[at] = CONTENT_TYPE;
    at = writeText(packet, contentType, at + 1);
  }
  if (responseTopic !== undefined) {
    packet[at] = RESPONSE_TOPIC;
    at = writeText(packet, responseTopic, at + 1);
  }
  if (correlationData !== undefined) {
    packet[at] = CORRELATION_DATA;
    at = packet.writeUInt16BE(correlationData.length, at + 1);
    at += correlationData.copy(packet, at);
  }
  if (messageExpiryInterval !== undefined) {
    packet[at] = MESSAGE_EXPIRY_INTERVAL;
    at = packet.writeUInt32BE(messageExpiryInterval, at + 1);
  }
  eachUserProperty(userProperties, (name, value) => {
    packet[at] = USER_PROPERTY;
    at = writeText(packet, name, at + 1);
    at = writeText(packet, value, at);
  });
  return at;
}

function eachUserProperty(given: Properties["userProperties"], take: (name: string, value: string) => void): void {
  for (const name in given) {
    const value = given[name];
    if (typeof value === "string") take(name, value);
    else for (const one of value ?? []) take(name, one);
  }
}

function writeText(packet: Buffer, text: string, start: number): number {
  const bytes = packet.write(text, start + 2, "utf8");
  packet.writeUInt16BE(bytes, start);
  return start + 2 + bytes;
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

function writeVarint(packet: Buffer, value: number, start: number): number {
  let at = start;
  let left = value;
  while (left >= 128) {
    packet[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  packet[at++] = left;
  return at;
}
