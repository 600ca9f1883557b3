import { ParleyError } from "../../transport/index.ts";

/**
 * Headers of a request, from the flat list of them.
 * @throws ParleyError `invalid_argument` for what HTTP cannot carry
 */
export function fetchHeaders(flat: readonly string[]): Headers {
  const headers = new Headers();
  try {
    for (let index = 0; index + 1 < flat.length; index += 2) {
      headers.append(flat[index] as string, flat[index + 1] as string);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unfit(`the request cannot be written: ${why}`, cause);
  }
  return headers;
}

/**
 * Checks the headers that a user wants to send with every request: a browser drops some without a word (Fetch standard, 2.2.2).
 * @throws ParleyError `invalid_argument`
 */
export function checkFetchHeaders(headers: Readonly<Record<string, string>> = {}): void {
  const { headers: sent } = new Request("https://anywhere.invalid", {
    headers: fetchHeaders(Object.entries(headers).flat()),
  });
  const dropped = Object.keys(headers).find((name) => !sent.has(name));
  if (dropped !== undefined) throw unfit(`the header ${dropped} is not for pages to set: their browser drops it`);
}

function unfit(message: string, cause?: unknown): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent", cause });
}
