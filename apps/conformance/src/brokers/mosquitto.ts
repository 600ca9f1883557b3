import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerLimits, BrokerStart, Holdings, RunningBroker } from "./broker.ts";
import { brokerProcess } from "./broker-process.ts";
import { freePorts, installed } from "./program.ts";
import { retainedAt } from "./retained.ts";

/** Starts Mosquitto 2, if it is installed. */
export async function startMosquitto({ port, directory, limits }: BrokerStart): Promise<RunningBroker | undefined> {
  const program = installed("mosquitto");
  if (program === undefined) return undefined;
  const [free = 0] = port === undefined ? await freePorts(1) : [];
  const chosen = port ?? free;
  const settings = directory ?? (await mkdtemp(join(tmpdir(), "parley-mosquitto-")));
  const file = join(settings, "mosquitto.conf");
  await writeFile(file, configuration(chosen, directory, limits));
  const child: ChildProcess = spawn(program, ["-c", file], { stdio: ["ignore", "pipe", "pipe"] });
  const running = await brokerProcess(child, {
    program: "mosquitto",
    url: new URL(`mqtt://127.0.0.1:${chosen}`),
    started: /mosquitto version .* running/,
  });
  if (directory === undefined) await rm(settings, { recursive: true, force: true });
  return { ...running, limited: limits !== undefined, holds: () => holds(running.url) };
}

/** `set_tcp_nodelay`, since a confirmed publication takes 44 ms a round without it. */
function configuration(port: number, directory: string | undefined, limits: BrokerLimits | undefined): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "set_tcp_nodelay true",
    "max_queued_messages 0",
    "sys_interval 1",
    ...(limits ? [`max_packet_size ${limits.maxMessageBytes}`, `max_inflight_messages ${limits.maxInFlight}`] : []),
    "log_dest stderr",
    // What it does, without a line for each packet: that would take as long as the packet.
    ...["error", "warning", "notice", "information"].map((type) => `log_type ${type}`),
    ...(directory === undefined
      ? ["persistence false"]
      : ["persistence true", `persistence_location ${directory}/`, "autosave_interval 1", "autosave_on_changes true"]),
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** What it tells of itself under $SYS, each second. */
async function holds(url: URL): Promise<Holdings> {
  const [own, others] = [await retainedAt(url, "$SYS/broker/#"), await retainedAt(url, "#")];
  const count = (name: string): number => Number(own.get(`$SYS/broker/${name}`) ?? 0);
  return {
    clients: count("clients/total"),
    subscriptions: count("subscriptions/count"),
    retained: others.size,
  };
}
