import { decodeData, ValidationError } from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import type { MqttMessage } from "./message.ts";

/** A PUBLISH as users see it. */
export function readMessage(topic: string, payload: Buffer, packet: IPublishPacket): MqttMessage {
  const { contentType, userProperties, messageExpiryInterval, responseTopic, correlationData } =
    packet.properties ?? {};
  return {
    topic,
    qos: packet.qos,
    retained: packet.retain,
    duplicate: packet.dup,
    contentType,
    userProperties,
    expirySeconds: messageExpiryInterval,
    responseTopic,
    correlationData,
    bytes: () => payload,
    text: () => textOf(topic, payload),
    json: () => decodeData(textOf(topic, payload)),
  };
}

function textOf(topic: string, payload: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch (cause) {
    const message = `what came to ${topic} is not UTF-8 text; read it with bytes()`;
    throw new ValidationError(message, [{ message: "is not UTF-8", path: [] }], { cause });
  }
}
