import type { Connection } from "@parley/core/transport";
import { dialChild } from "../subjects/child-program.ts";
import { loadSubject } from "../subjects/load.ts";
import { show } from "../witness.ts";
import { type CommandMessage, ORDER, type ServingMessage, type ServingOrder } from "./control.ts";
import { createServing } from "./local.ts";

/** The serving process: holds the fixture, takes commands over the IPC channel, and ends with the suite. */
const text = process.env[ORDER];
// What it starts itself is not told.
delete process.env[ORDER];
if (text === undefined || process.send === undefined) {
  throw new Error("this file is started by parley-conformance itself, with the module of a subject");
}
const { module, url, pipes } = JSON.parse(text) as ServingOrder; // from our own parent
const subject = await loadSubject(module);
const child = subject.serving === "child";
const dial = child ? (to: URL): Promise<Connection> => dialChild(subject, to) : undefined;
const serving = createServing(subject.transport({}), url, dial, (tuning) => subject.transport(tuning));
serving.onEvent((event) => send({ type: "event", event }));
process.on("disconnect", () => process.exit());
process.on("message", (message) => void answer(message as CommandMessage)); // from our own parent
if (pipes) {
  process.on("unhandledRejection", (reason) => send({ type: "rejection", rejection: show(reason) }));
  await serving.listen(pipes);
  // The wire, and nothing of the suite's, keeps this process.
  process.channel?.unref();
}
send({ type: "ready" });

async function answer({ number, name, args }: CommandMessage): Promise<void> {
  const command = serving[name] as (...args: readonly unknown[]) => Promise<unknown>; // both ends are this package
  try {
    send({ type: "result", number, value: await command.apply(serving, [...args]) });
  } catch (error) {
    const { message, code } = error as Partial<Error> & { code?: unknown };
    send({
      type: "failure",
      number,
      message: message ?? String(error),
      code: typeof code === "string" ? code : undefined,
    });
  }
}

function send(message: ServingMessage): void {
  if (process.connected) process.send?.(message);
}
