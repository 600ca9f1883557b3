import { expect, test } from "vitest";
import { encodePublish } from "./encode-publish.ts";

const hex = (packet: Buffer): string => packet.toString("hex");

test("a PUBLISH of 3.1.1 is topic and payload", () => {
  expect(hex(encodePublish(4, "a/b", "é"))).toBe(`3007${"0003"}612f62c3a9`);
  expect(hex(encodePublish(4, "a", Buffer.from([0, 255])))).toBe("3005000161" + "00ff");
});

test("one of MQTT 5 has its properties between them", () => {
  expect(hex(encodePublish(5, "a", "x"))).toBe("3005000161" + "00" + "78");
  const properties = {
    contentType: "t",
    responseTopic: "r",
    correlationData: Buffer.from("c"),
    messageExpiryInterval: 2 ** 32 - 1,
  };
  const encoded = "11" + "03000174" + "08000172" + "09000163" + "02ffffffff";
  expect(hex(encodePublish(5, "a", "x", { properties }))).toBe(`3016000161${encoded}78`);
});

test("user properties keep their order, and one may come several times", () => {
  const properties = { contentType: "t", userProperties: { k: "v", é: ["1", "2"] } };
  const encoded = "1b" + "03000174" + "2600016b000176" + "260002c3a9000131" + "260002c3a9000132";
  expect(hex(encodePublish(5, "a", "x", { properties }))).toBe(`3020000161${encoded}78`);
});

test("what is to be retained says so", () => {
  expect(hex(encodePublish(4, "a", "x", { retain: true }))).toBe("3104000161" + "78");
});

test("lengths are those of UTF-8, whatever the text", () => {
  expect(hex(encodePublish(4, "é", "€"))).toBe("30070002c3a9e282ac");
  const properties = { contentType: "é", responseTopic: "€" };
  expect(hex(encodePublish(5, "a", "x", { properties }))).toBe(`3010000161${"0b"}030002c3a9080003e282ac78`);
});

test.each([
  [127 - 3, "307f"],
  [128 - 3, "308001"],
  [16_383 - 3, "30ff7f"],
  [16_384 - 3, "30808001"],
  [2_097_151 - 3, "30ffff7f"],
  [2_097_152 - 3, "3080808001"],
])("a payload of %i bytes has the length %s", (bytes, begins) => {
  const packet = encodePublish(4, "a", "x".repeat(bytes));
  expect(hex(packet.subarray(0, begins.length / 2 + 3))).toBe(`${begins}000161`);
  expect(packet.length).toBe(begins.length / 2 + 3 + bytes);
});
