import { type AbortListener, type Call, withOutcome } from "../../transport/index.ts";

/** Waits for what nothing was sent for yet; no longer than until the call is aborted, with the reason. */
export async function whileOpen<Value>(call: Call, value: Value | Promise<Value>): Promise<Value> {
  if (!(value instanceof Promise)) return value;
  const aborted = Promise.withResolvers<never>();
  const listener: AbortListener = { callAborted: (reason) => aborted.reject(withOutcome(reason, "not-sent")) };
  call.onAbort(listener);
  try {
    return await Promise.race([value, aborted.promise]);
  } finally {
    call.offAbort(listener);
  }
}
