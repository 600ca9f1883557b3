import type { Call } from "../call/call.ts";
import type { Invoke, Reply } from "../call/interceptor.ts";

/** Calls `next`; what it throws instead of rejecting, as an interceptor of a user may, is a rejection like any other. */
export function promised(next: Invoke, call: Call): Promise<Reply> {
  try {
    return next(call);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
