import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Interceptor, ParleyError } from "@parley/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failure, speaking } from "../../test/harness.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "parley-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** Fails the first time that it is run in its folder; what it does then, and later. */
const once = (first: string, later: string): [string, ...string[]] => [
  "sh",
  "-c",
  `if [ -e seen ]; then ${later}; else touch seen; ${first}; fi`,
];

const types: string[] = [];
const note: Interceptor = (next) => (call) => {
  types.push(call.message.type);
  return next(call);
};
beforeEach(() => void types.splice(0));

test("a program that did not start is started again for whoever asks, through the policies each time", async () => {
  const client = speaking({
    command: once("exit 1", "printf '> '; exec cat"),
    format: "raw",
    prompt: "> ",
    cwd,
    retry: { baseMs: 1 },
    use: [note],
  });
  await client.connect();
  expect(await client.request("hello> ")).toBe("hello");
  await client.end();
  expect(types).toEqual(["stdio.connect", "stdio.connect", "stdio.request", "stdio.end"]);
});

test.each([true, false])(
  "a question to a program that died is asked again only if that is said: %s",
  async (idempotent) => {
    const options = { format: "line", cwd, reconnect: { baseMs: 1 }, retry: { baseMs: 1 }, use: [note] } as const;
    const client = speaking({ ...options, command: once("read x; exit 1", "exec cat") });
    await client.connect();
    const asked = client.request("hello", { idempotent });
    if (idempotent) expect(await asked).toBe("hello");
    else expect(await failure(asked)).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(types.filter((type) => type === "stdio.request").length).toBe(idempotent ? 2 : 1);
  },
);

test("what a policy refuses starts nothing; reading is no operation of theirs", async () => {
  const refusal = new ParleyError("permission_denied", "not now", { outcome: "not-sent" });
  const client = speaking({ command: ["echo", "hi"], format: "line", use: [() => () => Promise.reject(refusal)] });
  for (const attempt of [client.connect(), client.send("a"), client.request("a"), client.end()])
    expect(await failure(attempt)).toBe(refusal);
  expect(client.state).toBe("idle");
  expect(await client.receive()).toBe("hi");
});
