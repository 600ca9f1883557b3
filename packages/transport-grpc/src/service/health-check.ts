import { type OperationOptions, ParleyError, TransportError } from "@parley/core/transport";
import { HEALTH_SERVICE, SERVING, STATUS } from "../wire/health.ts";
import { EMPTY } from "../wire/methods.ts";
import { ProtoReader } from "../wire/proto-reader.ts";
import type { ServiceLine } from "./service-line.ts";
import { rawMethod } from "./service-method.ts";

const CHECK = rawMethod(`${HEALTH_SERVICE}/Check`, "request");

/**
 * Asks a server for a sign of life; one that has no health service gives it by saying so.
 * @throws ParleyError whatever is wrong
 */
export async function checkHealth(line: ServiceLine, options: OperationOptions): Promise<void> {
  const answer = await line.ask(CHECK, { input: EMPTY, options }, "bare").catch((thrown: unknown) => {
    if (thrown instanceof ParleyError && thrown.outcome === "rejected") return undefined;
    throw thrown;
  });
  // The method gives its bytes.
  if (!answer || servingStatus(answer as Buffer) === SERVING) return;
  throw new TransportError("unavailable", `${line.address} says that it does not serve`, { outcome: "rejected" });
}

function servingStatus(bytes: Buffer): number {
  const reader = new ProtoReader(bytes);
  let status = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === STATUS) status = reader.varint();
    else reader.skip(tag);
  }
  return status;
}
