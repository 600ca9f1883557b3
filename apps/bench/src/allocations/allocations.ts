import { fork } from "node:child_process";
import { once } from "node:events";
import { startBroker } from "../parties.ts";
import type { ContenderName, Wire } from "../plan.ts";

/** What calls allocate on the heaps of both sides, of stdio on the caller's: what does not depend on how fast the machine is. */
export interface Allocations {
  readonly wire: Wire | "memory";
  readonly contender: ContenderName;
  /** Bytes of one request with its reply, small, of 64 in flight. */
  readonly requestBytes: number;
  /** Bytes of one item of a stream, small. */
  readonly itemBytes: number;
}

/** Enough that nothing is collected during a slice, so that what the heap grows by is what was allocated. */
const SEMI_SPACE_MIB = 64;

/** Both sides run in one process, which ends with it. @throws Error when it fails, with what it wrote. */
export async function allocations(wire: Wire | "memory", contender: ContenderName): Promise<Allocations> {
  const broker = wire === "mqtt" ? await startBroker() : undefined;
  try {
    return { wire, contender, ...(await measure(wire, contender, broker?.url.href)) };
  } finally {
    await broker?.end("SIGTERM");
  }
}

async function measure(
  wire: Wire | "memory",
  contender: ContenderName,
  broker: string | undefined,
): Promise<Pick<Allocations, "requestBytes" | "itemBytes">> {
  const here = import.meta.url;
  const program = new URL(here.endsWith(".ts") ? "./allocations-child.ts" : "./allocations-child.js", here);
  const heap = [`--min-semi-space-size=${SEMI_SPACE_MIB}`, `--max-semi-space-size=${SEMI_SPACE_MIB}`, "--expose-gc"];
  const child = fork(program, [wire, contender, ...(broker === undefined ? [] : [`${broker}/agents/${contender}`])], {
    execArgv: heap,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  let measured: Pick<Allocations, "requestBytes" | "itemBytes"> | undefined;
  child.on("message", (message) => {
    measured = message as Pick<Allocations, "requestBytes" | "itemBytes">; // from allocations-child
  });
  const [code, signal] = await once(child, "close");
  if (measured) return measured;
  throw new Error(
    `allocations of ${contender} over ${wire} were not measured (${signal ?? `exit code ${code}`}):\n${said}`,
  );
}
