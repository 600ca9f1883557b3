import type { IncomingHttpHeaders } from "node:http";
import { essenceOf, mediaTypes } from "../wire/media-type.ts";
import { type Refusal, unsupportedType } from "./refusal.ts";

/**
 * How a request carries its message: as one event, several in an array, several in lines, in `ce-` headers with the data as body, or as
 * the bare data with the operation in the path.
 */
export type Mode = "structured" | "batch" | "upload" | "binary" | "plain";

/** Tells the modes apart, by the content type first (CloudEvents HTTP binding 1.0, 3). */
export function modeOf(headers: IncomingHttpHeaders): Mode | Refusal {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return unsupportedType(`bodies are read as they are, not with content-encoding ${JSON.stringify(encoding)}`);
  }
  const essence = essenceOf(headers["content-type"]);
  switch (essence) {
    case mediaTypes.structured:
      return "structured";
    case mediaTypes.batch:
      return "batch";
    case mediaTypes.events:
      return "upload";
  }
  if (essence.startsWith("application/cloudevents")) {
    return unsupportedType(
      `of CloudEvents' formats only JSON is read (${mediaTypes.structured}), not ${JSON.stringify(essence)}`,
    );
  }
  if (headers["ce-specversion"] !== undefined) return "binary";
  if (essence === mediaTypes.json) return "plain";
  // These a page of any site can send without asking (Fetch standard, CORS-safelisted request-header), so none of them is a call.
  return unsupportedType(
    `send the operation's input as ${mediaTypes.json} (with curl: --json), or a CloudEvent as ${mediaTypes.structured}; the body came ${essence === "" ? "without a content-type" : `as ${JSON.stringify(essence)}`}`,
  );
}
