import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerKind, BrokerLimits, BrokerStart, Holdings, RunningBroker } from "./broker.ts";

/** A broker that a scenario may stop, kill and start again, always at the same address. The suite ends it after the scenario. */
export interface OwnBroker {
  readonly url: URL;
  /** Of the one that runs; `undefined` while it is stopped. */
  readonly pid: number | undefined;
  /** Name of the program, `mosquitto`. */
  readonly program: string;
  /** Whether it keeps to the limits that it was given. */
  readonly limited: boolean;
  /** What it says that it holds; it may be a second behind. @throws Error while it is stopped */
  holds(): Promise<Holdings>;
  /** Starts it again. */
  start(): Promise<void>;
  /** Ends it: in good order, or as a crash would. @default "SIGKILL" */
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  restart(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Ends it for good and removes what it kept. */
  close(): Promise<void>;
}

/** How a broker of a scenario's own is to be. */
export interface OwnBrokerOptions {
  /** Sessions and stored messages outlive a restart. @default false */
  readonly persistent?: boolean;
  /** What it is to take; some cannot be told. @default its own */
  readonly limits?: BrokerLimits;
}

/** Starts one; `undefined` when there is no program for it here. */
export async function ownBroker(
  kind: BrokerKind,
  { persistent = false, limits }: OwnBrokerOptions = {},
): Promise<OwnBroker | undefined> {
  const directory = persistent ? await mkdtemp(join(tmpdir(), "parley-broker-")) : undefined;
  const begin = async (how: BrokerStart): Promise<RunningBroker | undefined> =>
    (await kind.start(how)) ?? (await kind.startLesser?.(how));
  let running = await begin({ directory, limits });
  if (!running) return undefined;
  const { url, program, limited } = running;
  const stop: OwnBroker["stop"] = async (signal = "SIGKILL") => {
    const last = running;
    running = undefined;
    await last?.end(signal);
  };
  const start: OwnBroker["start"] = async () => {
    running ??= await begin({ directory, limits, port: Number(url.port) });
  };
  return {
    url,
    program,
    limited,
    async holds() {
      if (!running) throw new Error("the broker is stopped");
      return running.holds();
    },
    get pid() {
      return running?.pid;
    },
    start,
    stop,
    async restart(signal) {
      await stop(signal);
      await start();
    },
    async close() {
      await stop();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}
