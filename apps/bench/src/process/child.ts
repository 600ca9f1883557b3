import type { CallingSide, ServingSide } from "../contender.ts";
import { loadContender } from "../contenders/load.ts";
import { type Drive, drive } from "../drive.ts";
import type { ContenderName, Wire } from "../plan.ts";
import type { Answer, Command, Side } from "./control.ts";

/** One side of one contender: takes commands over the IPC channel, one at a time, and ends with its parent. */
const [side, wire, name] = process.argv.slice(2) as [Side, Wire, ContenderName]; // from Child
const contender = await loadContender(wire, name);

let started: ServingSide | CallingSide | undefined;
let work: Drive | undefined;

process.on("disconnect", () => process.exit());
process.on("message", (command) => {
  answer(command as Command).then(
    (value) => send({ value }),
    (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

async function answer(command: Command): Promise<Extract<Answer, { value: unknown }>["value"]> {
  switch (command.name) {
    case "start": {
      if (side === "serving") {
        const serving = await contender.serve();
        started = serving;
        return serving.url;
      }
      const calling = await contender.connect(command.url ?? "");
      started = calling;
      work = drive(calling);
      return undefined;
    }
    case "run":
      return work?.(command.work);
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }
    case "close":
      await started?.close();
      return undefined;
  }
}

function send(message: Answer): void {
  process.send?.(message);
}
