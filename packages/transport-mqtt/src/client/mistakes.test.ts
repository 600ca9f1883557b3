import { expect, test } from "vitest";
import { MqttClient } from "./mqtt-client.ts";
import type { MqttClientOptions } from "./options.ts";

const url = "mqtt://127.0.0.1:1";

test.each<[string, unknown, string]>([
  ["an address in place of options", url, "MqttClient takes an object of options"],
  ["nothing", undefined, "was given undefined"],
  ["a topic in the address", { url: `${url}/rooms/1` }, "has no path"],
  ["a name of another library", { url, keepalive: 5 }, "did you mean keepaliveSeconds?"],
  ["a version that there is not", { url, protocolVersion: 3 }, "protocolVersion is 3"],
  ["a token in place of credentials", { url, credentials: "t0ken" }, "the option credentials takes what bearer()"],
])("%s is refused when the client is made", (_what, options, message) => {
  const make = () => new MqttClient(options as MqttClientOptions); // what callers without types write
  expect(make).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
  expect(make).not.toThrow(/t0ken/);
});

// What callers without types write.
test.each<[string, (client: MqttClient) => Promise<unknown>, string]>([
  [
    "a publication with a misspelt option",
    (c) => c.publish("a", 1, { retained: true } as object),
    "did you mean retain?",
  ],
  [
    "a user property that is no text",
    (c) => c.publish("a", 1, { userProperties: { a: 1 as unknown as string } }),
    "the user property a is no text",
  ],
  ["a subscription with another's option", (c) => c.subscribe("a", { rap: true } as object), 'no option "rap"'],
  ["a subscription without its handler", (c) => c.onMessage("a", undefined as unknown as () => void), "no function"],
])("%s is refused before anything is sent", async (_what, attempt, message) => {
  await using client = new MqttClient({ url });
  await expect(attempt(client)).rejects.toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    message: expect.stringContaining(message),
  });
  expect(client.state).toBe("idle");
});

test("files in place of what is in them are told as such", async () => {
  await using client = new MqttClient({ url: "mqtts://127.0.0.1:1", tls: { cert: "cert.pem", key: "key.pem" } });
  await expect(client.connect()).rejects.toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    message: expect.stringContaining("not their names"),
  });
});
