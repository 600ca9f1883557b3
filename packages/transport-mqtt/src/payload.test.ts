import { expect, test } from "vitest";
import { readPayload } from "./payload.ts";

const attributes = { specversion: "1.0", id: "1", source: "/device", type: "reading.v1" };
const payload = Buffer.from('{"celsius":21}');

/** User properties as the library reads them: without a prototype. */
function properties(more: Readonly<Record<string, string | string[]>>): Record<string, string | string[]> {
  return Object.assign(Object.create(null), attributes, more);
}

test("an event in binary mode has its attributes from user properties", () => {
  const content = readPayload(payload, { contentType: "application/json", userProperties: properties({ seq: "7" }) });
  expect(content).toEqual({
    event: { ...attributes, seq: 7, datacontenttype: "application/json", data: { celsius: 21 } },
  });
});

test.each([
  ["data", { data: "1" }, "data names no attribute"],
  ["bytes", { data_base64: "AA==" }, "data_base64 names no attribute"],
  ["a prototype", JSON.parse('{"__proto__":"x"}'), "__proto__ names no attribute"],
  ["one twice", { subject: ["a", "b"] }, "subject comes twice"],
  ["a name that no attribute has", { "Not-One": "x" }, "Not-One"],
])("user properties cannot give %s", (_, given, problem) => {
  const userProperties = properties(given);
  expect(() => readPayload(payload, { userProperties })).toThrow(problem);
});
