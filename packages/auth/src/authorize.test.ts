import type { LogEntry, ParleyError } from "@parley/core";
import { type CallKind, Context, createCall, createEnvelope, HELLO, type OwnedCall } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import type { AccessRule } from "./access-rule.ts";
import { authorize } from "./authorize.ts";
import { type Identity, identify } from "./identity.ts";

const alice: Identity = { principal: "alice", roles: ["reader"], scopes: ["text"] };

function open(kind: CallKind, type: string, who: Identity | string | undefined, subject?: string): OwnedCall {
  const peer = typeof who === "string" ? { transport: "test", principal: who } : { transport: "test" };
  const context = new Context(peer);
  if (typeof who === "object") identify(context, who);
  const message = createEnvelope({ kind, type, source: "/test", ...(subject === undefined ? {} : { subject }) });
  return createCall({ kind, message, context });
}

/** How a call ends: `ran`, or the code of its error. */
async function ends(rules: readonly AccessRule[], call: OwnedCall): Promise<string> {
  let ran = 0;
  const invoke = authorize(rules)(async () => {
    ran++;
    return {};
  });
  const code = await invoke(call).then(
    () => "ran",
    ({ code, outcome }: ParleyError) => `${code} ${outcome}`,
  );
  call.settle();
  if (code !== "ran" && ran > 0) throw new Error("it ran all the same");
  return code;
}

const denied = "permission_denied not-sent";

describe("operations", () => {
  it.each<[string, string, string]>([
    ["text.summarize", "text.summarize.v1", "ran"],
    ["text.summarize", "text.summarize.v2", "ran"],
    ["text.summarize", "text.summarizer.v1", denied],
    ["text.summarize.v1", "text.summarize.v2", denied],
    ["text.*", "text.summarize.v1", "ran"],
    ["text.*", "texts.summarize.v1", denied],
    ["text.*", "text", denied],
    ["*", "anything.at.all.v7", "ran"],
    ["text.summarize", "text.summarize", "ran"],
  ])("%s lets call %s: %s", async (pattern, type, expected) => {
    expect(await ends([{ operations: [pattern] }], open("request", type, alice))).toBe(expected);
  });

  it.each(["te*t", "*.summarize", "", ".*", "a.*.b", "**"])("%j is no pattern", (pattern) => {
    expect(() => authorize([{ operations: [pattern] }])).toThrow(/is none for operations/);
  });
});

describe("topics", () => {
  const rules: readonly AccessRule[] = [
    { topics: ["news/+/today", "agents/{principal}/#"] },
    { topics: ["logs/#"], allow: ["subscribe"] },
    { topics: ["calls/#"], allow: ["call"] },
  ];
  it.each<[CallKind, string, string]>([
    ["publish", "news/a/today", "ran"],
    ["publish", "news/a/b/today", denied],
    ["subscribe", "news/+/today", "ran"],
    ["subscribe", "news/#", denied],
    ["subscribe", "#", denied],
    ["publish", "agents/alice/status", "ran"],
    ["subscribe", "agents/alice/#", "ran"],
    ["subscribe", "agents/+/status", denied],
    ["publish", "agents/bob/status", denied],
    ["subscribe", "logs/x", "ran"],
    ["publish", "logs/x", denied],
    ["subscribe", "calls/x", denied],
  ])("%s %s: %s", async (kind, subject, expected) => {
    expect(await ends(rules, open(kind, "any.topic.v1", alice, subject))).toBe(expected);
  });

  it("are not had by what names none, nor by leave for operations", async () => {
    expect(await ends(rules, open("publish", "any.topic.v1", alice))).toBe(denied);
    expect(await ends([{ operations: ["*"] }], open("publish", "any.topic.v1", alice, "a"))).toBe(denied);
    expect(await ends([{ topics: ["#"] }], open("request", "any.operation.v1", alice))).toBe(denied);
  });

  it.each(["a/b", "+", "#", "$SYS", ""])("of one's own are not had by a caller named %j", async (principal) => {
    const own: readonly AccessRule[] = [{ topics: ["agents/{principal}/#", "{principal}/#"] }];
    for (const subject of [`agents/${principal}/x`, "agents/x/x", "$SYS/x", "agents/{principal}/x"])
      expect(await ends(own, open("publish", "any.topic.v1", { principal }, subject))).toBe(denied);
  });

  it.each(["a/b#", "a/#/b", "", "a/x{principal}"])("%j is no filter", (topic) => {
    expect(() => authorize([{ topics: [topic] }])).toThrow(/filter/);
  });
});

describe("who", () => {
  const call = (rule: AccessRule, who: Identity | string | undefined) =>
    ends([{ ...rule, operations: ["*"] }], open("request", "any.operation.v1", who));

  it("is one of the principals, has one of the roles, and one of the scopes: all that a rule asks", async () => {
    expect(await call({}, alice)).toBe("ran");
    expect(await call({ principals: ["bob", "alice"] }, alice)).toBe("ran");
    expect(await call({ principals: ["bob"] }, alice)).toBe(denied);
    expect(await call({ roles: ["reader", "writer"] }, alice)).toBe("ran");
    expect(await call({ roles: ["writer"] }, alice)).toBe(denied);
    expect(await call({ roles: ["reader"], scopes: ["text"] }, alice)).toBe("ran");
    expect(await call({ roles: ["reader"], scopes: ["admin"] }, alice)).toBe(denied);
    expect(await call({ roles: [] }, alice)).toBe(denied);
  });

  it("is whom the wire knows where nobody asked further, without roles", async () => {
    expect(await call({ principals: ["alice"] }, "alice")).toBe("ran");
    expect(await call({ roles: ["reader"] }, "alice")).toBe(denied);
    expect(await call({}, undefined)).toBe("unauthenticated not-sent");
  });
});

it("no rule allows nothing, but for the handshake of whoever is known", async () => {
  expect(await ends([], open("request", "any.operation.v1", alice))).toBe(denied);
  expect(await ends([], open("request", HELLO, alice))).toBe("ran");
  expect(await ends([], open("notify", HELLO, alice))).toBe(denied);
  expect(await ends([], open("request", HELLO, undefined))).toBe("unauthenticated not-sent");
});

it("what is forbidden is told to the log, and to the caller without saying whether it exists", async () => {
  const told: LogEntry[] = [];
  const invoke = authorize([], { log: (entry) => told.push(entry) })(async () => ({}));
  const call = open("publish", "any.topic.v1", alice, "a/b");
  const error = await invoke(call).catch((thrown: ParleyError) => thrown);
  expect(error).toMatchObject({ message: "the caller may not do this", details: undefined });
  expect(told).toMatchObject([
    { level: "warn", event: "access-denied", fields: { principal: "alice", kind: "publish", subject: "a/b" } },
  ]);
  call.settle();
});

it.each<[string, object, string]>([
  ["a condition that is misspelt", { operation: ["a.b"] }, "did you mean operations?"],
  ["leave for what nobody can do", { topics: ["a"], allow: ["read"] }, "allow is read"],
])("%s is refused, for it would let in more than was meant", (_what, rule, message) => {
  expect(() => authorize([rule])).toThrow(
    expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining(message) }),
  );
});
