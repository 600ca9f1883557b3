import type { ServingSide } from "../contender.ts";
import { loadContender } from "../contenders/load.ts";
import { Driver } from "../drive.ts";
import type { ContenderName, Wire } from "../plan.ts";
import { Profiler } from "../profile/profiler.ts";
import type { Answer, Command, Side } from "./control.ts";
import { ownUsage } from "./usage.ts";

/** One side of one contender: takes commands over the IPC channel, one at a time, and ends with its parent. */
const [, wire, name] = process.argv.slice(2) as [Side, Wire, ContenderName]; // from SideProcess
const contender = await loadContender(wire, name);

let serving: ServingSide | undefined;
let driver: Driver | undefined;
const profiler = new Profiler();

process.on("disconnect", () => process.exit());
process.on("message", (command) => {
  answer(command as Command).then(
    (value) => send({ value }),
    (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

async function answer(command: Command): Promise<Extract<Answer, { value: unknown }>["value"]> {
  switch (command.name) {
    case "serve":
      serving = await contender.serve(command.broker);
      return serving.url;
    case "connect":
      driver = new Driver(() => contender.connect(command.url), name);
      await driver.connected(1);
      return undefined;
    case "run":
      return driver?.run(command.work);
    case "usage":
      return ownUsage();
    case "profile":
      await profiler.start();
      return undefined;
    case "spent":
      return profiler.stop();
    case "close":
      await driver?.close();
      await serving?.close();
      return undefined;
  }
}

function send(message: Answer): void {
  process.send?.(message);
}
