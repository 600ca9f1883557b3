import { describe, expect, it } from "vitest";
import { exists, failure, logging, speaking } from "../../test/harness.ts";

const MIB = 1024 * 1024;
const sh = (script: string): readonly ["sh", "-c", string] => ["sh", "-c", script];

describe("a program that dies", () => {
  it.each([
    ["exits with 0", "exit 0", { exitCode: 0 }],
    ["exits with 3", "exit 3", { exitCode: 3 }],
    ["is killed", "kill -9 $$", { signal: "SIGKILL" }],
    ["exits in the middle of a line", "printf half; exit 3", { exitCode: 3 }],
  ])("and %s fails what is under way, with how it ended", async (_, end, details) => {
    const client = speaking({ command: sh(`echo last words >&2; read line; ${end}`), format: "line" });
    const asked = failure(client.request("a"));
    const read = failure(client.receive());
    for (const error of [await asked, ...(end === "exit 0" ? [] : [await read])]) {
      expect(error).toMatchObject({ code: "unavailable", outcome: "unknown", details });
      expect(error.details).toHaveProperty("stderr", "last words\n");
    }
    expect(await failure(client.send("b"))).toMatchObject({ code: "unavailable", outcome: "not-sent", details });
    expect(client.state).toBe("closed");
  });

  it("while much is written to it tells what it may have seen from what it has not", async () => {
    const client = speaking({ command: sh("read line; exit 1"), format: "line" });
    const errors = await Promise.all(Array.from({ length: 64 }, () => failure(client.request("x".repeat(64 * 1024)))));
    const ends = new Set(errors.map(({ code, outcome }) => `${code} ${outcome}`));
    expect(ends).toEqual(new Set(["unavailable unknown", "unavailable not-sent"]));
    for (const error of errors) expect(error.details).toMatchObject({ exitCode: 1 });
  });

  it("takes its half of a line with it", async () => {
    const client = speaking({ command: sh("echo whole; printf half; exit 3"), format: "line" });
    expect(await client.receive()).toBe("whole");
    expect(await failure(client.receive())).toMatchObject({ details: { exitCode: 3 } });
  });
});

describe("a program that is silent", () => {
  it("is given up in time, and its late answers are dropped", async () => {
    const client = speaking({ command: sh("read a; read go; echo late; read b; echo $b; exec cat"), format: "line" });
    const error = await failure(client.request("a", { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect(error.message).toBe("sh did not answer within 100 ms");
    const reason = new Error("enough");
    const given = failure(client.request("go", { signal: AbortSignal.abort(reason) }));
    expect(await given).toMatchObject({ code: "cancelled", outcome: "not-sent", cause: reason });
    await client.send("go");
    expect(await client.request("b")).toBe("b");
    expect(client.stats().lateMessages).toBe(1);
  });

  it("to a question that has not reached it has not answered it by what it says of itself", async () => {
    const client = speaking({ command: sh("sleep 0.2; echo news; cat >/dev/null"), format: "line" });
    const first = client.send("x".repeat(MIB));
    const asked = failure(client.request("a", { timeoutMs: 500 }));
    expect(await client.receive()).toBe("news");
    await first;
    expect(await asked).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  });

  it("is given up by a signal while it is waited for", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "line" });
    await client.connect();
    const controller = new AbortController();
    const asked = failure(client.request("a", { signal: controller.signal }));
    const read = failure(client.receive({ signal: controller.signal }));
    await client.send("sent after the question");
    controller.abort();
    expect(await asked).toMatchObject({ code: "cancelled", outcome: "unknown" });
    expect(await read).toMatchObject({ code: "cancelled" });
  });

  it("holds back no more than so many questions, those that were given up included", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "line", maxCalls: 2 });
    for (let n = 0; n < 2; n++) await failure(client.request("a", { timeoutMs: 20 }));
    const error = await failure(client.request("a"));
    expect(error).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(error.message).toContain("maxCalls");
  });
});

describe("a program that does not read", () => {
  it("holds up no more than so many writers at a time", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "raw", maxCalls: 2 });
    await client.connect();
    const sent = [1, 2].map(() => failure(client.send(Buffer.alloc(MIB))));
    const refused = await failure(client.send("a"));
    expect(refused).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(refused.message).toContain("maxCalls");
    await client.close({ graceMs: 0 });
    await Promise.all(sent);
  });

  it("holds writers up until their time is over, and then refuses more than the bound", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "raw", maxQueuedBytes: 4 * MIB });
    const bytes = Buffer.alloc(MIB);
    const sent = await Promise.all([1, 2, 3, 4].map(() => failure(client.send(bytes, { timeoutMs: 200 }))));
    expect(sent.map(({ code, outcome }) => `${code} ${outcome}`)).toEqual([
      "deadline_exceeded unknown",
      ...new Array(3).fill("deadline_exceeded not-sent"),
    ]);
    expect(sent[0]?.message).toBe("sleep did not read its stdin within 200 ms");
    // What was withdrawn makes room again.
    const later = [1, 2, 3].map(() => failure(client.send(bytes, { timeoutMs: 100 })));
    const refused = await failure(client.send(Buffer.alloc(MIB)));
    expect(refused).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(refused.message).toContain("maxQueuedBytes is 4194304");
    expect(await Promise.all(later)).toMatchObject(new Array(3).fill({ code: "deadline_exceeded" }));
  });

  it("and has closed its stdin is found out, while what it writes is read", async () => {
    const client = speaking({
      command: sh("exec 0<&-; echo closed; sleep 0.5; echo more; exec sleep 60"),
      format: "line",
    });
    expect(await client.receive()).toBe("closed");
    const errors = await Promise.all([failure(client.send("a")), failure(client.request("b"))]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "unavailable" });
      expect(error.message).toContain("sh has closed its stdin");
    }
    expect(await failure(client.send("c"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await client.receive()).toBe("more");
  });
});

