import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { RunningBroker } from "./broker.ts";

const START_MS = 10_000;
const MAX_LAST_WORDS = 4_000;

/** What is known of a broker's process that was just started. */
export interface BrokerProcessInit {
  readonly program: string;
  /** Its address; without a port if `started` has it as its first group. */
  readonly url: URL;
  /** What it writes when it takes connections. */
  readonly started: RegExp;
}

/** A broker's process, whatever else it can be asked. */
export type BrokerProcess = Pick<RunningBroker, "url" | "pid" | "program" | "end">;

/** Resolves when the process is a broker that takes connections. @throws Error when it ends before, with its last words. */
export async function brokerProcess(
  child: ChildProcess,
  { program, url, started }: BrokerProcessInit,
): Promise<BrokerProcess> {
  let said = "";
  const ready = Promise.withResolvers<string>();
  const hear = (text: string): void => {
    said = (said + text).slice(-MAX_LAST_WORDS);
    const match = started.exec(said);
    if (match) ready.resolve(match[1] ?? url.port);
  };
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", hear);
  const fail = (why: string): void =>
    ready.reject(new Error(`${program} ${why}${said === "" ? "" : `:\n${said.trimEnd()}`}`));
  child.on("error", (error) => fail(`does not start: ${error.message}`));
  child.on("exit", (code, signal) => fail(`ended (${signal ?? `exit code ${code}`})`));
  const closed = once(child, "close");
  closed.catch(() => {});
  const abandon = (): void => void child.kill("SIGKILL");
  process.once("exit", abandon);
  child.once("close", () => process.off("exit", abandon));
  const timer = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
  try {
    const at = new URL(url);
    at.port = await ready.promise;
    return {
      url: at,
      pid: child.pid as number, // it runs
      program,
      async end(signal) {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        await closed;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
