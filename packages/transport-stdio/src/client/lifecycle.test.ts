import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { exists, failure, runs, speaking } from "../../test/harness.ts";
import { type ClientStateChange, StdioClient } from "../index.ts";

const run = promisify(execFile);
const sh = (script: string): readonly ["sh", "-c", string] => ["sh", "-c", script];

/** The command line of a process. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("with reconnect", () => {
  const counting = sh("read line; echo $line; exit 1");

  it("a program that ends is started again, and what was read of it until then is not lost", async () => {
    const starts: number[] = [];
    const client = speaking({
      command: sh("echo hello; while read line; do case $line in die) echo dying; exit 3;; *) echo $line;; esac; done"),
      format: "line",
      reconnect: { baseMs: 1 },
      onStart: async (session) => void starts.push((await session.receive()).length),
    });
    const changes: ClientStateChange[] = [];
    client.onState((change) => changes.push(change));
    expect(await client.request("a")).toBe("a");
    await client.send("die");
    expect(await client.receive()).toBe("dying");
    expect(await failure(client.receive())).toMatchObject({ code: "unavailable", details: { exitCode: 3 } });
    expect(await client.request("b")).toBe("b");
    expect(starts).toEqual([5, 5]);
    expect(changes.map(({ state, attempt }) => [state, attempt])).toEqual([
      ["connecting", undefined],
      ["open", undefined],
      ["reconnecting", 1],
      ["open", undefined],
    ]);
    expect(changes[2]?.error).toMatchObject({ details: { exitCode: 3 } });
    await client.end();
    expect(await client.closed).toBeUndefined();
  });

  it("iterations are of one program each", async () => {
    const client = speaking({ command: counting, format: "line", reconnect: { baseMs: 1 } });
    for (const word of ["one", "two"]) {
      const seen: string[] = [];
      const reading = (async () => {
        for await (const line of client) seen.push(line);
      })();
      await client.send(word);
      await expect(reading).rejects.toMatchObject({ details: { exitCode: 1 } });
      expect(seen).toEqual([word]);
    }
  });

  it("it is given up after so many starts in a row, with why", async () => {
    const log = vi.fn();
    const client = speaking({ command: ["false"], format: "line", reconnect: { baseMs: 1, maxAttempts: 3 }, log });
    await client.connect();
    expect(await client.closed).toMatchObject({ code: "unavailable", details: { exitCode: 1 } });
    expect(client.stats().starts).toBe(4);
    expect(client.state).toBe("closed");
    expect(log).toHaveBeenCalledWith(expect.objectContaining({ event: "reconnecting" }));
    expect(await failure(client.send("a"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("one that lived for long begins again with the first start", async () => {
    const reconnect = { baseMs: 1, maxMs: 100, maxAttempts: 1 };
    const client = speaking({ command: sh("echo up; sleep 0.2; exit 1"), format: "line", reconnect });
    for (let n = 0; n < 3; n++) {
      expect(await client.receive()).toBe("up");
      await failure(client.receive());
    }
    expect(client.stats().starts).toBe(3);
  });

  it("it is given up at once when its command is gone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-"));
    const client = speaking({ command: ["cat"], format: "line", cwd: folder, reconnect: { baseMs: 1 } });
    await client.connect();
    rmSync(folder, { recursive: true });
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    client.kill("SIGKILL");
    expect(await client.closed).toMatchObject({ code: "not_found" });
    expect(states).toEqual(["reconnecting", "closed"]);
  });

  it("questions wait for the next start, within their time", async () => {
    const client = speaking({ command: ["cat"], format: "line", reconnect: { baseMs: 60_000, maxMs: 60_000 } });
    await client.connect();
    const reconnecting = Promise.withResolvers<void>();
    client.onState(({ state }) => state === "reconnecting" && reconnecting.resolve());
    client.kill("SIGKILL");
    await reconnecting.promise;
    expect(await failure(client.request("a", { timeoutMs: 50 }))).toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    const waiting = failure(client.request("b"));
    await client.close();
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });
});

describe("close", () => {
  it("lets what is under way end within the grace, and takes nothing new", async () => {
    const client = speaking({ command: sh("read line; sleep 0.3; echo $line; cat"), format: "line" });
    const asked = client.request("a");
    const reading = (async () => {
      for await (const _ of client);
    })();
    await client.connect();
    const closing = client.close();
    expect(await failure(client.send("b"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await asked).toBe("a");
    await closing;
    await reading;
    expect(await client.closed).toBeUndefined();
    await client.close();
  });

  it("ends what is under way when the grace is over", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "line" });
    const asked = failure(client.request("a"));
    await client.connect();
    await client.close({ graceMs: 50 });
    expect(await asked).toMatchObject({
      code: "unavailable",
      outcome: "unknown",
      message: "the client of sleep was closed",
    });
  });

  it("ends a program that heeds neither the end of its stdin nor SIGTERM, and what it has started", async () => {
    const stubborn = "trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & echo $!; while :; do sleep 0.1; done";
    const client = speaking({ command: sh(stubborn), format: "line", exitMs: 100 });
    const grandchild = Number(await client.receive());
    const { pid = 0 } = client;
    expect([exists(pid), exists(grandchild)]).toEqual([true, true]);
    await client.close();
    expect(exists(pid)).toBe(false);
    await expect.poll(() => runs(grandchild)).toBe(false);
  });

  it("gives up a start that is under way, and leaves nothing of it", async () => {
    let pid = 0;
    const said = Promise.withResolvers<void>();
    const client = speaking({
      command: sh("echo $$; exec sleep 60"),
      format: "line",
      async onStart(session) {
        pid = Number(await session.receive());
        said.resolve();
        await session.receive();
      },
    });
    const connecting = failure(client.connect());
    await said.promise;
    await client.close();
    expect(await connecting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(exists(pid)).toBe(false);
  });

  it.runIf(process.platform === "linux")("at any moment of a start leaves nothing of it", async () => {
    const marker = `marker-${process.pid}-${Date.now()}`;
    for (let turns = 0; turns < 30; turns++) {
      const client = speaking({ command: ["sh", "-c", "cat", marker], format: "line" });
      const connecting = client.connect().catch(() => {});
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await client.close();
      expect(readdirSync("/proc").filter((pid) => commandOf(pid).includes(marker))).toEqual([]);
      await connecting;
    }
  });

  it("of a client that was never used is nothing but the end", async () => {
    const client = new StdioClient({ command: ["cat"], format: "line" });
    await client[Symbol.asyncDispose]();
    expect(client.state).toBe("closed");
    expect(await failure(client.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("leaves nothing that keeps a process alive", async () => {
    const script = `import { StdioClient } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
      const client = new StdioClient({ command: ["cat"], format: "line", reconnect: {} });
      await client.request("a", { timeoutMs: 60_000 });
      await client.receive({ timeoutMs: 10 }).catch(() => {});
      await client.close();
      console.log("closed", process.getActiveResourcesInfo().includes("Timeout"));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { timeout: 12_000 });
    expect(stdout).toBe("closed false\n");
  });
});
