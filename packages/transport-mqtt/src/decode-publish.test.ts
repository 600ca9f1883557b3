import { expect, test } from "vitest";
import { decodePublish, type ReceivedPublish } from "./decode-publish.ts";
import { encodePublish } from "./encode-publish.ts";

/** Reads a packet of less than 16 KiB, which others surround. */
function decoded(version: 4 | 5, packet: Buffer): ReceivedPublish | undefined {
  const bytes = Buffer.concat([Buffer.from([0xc0, 0]), packet, Buffer.from([0xd0, 0])]);
  const header = (packet[1] as number) < 0x80 ? 2 : 3;
  return decodePublish(version, packet[0] as number, bytes, 2 + header, 2 + packet.length);
}

/** A PUBLISH of MQTT 5 to `a` with these properties, in hexadecimal, and the payload `x`. */
function withProperties(hex: string): Buffer {
  const properties = Buffer.from(hex, "hex");
  const body = [0, 1, 0x61, properties.length, ...properties, 0x78];
  return Buffer.from([0x30, body.length, ...body]);
}

test.each([4, 5] as const)("a message of version %i is read as it was written", (version) => {
  expect(decoded(version, encodePublish(version, "é/b", "€"))).toEqual({
    cmd: "publish",
    qos: 0,
    dup: false,
    retain: false,
    topic: "é/b",
    payload: Buffer.from("€"),
  });
  expect(decoded(version, encodePublish(version, "a", "", { retain: true }))).toMatchObject({
    retain: true,
    payload: Buffer.alloc(0),
  });
});

test("so are its properties", () => {
  const properties = {
    contentType: "t/é",
    responseTopic: "r",
    correlationData: Buffer.from([0, 255]),
    messageExpiryInterval: 2 ** 32 - 1,
    userProperties: { k: "v", K: "1", é: ["1", "2"] },
  };
  expect(decoded(5, encodePublish(5, "a", "x", { properties }))?.properties).toEqual(properties);
  expect(decoded(5, withProperties("0101" + "0bffffff7f"))?.properties).toEqual({
    payloadFormatIndicator: true,
    subscriptionIdentifier: 268_435_455,
  });
  expect(decoded(5, withProperties("0b01" + "0b02" + "0b03"))?.properties).toEqual({
    subscriptionIdentifier: [1, 2, 3],
  });
});

test.each([
  ["visible ASCII", { a: "b", "": "", long: "x".repeat(100) }],
  ["more than 127 bytes long", { a: "x".repeat(128), b: "y" }],
  ["of all characters", { a: "b", é: "€", "😀": "\u0000\u007f" }],
])("user properties may be %s", (_, userProperties) => {
  const properties = { contentType: "é", userProperties };
  expect(decoded(5, encodePublish(5, "a", "x", { properties }))).toMatchObject({
    properties,
    payload: Buffer.from("x"),
  });
});

test("a user property may be called as what objects have", () => {
  const [proto, maker] = ["5f5f70726f746f5f5f", "636f6e7374727563746f72"];
  const read = decoded(5, withProperties(`260009${proto}000131` + `26000b${maker}000132`));
  expect(Object.entries(read?.properties?.userProperties ?? {})).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
});

test.each([
  ["a topic alias", "230001"],
  ["an empty topic", ""],
  ["a property that no PUBLISH has", "1100000001"],
  ["a property that there is not", "7f00"],
  ["a content type that comes twice", "03000174" + "03000175"],
  ["a response topic that comes twice", "08000174" + "08000175"],
  ["correlation data that come twice", "09000174" + "09000175"],
  ["an expiry that comes twice", "0200000001" + "0200000001"],
  ["a format that comes twice", "0100" + "0100"],
  ["a text that is cut", "030005"],
  ["a property that goes beyond the others", "03000574"],
  ["a number that is cut", "020000"],
  ["an identifier without an end", "0bffffffff01"],
])("%s is left to the library", (what, hex) => {
  const packet = what === "an empty topic" ? encodePublish(5, "", "x") : withProperties(hex);
  expect(decoded(5, packet)).toBeUndefined();
});

test("so is a packet that ends in its topic, or in its properties", () => {
  for (const bytes of [[], [0], [0, 5, 0x61], [0, 1, 0x61], [0, 1, 0x61, 9, 1], [0, 1, 0x61, 0x80]]) {
    expect(decoded(5, Buffer.from([0x30, bytes.length, ...bytes])), String(bytes)).toBeUndefined();
  }
});
