import { expect, test } from "vitest";
import { text, textHandlers } from "../../test/text.ts";
import { createCall } from "../call/call.ts";
import { Context } from "../call/context.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { CallKind } from "../envelope/envelope.ts";
import { type AgentOptions, agent } from "./agent.ts";
import { ownSource } from "./own-source.ts";

const ada = "urn:agent:ada";

test.each([
  ["urn:agent:ada", ada],
  ["urn:agent:ada/phone", ada],
  ["urn:agent:ada#2", ada],
  ["spiffe://home.example/ada?x", "spiffe://home.example/ada"],
  ["https://ada.example/phone", "ada.example"],
  ["//Ada.Example:8080/phone", "ada.example"],
  ["https://me@ada.example", "ada.example"],
  ["client", ada],
  ["/a1b2", ada],
  ["text/1:2", ada],
])("%s is a source of %s", (source, principal) => {
  expect(ownSource(source, principal)).toBe(true);
});

test.each([
  ["urn:agent:bob", ada],
  ["urn:agent:ada:again", ada],
  ["urn:agent:adam", ada],
  ["urn:agent", ada],
  ["URN:agent:bob", ada],
  ["https://ada.example.evil.example/", "ada.example"],
  ["https://ada.example@evil.example/", "ada.example"],
  ["https://ada.example:443@evil.example/", "ada.example"],
  ["https://evil.example/?//ada.example", "ada.example"],
  ["mailto:ada.example", "ada.example"],
  ["//evil.example/ada", "ada"],
])("%s is none of %s", (source, principal) => {
  expect(ownSource(source, principal)).toBe(false);
});

/** What a call by this principal comes to. */
async function calling(kind: CallKind, type: string, options: AgentOptions, principal?: string) {
  let handled = 0;
  const handlers = { ...textHandlers(), summarize: () => ({ summary: `${++handled}` }) };
  const message = createEnvelope({ kind, type, source: "urn:agent:bob", subject: "a/b", data: { text: "hello" } });
  const context = new Context({ transport: "test", principal });
  const { handle } = agent(text, handlers, options);
  try {
    await handle(createCall({ kind, message, context }));
    return { handled };
  } catch (error) {
    return { handled, error };
  }
}

test.each<[CallKind, string]>([
  ["request", "text.summarize.v1"],
  ["request", "text.nothing.v1"],
  ["publish", "text.any.v1"],
  ["subscribe", "text.any.v1"],
])(
  "an agent refuses a %s (%s) whose source is another's, whether or not there is such an operation",
  async (kind, type) => {
    expect(await calling(kind, type, {}, ada)).toMatchObject({
      handled: 0,
      error: { code: "permission_denied", outcome: "rejected", message: expect.stringContaining("urn:agent:bob") },
    });
  },
);

test("an agent takes any source of a caller whom nobody has authenticated, and of whom it is told to", async () => {
  expect(await calling("request", "text.summarize.v1", {})).toEqual({ handled: 1 });
  const asked: unknown[] = [];
  const acceptSource = (...both: unknown[]) => asked.push(both) > 0;
  expect(await calling("request", "text.summarize.v1", { acceptSource }, ada)).toEqual({ handled: 1 });
  expect(asked).toEqual([["urn:agent:bob", ada]]);
});
