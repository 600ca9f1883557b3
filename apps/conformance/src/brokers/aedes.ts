import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { installedPackage } from "../subjects/package.ts";
import type { BrokerStart, Holdings, RunningBroker } from "./broker.ts";
import { brokerProcess } from "./broker-process.ts";
import { retainedAt } from "./retained.ts";

/** Starts aedes (MQTT 3.1.1) in a process of its own, if the package is installed. It keeps nothing over a restart. */
export async function startAedes({ port = 0 }: BrokerStart): Promise<RunningBroker | undefined> {
  try {
    import.meta.resolve("aedes");
  } catch {
    return undefined;
  }
  const here = import.meta.url;
  const child = fork(new URL(here.endsWith(".ts") ? "./aedes-process.ts" : "./aedes-process.js", here), [`${port}`], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: [],
  });
  const running = await brokerProcess(child, {
    program: "aedes",
    url: new URL("mqtt://127.0.0.1"),
    started: /aedes listens at port (\d+)/,
  });
  return {
    ...running,
    version: installedPackage("aedes", import.meta.dirname)?.file.version,
    limited: false,
    holds: () => holds(child, running.url),
  };
}

async function holds(child: ChildProcess, url: URL): Promise<Holdings> {
  const answer = once(child, "message");
  child.send("holds");
  const [held] = (await answer) as [Omit<Holdings, "retained">];
  return { ...held, retained: (await retainedAt(url, "#")).size };
}
