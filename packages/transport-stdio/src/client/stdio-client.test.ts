import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { bearer } from "@parley/core";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { failure, speaking } from "../../test/harness.ts";
import { type JsonRpcMessage, StdioClient } from "../index.ts";

/** All that a client reads until its program ends. */
async function all<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  const read: Message[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

describe("lines", () => {
  it("are written, and read until the program ends, when its stdin has", async () => {
    const client = speaking({ command: ["sort"], format: "line" });
    for (const line of ["b", "é", "a"]) await client.send(line);
    await client.end();
    expect(await all(client)).toEqual(["a", "b", "é"]);
    expect(await client.closed).toBeUndefined();
    expect(client.state).toBe("closed");
  });

  it("of a program that has ended before they are read are there still, and then an end", async () => {
    const client = speaking({ command: ["printf", "one\\r\\ntwo"], format: "line" });
    await client.connect();
    expect(await client.closed).toBeUndefined();
    expect(await client.receive()).toBe("one");
    expect(await all(client)).toEqual(["two"]);
    expect(await all(client)).toEqual([]);
    await expect(client.receive()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that come while questions wait are their answers, in order; others are received", async () => {
    const client = speaking({ command: ["sh", "-c", "echo ready; exec cat"], format: "line" });
    expect(await client.receive()).toBe("ready");
    const answers = await Promise.all(["a", "b", "c"].map((line) => client.request(line)));
    expect(answers).toEqual(["a", "b", "c"]);
  });

  it("go to all who wait for one, in order, also when they come at once", async () => {
    const client = speaking({ command: ["sh", "-c", "read go; printf '1\\n2\\n3\\n'; exec cat"], format: "line" });
    const given = failure(client.receive({ timeoutMs: 50 }));
    const read = [client.receive(), client.receive(), client.receive()];
    expect(await given).toMatchObject({ code: "deadline_exceeded" });
    await client.send("go");
    expect(await Promise.all(read)).toEqual(["1", "2", "3"]);
  });

  it("end as the delimiter says, in the encoding that was chosen", async () => {
    const sorted = speaking({ command: ["sort", "-z"], format: "line", delimiter: "\0" });
    await sorted.send("b\nb");
    await sorted.send("a\r");
    await sorted.end();
    expect(await all(sorted)).toEqual(["a\r", "b\nb"]);
    const latin = speaking({ command: ["printf", "\\351\\n"], format: "line", encoding: "latin1" });
    expect(await latin.receive()).toBe("é");
    const utf8 = speaking({ command: ["printf", "\\351\\n"], format: "line" });
    expect(await utf8.receive()).toBe("\ufffd");
  });

  it("with a delimiter in them are not sent", async () => {
    const client = speaking({ command: ["cat"], format: "line" });
    const error = await failure(client.send("a\nb"));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain('the delimiter "\\n"');
  });
});

describe("JSON", () => {
  it("is any value, a line each", async () => {
    const client = speaking({ command: ["cat"], format: "json" });
    const values = [{ a: [1, "\u2028\n"] }, [], "text", 0, false, null];
    expect(await Promise.all(values.map((value) => client.request(value)))).toEqual(values);
  });

  it("that cannot be written is an invalid argument", async () => {
    const client = speaking({ command: ["cat"], format: "json" });
    for (const value of [undefined, 1n, () => {}])
      await expect(client.send(value)).rejects.toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });

  it("among noise is found: what is none, or no UTF-8, is skipped and counted, and never taken for an answer", async () => {
    const noise = 'log\n\n{cut\n"\xff"\n\x1b[1mbold\n';
    const script = `import sys
sys.stdout.buffer.write(b"\\xef\\xbb\\xbf{}\\n"); sys.stdout.flush()
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(${JSON.stringify(noise).replace("\u00ff", "\\xff").replace("\\u001b", "\\x1b")}.encode("latin1") + line); sys.stdout.flush()`;
    const log = vi.fn();
    const client = speaking({ command: ["python3", "-c", script], format: "json", log });
    expect(await client.receive()).toEqual({});
    expect(await client.request({ n: 1 })).toEqual({ n: 1 });
    expect(client.stats().refusedMessages).toBe(5);
    expect(log).toHaveBeenCalledWith(expect.objectContaining({ level: "warn", event: "noise-line" }));
  });
});

describe("raw bytes", () => {
  it("are read as they come, and sent as bytes or text", async () => {
    const client = speaking({ command: ["cat"], format: "raw" });
    await client.send(Uint8Array.of(0xff, 0x00));
    await client.send("é");
    await client.end();
    expect(Buffer.concat(await all(client))).toEqual(Buffer.from([0xff, 0x00, 0xc3, 0xa9]));
  });

  it("are read up to a place, however they come in pieces", async () => {
    const script =
      'for c in P a s s w o r d : " "; do printf "%s" "$c"; sleep 0.01; done; read word; printf "$word: 5€ > rest"';
    const client = speaking({ command: ["sh", "-c", script], format: "raw" });
    expect(await client.readUntil(/ord: $/)).toBe("Passw");
    await client.send("secret\n");
    expect(await client.readUntil("€ ")).toBe("secret: 5");
    expect(await client.readUntil(/^never$|> /m)).toBe("");
    expect(await client.closed).toBeUndefined();
    expect(await failure(client.readUntil(">"))).toMatchObject({ code: "unavailable", details: { exitCode: 0 } });
    expect(Buffer.concat(await all(client)).toString()).toBe("rest");
  });

  it("of a REPL are answers, each up to its prompt", async () => {
    const client = speaking({
      command: ["sh", "-c", "exec python3 -i -q -u 2>&1"],
      format: "raw",
      prompt: /^>>> $/m,
    });
    const answers = await Promise.all(
      ["6 * 7", "print('é', 1)", "1 / 0", "None"].map((code) => client.request(`${code}\n`)),
    );
    expect(answers).toEqual(["42\n", "é 1\n", expect.stringContaining("ZeroDivisionError: division by zero\n"), ""]);
  });

  it("of an answer that was given up are dropped, and the next question waits for its turn", async () => {
    const client = speaking({ command: ["sh", "-c", "exec python3 -i -q -u 2>&1"], format: "raw", prompt: /^>>> $/m });
    await client.request("import time\n");
    const late = failure(client.request("time.sleep(60)\n", { timeoutMs: 100 }));
    const waiting = failure(client.request("'waiting'\n", { timeoutMs: 300 }));
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect(await waiting).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const next = client.request("'next'\n");
    client.kill("SIGINT");
    expect(await next).toBe("'next'\n");
    expect(client.stats().lateMessages).toBe(1);
  });

  it("without a place to stop at are no answer", async () => {
    const client = speaking({ command: ["cat"], format: "raw" });
    await expect(client.request("a")).rejects.toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });
});

it("the program has a short list of this process's variables, its own, and its working directory", async () => {
  vi.stubEnv("API_KEY", "secret");
  try {
    const client = speaking({
      command: ["sh", "-c", "env; pwd"],
      format: "line",
      env: { MODEL: "small" },
      cwd: tmpdir(),
    });
    const lines = await all(client);
    expect(lines).toEqual(expect.arrayContaining(["MODEL=small", `PATH=${process.env["PATH"]}`, tmpdir()]));
    expect(lines.join()).not.toContain("secret");
  } finally {
    vi.unstubAllEnvs();
  }
});

it("credentials are in the variable that is named, anew for each program, and in nothing that is printed", async () => {
  let asked = 0;
  const client = speaking({
    command: ["sh", "-c", "echo $API_TOKEN; read line; exit 1"],
    format: "line",
    credentials: bearer(async () => `token-${++asked}`),
    credentialVariable: "API_TOKEN",
    reconnect: { baseMs: 1 },
  });
  expect(await client.receive()).toBe("token-1");
  const error = await failure(client.request("end"));
  expect(await client.receive()).toBe("token-2");
  expect(inspect([client, error], { depth: 14, showHidden: true })).not.toContain("token-");
  const nameless = speaking({ command: ["cat"], format: "line", credentials: bearer("x") });
  expect(await failure(nameless.connect())).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
});

describe("a client", () => {
  it("is idle until it is used, then starts one program for all who use it", async () => {
    const client = speaking({ command: ["cat"], format: "line" });
    const states: string[] = [];
    const off = client.onState(({ state }) => states.push(state));
    expect([client.state, client.pid, client.stderr]).toEqual(["idle", undefined, ""]);
    await Promise.all([client.connect(), client.request("a"), client.request("b")]);
    expect(client.stats().starts).toBe(1);
    expect(client.pid).toBeGreaterThan(0);
    await client.close();
    off();
    expect(states).toEqual(["connecting", "open", "closed"]);
  });

  it("is not open before what it says to each child is done", async () => {
    const client = speaking({
      command: ["cat"],
      format: "line",
      async onStart(session, { signal }) {
        expect(client.state).toBe("connecting");
        expect(await session.request("hello", { signal })).toBe("hello");
      },
      ping: (session) => session.request("ping"),
    });
    expect(await client.request("after")).toBe("after");
    const { roundTripMs, ...health } = await client.health();
    expect(health).toEqual({ state: "open", lastError: undefined });
    expect(roundTripMs).toBeGreaterThan(0);
  });

  it("tells by its health what is wrong", async () => {
    const client = speaking({ command: ["sleep", "60"], format: "line", ping: (session) => session.request("ping") });
    expect(await client.health()).toEqual({ state: "idle", lastError: undefined });
    await client.connect();
    expect(await client.health({ timeoutMs: 50 })).toMatchObject({
      state: "open",
      lastError: { code: "deadline_exceeded" },
    });
  });

  it("refuses options that make no sense, and says which", () => {
    const command = ["cat"] as const;
    // What callers without types write.
    const made = (options: object) => () => new StdioClient(options as { command: ["cat"]; format: "line" });
    expect(made({ command, format: "xml" })).toThrow("json, line, raw or jsonrpc, and is xml");
    expect(made({ command: "cat", format: "line" })).toThrow("the command is no list of texts");
    expect(made({ command, format: "line", delimiter: "" })).toThrow("delimiter");
    expect(made({ command, format: "line", encoding: "ebcdic" })).toThrow("ebcdic");
    expect(made({ command, format: "line", timeoutMs: -1 })).toThrow("timeoutMs is -1");
    expect(made({ command, format: "line", reconnect: { maxAttempts: -1 } })).toThrow("reconnect.maxAttempts");
  });

  it("refuses a time that is none", async () => {
    const client = speaking({ command: ["cat"], format: "line" });
    const error = await failure(client.request("a", { timeoutMs: Number.NaN }));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });

  it("has the types of its format", () => {
    const json = new StdioClient({ command: ["cat"], format: "json" });
    const raw = new StdioClient({ command: ["cat"], format: "raw" });
    const rpc = new StdioClient({ command: ["cat"], format: "jsonrpc", onRequest: ({ method }) => method });
    const line = new StdioClient({ command: ["cat"], format: "line" });
    expectTypeOf(json.request).returns.resolves.toBeUnknown();
    expectTypeOf(line.request).returns.resolves.toBeString();
    expectTypeOf(line.receive).returns.resolves.toBeString();
    expectTypeOf(raw.request).returns.resolves.toBeString();
    expectTypeOf(raw.receive).returns.resolves.toEqualTypeOf<Uint8Array>();
    expectTypeOf(rpc.receive).returns.resolves.toEqualTypeOf<JsonRpcMessage>();
    // @ts-expect-error A line is a text.
    void (() => line.send(1));
    // @ts-expect-error Only bytes have no messages.
    void (() => json.readUntil(">"));
    // @ts-expect-error Only JSON-RPC has batches.
    void (() => raw.batch([]));
    // @ts-expect-error Only bytes are read up to a prompt.
    expect(() => new StdioClient({ command: ["cat"], format: "json", prompt: ">" })).toThrow('no option "prompt"');
  });
});
