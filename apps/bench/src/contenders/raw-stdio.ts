import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Contender } from "../contender.ts";
import type { Event } from "./event.ts";
import { PlainCalls, respond } from "./plain-calls.ts";
import { stdioCommand } from "./stdio-command.ts";

/** A child's stdin and stdout with `node:child_process` and `node:readline` and nothing else: an event a line. */
export const rawStdio: Contender = {
  async serve() {
    const input = createInterface({ input: process.stdin });
    input.on("line", (line) =>
      respond(JSON.parse(line), (event) => process.stdout.write(`${JSON.stringify(event)}\n`)),
    );
    return { url: "stdio:", close: async () => input.close() };
  },

  async connect() {
    const [program, ...args] = stdioCommand("raw");
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child, "spawn");
    const calls = new PlainCalls((event: Event) => child.stdin.write(`${JSON.stringify(event)}\n`));
    createInterface({ input: child.stdout }).on("line", (line) => calls.received(JSON.parse(line)));
    return {
      request: (data) => calls.request(data),
      stream: (asked) => calls.stream(asked),
      async close() {
        const exited = once(child, "exit");
        child.stdin.end();
        await exited;
      },
    };
  },
};
