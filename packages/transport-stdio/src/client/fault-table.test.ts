import { expect } from "vitest";
import { type Fault, holdsToFaultTable } from "../../../core/test/fault-table.ts";
import { StdioClient, type StdioClientOptions } from "../index.ts";

// The library that starts processes opens it when it is first loaded, and for good.
void process.stdin;

/** Asks a program something. */
const asking =
  (command: readonly [string, ...string[]], options: Partial<StdioClientOptions<"line">> = {}, question = "a"): Fault =>
  async () =>
  async (clients) => {
    const client = clients.use(new StdioClient({ command, format: "line", exitMs: 100, ...options }));
    // How long a start takes is no part of the question's time.
    await client.connect();
    return client.request(question);
  };

const sh = (script: string): [string, string, string] => ["sh", "-c", script];

holdsToFaultTable("StdioClient", {
  refused: asking(["no-such-command-anywhere"]),
  silent: asking(sh("read question; exec sleep 60"), { timeoutMs: 300 }),
  gone: { fault: asking(sh("read question; kill -9 $$")), error: { details: { signal: "SIGKILL" } } },
  "half answer": { fault: asking(sh("read question; printf half; exit 3")), error: { details: { exitCode: 3 } } },
  "full pipe": asking(["sleep", "60"], { timeoutMs: 300 }, "x".repeat(4_000_000)),
  "full disk": {
    // Its own words, in the language of the system.
    fault: asking(sh('read question; echo "$question" > /dev/full'), { env: { LC_ALL: "C" } }),
    error: { details: { exitCode: expect.any(Number) } },
  },
});
