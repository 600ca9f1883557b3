import { loadSubject } from "../subjects/load.ts";
import type { CommandMessage, ServingMessage } from "./control.ts";
import { createServing } from "./local.ts";

/** The serving process: holds the fixture, takes commands over the IPC channel, and ends with the suite. */
const module = process.argv[2];
if (module === undefined || process.send === undefined) {
  throw new Error("this file is started by parley-conformance itself, with the module of a subject");
}
const subject = await loadSubject(module);
const serving = createServing(subject.transport({}), subject.url);
serving.onEvent((event) => send({ type: "event", event }));
process.on("disconnect", () => process.exit());
process.on("message", (message) => void answer(message as CommandMessage)); // from our own parent
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
  process.send?.(message);
}
