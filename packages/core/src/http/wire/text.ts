import { isUtf8 } from "node:buffer";
import { ValidationError } from "../../transport/index.ts";

/**
 * Bytes as text.
 * @throws ValidationError when they are not UTF-8; nothing is replaced by U+FFFD.
 */
export function readText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new ValidationError("the body is not UTF-8 text", [{ message: "invalid UTF-8", path: [] }], {
    outcome: "rejected",
  });
}
