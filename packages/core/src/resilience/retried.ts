import { errorFor, type ParleyError } from "../call/error.ts";

const MARK = "retried";

/**
 * The same error, saying that it was tried again already, as often as it should be: whoever gets it from here, also over a wire, passes it
 * on instead of multiplying attempts layer by layer ("Handling Overload" in the SRE book). Travels in `details`.
 */
export function markRetried(error: ParleyError): ParleyError {
  const { code, message, outcome, retryAfterMs, details = {} } = error;
  if (typeof details !== "object" || details === null || Array.isArray(details) || wasRetried(error)) return error;
  return errorFor(code, message, { outcome, retryAfterMs, details: { ...details, [MARK]: true }, cause: error });
}

/** Whether a layer below has tried again already. */
export function wasRetried({ details }: ParleyError): boolean {
  return typeof details === "object" && details !== null && (details as { readonly [MARK]?: unknown })[MARK] === true;
}
