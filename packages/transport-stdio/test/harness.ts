import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type Call,
  type Connection,
  type ConnectOptions,
  createCall,
  createEnvelope,
  type Envelope,
  type LogEntry,
  type ParleyError,
  type Reply,
} from "@parley/core/transport";
import { afterEach } from "vitest";
import { StdioClient, type StdioClientOptions, type StdioFormat, type StdioOptions, stdio } from "../src/index.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What it fails with. */
export const failure = (failing: Promise<unknown>): Promise<ParleyError> =>
  failing.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: ParleyError) => error,
  );

export const address: URL = new URL("stdio:");

/** The path of a program of the tests. */
export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** The command that starts the agent of the tests. */
export const agent = (...args: string[]): [string, ...string[]] => [process.execPath, fixture("agent.ts"), ...args];

/** A client that is closed with the test. */
export function speaking<Format extends StdioFormat>(options: StdioClientOptions<Format>): StdioClient<Format> {
  const client = new StdioClient<Format>({ exitMs: 300, ...options });
  cleanups.push(() => client.close({ graceMs: 0 }));
  return client;
}

/** Starts a child, the agent unless the options say otherwise; it ends with the test. */
export async function dialling(options: StdioOptions = {}, connect: ConnectOptions = {}): Promise<Connection> {
  const connection = await stdio({ command: agent(), exitMs: 300, ...options }).connect(address, connect);
  cleanups.push(() => connection.close({ graceMs: 50 }));
  return connection;
}

export function opening(kind: Call["kind"], type: string, data?: unknown, input?: AsyncIterable<Envelope>): Call {
  const message = createEnvelope({ kind, type, source: "/test", data });
  return createCall({ kind, message, ...(input ? { input } : {}) });
}

/** The answer to a request. */
export async function ask(connection: Connection, type: string, data?: unknown): Promise<unknown> {
  return (await connection.call(opening("request", type, data))).message?.data;
}

/** Opens a stream of the agent. */
export const stream = (connection: Connection, type: string, data?: unknown): Promise<Reply> =>
  connection.call(opening("server-stream", type, data));

/** A log that can be waited for. */
export interface Logging {
  readonly entries: LogEntry[];
  log(entry: LogEntry): void;
  /** The first entry, past or to come, whose message starts so. */
  entry(start: string): Promise<LogEntry>;
}

export function logging(): Logging {
  const entries: LogEntry[] = [];
  const waiting: { matches(entry: LogEntry): boolean; resolve(entry: LogEntry): void }[] = [];
  return {
    entries,
    log(entry: LogEntry) {
      entries.push(entry);
      for (const one of waiting) if (one.matches(entry)) one.resolve(entry);
    },
    entry(start) {
      const matches = ({ message }: LogEntry) => message.startsWith(start);
      const past = entries.find(matches);
      return past ? Promise.resolve(past) : new Promise((resolve) => waiting.push({ matches, resolve }));
    },
  };
}

/** Whether a process runs; one that nobody has reaped yet does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return existsSync("/proc/self") ? false : exists(pid);
  }
}

/** Whether a process exists; a zombie does. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
