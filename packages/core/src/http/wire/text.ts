import { ValidationError } from "../../transport/index.ts";

/** A byte order mark is text, as it is to all that reads JSON. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes as text.
 * @throws ValidationError when they are not UTF-8; nothing is replaced by U+FFFD.
 */
export function readText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ValidationError("the body is not UTF-8 text", [{ message: "invalid UTF-8", path: [] }], {
      outcome: "rejected",
      cause,
    });
  }
}
