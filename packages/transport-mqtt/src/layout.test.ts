import type { ParleyError } from "@parley/core/transport";
import { expect, test } from "vitest";
import { agentOf, callTopic, goneTopic, inboxOf, ownerOf, readCallTopic } from "./layout.ts";

test.each([
  ["mqtt://h/agents/a", "agents/a"],
  ["mqtt://h/a", "a"],
  ["mqtt://h/", undefined],
  ["mqtt://h", undefined],
])("%s addresses %s", (url, agent) => {
  expect(agentOf(new URL(url))).toBe(agent);
});

test.each(["/a/", "//a", "/a//b", "/$SYS", "/parley/x", "/parley", "/+", "/a%20b", "/a/%00"])(
  "%s names no agent",
  (path) => {
    let error: ParleyError | undefined;
    try {
      agentOf(new URL(`mqtt://h${path}`));
    } catch (thrown) {
      error = thrown as ParleyError;
    }
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  },
);

test("a call's topic says agent, sender and operation", () => {
  const topic = callTopic("agents/a", "ada", "text.echo.v1");
  expect(topic).toBe("agents/a/call/ada/text.echo.v1");
  expect(readCallTopic(topic, "agents/a")).toEqual({ sender: "ada", type: "text.echo.v1" });
  for (const other of ["agents/a/call/x", "agents/a/call/x/y/z", "agents/b/call/x/y", "agents/a/call//y"])
    expect(readCallTopic(other, "agents/a")).toBeUndefined();
});

test("an inbox has an owner and a secret", () => {
  const inbox = inboxOf("ada", "abcdefghijklmno2");
  expect(ownerOf(inbox)).toBe("ada");
  expect(goneTopic(inbox)).toBe("parley/gone/ada/abcdefghijklmno2");
  for (const other of [`${inbox}/x`, "parley/inbox/ada/short", "parley/inbox/+/abcdefghijklmno2x", "x"])
    expect(ownerOf(other)).toBeUndefined();
});
