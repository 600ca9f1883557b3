import type { Handler, Invoke } from "../call/interceptor.ts";

/** A handler as interceptors want it: what it throws or gives at once becomes a promise. */
export function invokeOf(handler: Handler): Invoke {
  return async (call) => handler(call);
}
