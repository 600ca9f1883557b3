import mqttPacket, { type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import type { Framing, Piece } from "./framing.ts";
import { mqtt } from "./mqtt-framing.ts";

const framing = (): Framing => mqtt.forConnection?.() ?? mqtt;

function split(own: Framing, bytes: Buffer, size: number): Piece[] {
  const splitter = own.splitter("dialler");
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(...splitter(bytes.subarray(at, at + size)));
  return pieces;
}

function parse(bytes: Buffer, protocolVersion: number): Packet[] {
  const packets: Packet[] = [];
  mqttPacket
    .parser({ protocolVersion })
    .on("packet", (packet) => packets.push(packet))
    .parse(bytes);
  return packets;
}

describe.each([4, 5] as const)("MQTT protocol version %i", (protocolVersion) => {
  const packets: Packet[] = [
    { cmd: "connect", clientId: "c", protocolId: "MQTT", protocolVersion, clean: true, keepalive: 5 },
    { cmd: "publish", topic: "a/b", payload: "é", qos: 0, retain: false, dup: false },
    {
      cmd: "publish",
      topic: "long",
      payload: "x".repeat(20_000),
      qos: 1,
      messageId: 7,
      retain: false,
      dup: false,
      properties: { responseTopic: "inbox/1", correlationData: Buffer.from("id") },
    },
    { cmd: "pingreq" },
  ];
  const bytes = Buffer.concat(packets.map((packet) => mqttPacket.generate(packet, { protocolVersion })));

  it.each([1, 5, 100_000])("is read in chunks of %i bytes, and no byte is lost", (size) => {
    const pieces = split(framing(), bytes, size);
    expect(pieces.flatMap(({ text }) => (text === undefined ? [] : [text]))).toEqual(["é", "x".repeat(20_000)]);
    expect(Buffer.concat(pieces.map(({ bytes: part }) => part)).equals(bytes)).toBe(true);
  });

  it("has its payloads replaced and forged, topic and properties kept", () => {
    const piece = split(framing(), bytes, 100_000).at(-2);
    const replaced = piece?.encode?.("other") ?? Buffer.alloc(0);
    const forged = piece?.forge?.("forged") ?? Buffer.alloc(0);
    const kept = protocolVersion === 5 ? { properties: { responseTopic: "inbox/1" } } : {};
    expect(parse(replaced, protocolVersion)).toMatchObject([
      { cmd: "publish", topic: "long", qos: 1, messageId: 7, payload: Buffer.from("other"), ...kept },
    ]);
    expect(parse(forged, protocolVersion)).toMatchObject([
      { cmd: "publish", topic: "long", qos: 0, payload: Buffer.from("forged"), ...kept },
    ]);
  });
});