it("a program that closes its stdout and lives fails questions soon, and is ended", async () => {
  const client = speaking({ command: sh("read line; exec 1>&-; exec sleep 60"), format: "line", exitMs: 2_000 });
  await client.connect();
  const { pid = 0 } = client;
  const start = performance.now();
  const error = await failure(client.request("a"));
  expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(error.message).toContain("sh has closed its stdout");
  expect(performance.now() - start).toBeLessThan(1_900);
  expect(await client.closed).toMatchObject({ details: { signal: "SIGTERM" } });
  expect(exists(pid)).toBe(false);
});

describe("a program that writes too much", () => {
  it.each(["line", "json"] as const)("on a line (%s) is ended, and no more than the limit was kept", async (format) => {
    const command = ["python3", "-c", `print('["' + 'x' * ${256 * MIB}); import time; time.sleep(60)`] as const;
    const client = speaking({ command, format, maxMessageBytes: MIB });
    const before = process.memoryUsage().rss;
    const error = await failure(client.receive());
    expect(error).toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
    expect(error.message).toContain("more than 1048576 bytes");
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
    expect(await client.closed).toMatchObject({ code: "resource_exhausted" });
  });

  it("of what is no JSON on a line is skipped", async () => {
    const script = `print('log: ' + 'x' * ${8 * MIB}); print('{}')`;
    const client = speaking({ command: ["python3", "-c", script], format: "json", maxMessageBytes: MIB });
    expect(await client.receive()).toEqual({});
    expect(client.stats().refusedMessages).toBe(1);
  });

  it("before a prompt fails that question, and the next one is answered", async () => {
    const script = `import sys, time
for line in sys.stdin:
    print('x' * int(line), end='', flush=True); time.sleep(0.1); print(end='>> ', flush=True)`;
    const client = speaking({ command: ["python3", "-c", script], format: "raw", maxMessageBytes: 1_000 });
    const options = { until: ">> " };
    const error = await failure(client.request(`${8 * MIB}\n`, options));
    expect(error).toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
    expect(await client.request("3\n", options)).toBe("xxx");
    expect(await client.request("0\n", { until: /^>> $/ })).toBe("");
  });

  it.each(["line", "raw"] as const)("that nobody reads (%s) is held up", async (format) => {
    const client = speaking({ command: sh("yes $(printf %0999d)"), format, maxUnreadBytes: 64 * 1024 });
    await client.connect();
    await new Promise((resolve) => setTimeout(resolve, 500));
    client.kill("SIGKILL");
    await client.closed;
    let bytes = 0;
    const reading = async () => {
      for await (const message of client) bytes += message.length;
    };
    await expect(reading()).rejects.toMatchObject({ details: { signal: "SIGKILL" } });
    expect(bytes).toBeGreaterThan(64 * 1024);
    expect(bytes).toBeLessThan(2 * MIB);
  });

  it.each(["line", "raw"] as const)("goes on when somebody reads (%s)", async (format) => {
    const command = sh("yes $(printf %0999d) | head -c 16000000");
    const client = speaking({ command, format, maxUnreadBytes: 64 * 1024 });
    await client.connect();
    // So that it is held up first.
    await new Promise((resolve) => setTimeout(resolve, 300));
    let bytes = 0;
    for await (const message of client) bytes += format === "line" ? message.length + 1 : message.length;
    expect(bytes).toBe(16_000_000);
  });
});

it("what a program has written is read whole, though it has exited while it was held up", async () => {
  const { log, entry } = logging();
  const command = sh("printf %02000d; echo first >&2; read go; printf %03000d");
  const client = speaking({ command, format: "raw", maxUnreadBytes: 1_000, log });
  await client.connect();
  await entry("first");
  await client.send("go\n");
  expect(await client.closed).toBeUndefined();
  let bytes = 0;
  for await (const chunk of client) bytes += chunk.length;
  expect(bytes).toBe(5_000);
});

it.runIf(process.platform === "linux")(
  "a program that has exited is over, though what left its group writes to its stdout as fast as it can",
  async () => {
    const client = speaking({
      command: sh("setsid yes 2>&- & sleep 0.2; exit 3"),
      format: "raw",
      maxUnreadBytes: 1_000,
    });
    await client.connect();
    expect(await client.closed).toMatchObject({ details: { exitCode: 3 } });
    let bytes = 0;
    const reading = async () => {
      for await (const chunk of client) bytes += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({ details: { exitCode: 3 } });
    expect(bytes).toBeLessThan(2 * MIB);
  },
);
