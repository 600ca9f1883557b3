import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { address, agent, ask, dialling, exists, failure, logging, opening, runs, stream } from "../test/harness.ts";
import { stdio } from "./index.ts";

describe("a child that dies", () => {
  it.each([
    ["exits with 0", "test.exit.v1", 0, { exitCode: 0 }],
    ["exits with 3", "test.exit.v1", 3, { exitCode: 3 }],
    ["is killed", "test.signal.v1", "SIGKILL", { signal: "SIGKILL" }],
    ["exits in the middle of a line", "test.cut.v1", null, { exitCode: 3 }],
  ])("and %s ends every call at once, with how it ended", async (_, type, data, details) => {
    const { log, entry } = logging();
    const connection = await dialling({}, { log });
    const pid = Number((await entry("started")).message.split(" ")[1]);
    const { output } = await stream(connection, "test.count.v1", 1_000_000);
    const iterator = output?.[Symbol.asyncIterator]();
    await iterator?.next();
    const drained = (async () => {
      while (!(await iterator?.next())?.done);
    })();
    const start = performance.now();
    const errors = await Promise.all([
      failure(ask(connection, "test.hang.v1")),
      failure(ask(connection, type, data)),
      failure(drained),
    ]);
    expect(performance.now() - start).toBeLessThan(2_000);
    for (const error of errors) expect(error).toMatchObject({ code: "unavailable", outcome: "unknown", details });
    const [{ details: found } = {}] = errors;
    expect((found as { stderr: string } | undefined)?.stderr).toContain("started");
    expect(JSON.stringify(found)).not.toContain("started");
    expect(await connection.closed).toMatchObject({ details });
    expect(exists(pid)).toBe(false);
    expect(connection.stats().openCalls).toBe(0);
    expect(await failure(ask(connection, "test.echo.v1"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("while much is being written to it is no uncaught error", async () => {
    const connection = await dialling();
    const calls = Array.from({ length: 200 }, () => failure(ask(connection, "test.echo.v1", "x".repeat(10_000))));
    calls.push(failure(ask(connection, "test.signal.v1", "SIGKILL")));
    calls.push(...Array.from({ length: 200 }, () => failure(ask(connection, "test.hang.v1", "x".repeat(10_000)))));
    await Promise.allSettled(calls);
    expect(await connection.closed).toMatchObject({ code: "unavailable", details: { signal: "SIGKILL" } });
  });
});

describe("a child that does not start", () => {
  it("for want of a command is an invalid argument", async () => {
    await expect(stdio().connect(address)).rejects.toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining("no command"),
    });
  });

  it.each([
    ["is a text", "node agent.js"],
    ["is empty", []],
    ["has what is no text", ["node", 1]],
  ])("for a command that %s is an invalid argument, with how to write it", async (_, command) => {
    // What callers without types write.
    const given = { command } as unknown as { command: [string] };
    await expect(stdio(given).connect(address)).rejects.toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining('["node", "agent.js"]'),
    });
  });

  it("for options that no connection could have is an invalid argument, before anything is started", async () => {
    const starting = stdio({ command: agent(), heartbeatMs: 0 }).connect(address);
    await expect(starting).rejects.toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });

  it("since program and arguments are one text says to part them", async () => {
    const error = await failure(stdio({ command: ["node agent.js"] }).connect(address));
    expect(error).toMatchObject({
      code: "not_found",
      message: expect.stringContaining("arguments are texts of their own"),
    });
  });

  it("and writes back what it reads says of whom the handshake came to nothing", async () => {
    const error = await failure(stdio({ command: ["cat"] }).connect(address));
    expect(error).toMatchObject({
      outcome: "not-sent",
      message: expect.stringContaining("the handshake with cat failed"),
    });
  });

  it("since its command does not exist, is no program or crashes fails typed, and names the command", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-"));
    try {
      const plain = join(folder, "plain.txt");
      writeFileSync(plain, "no program");
      await expect(stdio({ command: ["no-such-agent"] }).connect(address)).rejects.toMatchObject({
        code: "not_found",
        outcome: "not-sent",
        message: expect.stringContaining("no-such-agent"),
      });
      await expect(stdio({ command: [plain] }).connect(address)).rejects.toMatchObject({
        code: "permission_denied",
        outcome: "not-sent",
        message: expect.stringContaining(plain),
      });
      await expect(stdio({ command: agent(), cwd: join(folder, "none") }).connect(address)).rejects.toMatchObject({
        outcome: "not-sent",
        message: expect.stringContaining(`the working directory ${join(folder, "none")}`),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const crash = await failure(stdio({ command: agent("crash", "9") }).connect(address));
    expect(crash).toMatchObject({ code: "unavailable", outcome: "not-sent", details: { exitCode: 9 } });
    expect(crash.message).toContain("details.stderr");
    expect((crash.details as { stderr: string }).stderr).toBe("cannot find my configuration\n");
  });

  it("too often is refused at the bound that was set, until time has passed", async () => {
    const transport = stdio({ command: agent("crash", "9"), startLimit: { starts: 2, withinMs: 60_000 } });
    for (let n = 0; n < 2; n++)
      await expect(transport.connect(address)).rejects.toMatchObject({ details: { exitCode: 9 } });
    const refused = await failure(transport.connect(address));
    expect(refused).toMatchObject({ code: "unavailable", outcome: "not-sent", details: { starts: 2 } });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
  });

  it("with a hello in time is given up and killed", async () => {
    const options = { command: agent("silent"), exitMs: 200 };
    await expect(stdio(options).connect(address, { connectTimeoutMs: 300 })).rejects.toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    const connecting = stdio(options).connect(address, { signal: AbortSignal.timeout(100) });
    await expect(connecting).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
  });
});

it("a child that never speaks and heeds no signal does not hold up the failure, and is killed after it", async () => {
  const { log, entry } = logging();
  const script =
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 60_000); console.error('started', process.pid)";
  const transport = stdio({ command: [process.execPath, "-e", script], exitMs: 2_000 });
  const start = performance.now();
  const error = await failure(transport.connect(address, { connectTimeoutMs: 500, log }));
  expect(performance.now() - start).toBeLessThan(2_000);
  expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
  const pid = Number((await entry("started")).message.split(" ")[1]);
  await expect.poll(() => exists(pid)).toBe(false);
});

describe("close", () => {
  it("ends stdin, on which the child exits by itself", async () => {
    const connection = await dialling({ exitMs: 60_000 });
    const pid = (await ask(connection, "test.pid.v1")) as number;
    await connection.close();
    expect(await connection.closed).toBeUndefined();
    expect(exists(pid)).toBe(false);
  });

  it("kills a child that heeds neither the end of its stdin nor SIGTERM", async () => {
    const connection = await dialling({ command: agent("stubborn"), exitMs: 200 });
    const pid = (await ask(connection, "test.pid.v1")) as number;
    const start = performance.now();
    await connection.close();
    expect(performance.now() - start).toBeGreaterThan(390);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(exists(pid)).toBe(false);
  });

  it("kills a child that is stopped while calls are under way", async () => {
    const connection = await dialling({ exitMs: 100 });
    const pid = (await ask(connection, "test.pid.v1")) as number;
    process.kill(pid, "SIGSTOP");
    const call = failure(ask(connection, "test.hang.v1"));
    await connection.close({ graceMs: 100 });
    expect(await call).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(exists(pid)).toBe(false);
  });

  it("leaves nothing of the child's group, though a grandchild ignores SIGTERM and holds its pipes", async () => {
    const { log, entry } = logging();
    const connection = await dialling({ command: agent("grandchild") }, { log });
    const pid = Number((await entry("grandchild")).message.split(" ")[1]);
    expect(exists(pid)).toBe(true);
    await connection.close();
    // The signal has been sent, and takes effect in the grandchild's own time.
    await expect.poll(() => runs(pid)).toBe(false);
  });
});

it.runIf(process.platform === "linux")(
  "a child that has exited is over, though what left its group goes on writing to its stdout",
  async () => {
    const left = "trap 'exit' PIPE; while echo noise; do sleep 0.05; done";
    const command = ["sh", "-c", `setsid sh -c "$0" 2>&- & sleep 0.2; exit 3`, left] as const;
    const error = await failure(stdio({ command }).connect(address));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", details: { exitCode: 3 } });
  },
);

describe("stderr", () => {
  it("is drained however much comes, never parsed, and kept up to a bound", async () => {
    const connection = await dialling();
    const before = process.memoryUsage().rss;
    expect(await ask(connection, "test.flood.v1", 512 * 1024)).toBe("flooded");
    expect(process.memoryUsage().rss - before).toBeLessThan(160 * 1024 * 1024);
    expect(connection.stats().refusedMessages).toBe(0);
    const { details } = await failure(ask(connection, "test.exit.v1", 1));
    expect((details as { stderr: string }).stderr.length).toBeLessThanOrEqual(4_096);
  }, 30_000);
});

describe("the child's environment", () => {
  it("has a short list of the parent's variables, and what the options say", async () => {
    vi.stubEnv("API_KEY", "secret")
      .stubEnv("NODE_OPTIONS", "--no-warnings")
      .stubEnv("LD_PRELOAD", "")
      .stubEnv("LC_ALL", "C");
    try {
      const connection = await dialling({ env: { MODEL: "small" } });
      const { env, execArgv } = (await ask(connection, "test.environment.v1")) as {
        env: Record<string, string>;
        execArgv: string[];
      };
      expect(env).toMatchObject({ MODEL: "small", LC_ALL: "C", PATH: process.env["PATH"] });
      for (const name of ["API_KEY", "NODE_OPTIONS", "LD_PRELOAD"]) expect(env).not.toHaveProperty(name);
      expect(execArgv).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("gets its arguments as they stand: no shell reads them", async () => {
    const args = ["plain", "; touch pwned", "$(id)", "a && b", "..\\x.cmd", "*"];
    const connection = await dialling({ command: agent(...args), cwd: tmpdir() });
    expect(await ask(connection, "test.environment.v1")).toMatchObject({ argv: args, cwd: tmpdir() });
  });
});

it("an address says nothing about what is executed", async () => {
  for (const href of ["stdio:sh", "stdio://host/agent", "stdio:?env=NODE_OPTIONS"]) {
    const transport = stdio({ command: agent() });
    await expect(transport.connect(new URL(href))).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(transport.listen(new URL(href), () => ({}))).rejects.toMatchObject({ code: "invalid_argument" });
  }
});

it("the child calls back over the same pipe", async () => {
  const handler = vi.fn(({ message }) => ({
    message: { ...message, kind: "reply" as const, data: "from the parent" },
  }));
  const connection = await dialling({}, { handler });
  expect((await connection.call(opening("request", "test.back.v1", 1))).message?.data).toBe("from the parent");
});
