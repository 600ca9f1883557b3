import { runWire } from "./run-wire.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Subject } from "./subject.ts";
import { foreignSubject } from "./subjects/foreign.ts";
import { loadSubject, MissingPackage } from "./subjects/load.ts";
import type { WorkerMessage, WorkerOrder } from "./worker-messages.ts";

/** The caller's process of one wire: runs the scenarios it is told to, and tells what comes of them. */
if (process.send === undefined) throw new Error("this file is started by parley-conformance itself");
process.on("disconnect", () => process.exit());
process.once("message", (order) => void work(order as WorkerOrder)); // from our own parent

async function work({
  module,
  program,
  scenarios: ids,
  seed,
  scale,
  profile,
  urls,
  repeat,
}: WorkerOrder): Promise<void> {
  let subject: Subject;
  try {
    subject = program ? await foreignSubject(program) : await loadSubject(module);
  } catch (error) {
    const { message } = error as Error; // what an import fails with
    return finish({ type: error instanceof MissingPackage ? "blocked" : "broken", message });
  }
  send({ type: "name", name: subject.name });
  await runWire(subject, {
    scenarios: scenarios.filter(({ id }) => ids.includes(id)),
    seed,
    scale,
    profile,
    urls,
    repeat,
    module,
    onManifest: (manifest) => send({ type: "manifest", manifest }),
    onFound: (found) => send({ type: "found", found }),
    onStart: ({ id }) => send({ type: "start", scenario: id }),
    onResult: (result) => send({ type: "result", result }),
  });
  finish({ type: "done" });
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}

function finish(message: WorkerMessage): void {
  process.send?.(message, () => process.exit());
}
