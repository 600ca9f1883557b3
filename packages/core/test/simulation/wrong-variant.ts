import { ParleyError } from "../../src/call/error.ts";
import type { Interceptor } from "../../src/call/interceptor.ts";
import type { WorldName } from "./plan.ts";
import type { WorldOptions } from "./world.ts";

/** Something that is wrong on purpose, and how the checks say so. */
export interface WrongVariant {
  readonly world: WorldName;
  readonly options: WorldOptions;
  readonly noticed: RegExp;
}

/** A world whose clients send their calls through this. */
export function use(interceptor: Interceptor): WorldOptions {
  return { use: () => [interceptor] };
}

/** Whether a call has failed because its connection was lost. */
export function isLost(thrown: unknown): boolean {
  return thrown instanceof ParleyError && thrown.code === "unavailable";
}
