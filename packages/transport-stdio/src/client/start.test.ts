import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { exists, failure, speaking } from "../../test/harness.ts";

const sh = (script: string): readonly ["sh", "-c", string] => ["sh", "-c", script];

describe("a program that does not start", () => {
  it("fails typed, names itself, and may be tried again", async () => {
    const client = speaking({ command: ["no-such-program", "--token=hush"], format: "line" });
    const error = await failure(client.request("a"));
    expect(error).toMatchObject({ code: "not_found", outcome: "not-sent" });
    expect(error.message).toContain("no-such-program");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hush");
    expect(client.state).toBe("idle");
    expect(await failure(client.connect())).toMatchObject({ code: "not_found" });
    expect(await client.health()).toEqual({ state: "idle", lastError: expect.objectContaining({ code: "not_found" }) });
  });

  it("since it may not be executed, or its folder does not exist, fails typed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-"));
    try {
      const plain = join(folder, "plain.txt");
      writeFileSync(plain, "no program");
      const forbidden = await failure(speaking({ command: [plain], format: "json" }).connect());
      expect(forbidden).toMatchObject({ code: "permission_denied", outcome: "not-sent" });
      const cwd = join(folder, "none");
      const lost = await failure(speaking({ command: ["cat"], format: "json", cwd }).connect());
      expect(lost).toMatchObject({ code: "not_found", outcome: "not-sent" });
      expect(lost.message).toContain(`the working directory ${cwd}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("in time is given up and ended", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "raw", prompt: "> ", connectTimeoutMs: 100 });
    const error = await failure(client.request("a"));
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(error.message).toBe("sleep did not answer within 100 ms");
  });

  it("since it ends before it is ready says how it ended", async () => {
    const client = speaking({ command: sh("echo no configuration >&2; exit 78"), format: "raw", prompt: "> " });
    const error = await failure(client.request("a"));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", details: { exitCode: 78 } });
    expect(error.details).toHaveProperty("stderr", "no configuration\n");
  });

  it("since what is to be said to it fails is ended, and the failure is that of all who wait", async () => {
    const cause = new Error("wrong version");
    let pid = 0;
    const client = speaking({
      command: sh("echo $$; exec cat"),
      format: "line",
      async onStart(session) {
        pid = Number(await session.receive());
        throw cause;
      },
    });
    const errors = await Promise.all([failure(client.send("a")), failure(client.receive())]);
    for (const error of errors)
      expect(error).toMatchObject({ code: "failed_precondition", outcome: "not-sent", cause });
    await expect.poll(() => exists(pid)).toBe(false);
  });

  it("too often is refused", async () => {
    const client = speaking({
      command: ["false"],
      format: "raw",
      prompt: ">",
      startLimit: { starts: 1, withinMs: 60_000 },
    });
    await failure(client.connect());
    const error = await failure(client.connect());
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", details: { starts: 1 } });
  });
});
