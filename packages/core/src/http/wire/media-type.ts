/** Media types that tell the modes of an exchange apart; those of CloudEvents are from its HTTP binding and JSON format 1.0. */
export const mediaTypes = {
  /** One event. */
  structured: "application/cloudevents+json",
  /** A JSON array of events. */
  batch: "application/cloudevents-batch+json",
  /** Events, one a line: uploads, and the answers of streams. */
  events: "application/cloudevents+ndjson",
  json: "application/json",
  /** JSON values, one a line: streams for callers without CloudEvents. */
  lines: "application/x-ndjson",
  /** RFC 9457. */
  problem: "application/problem+json",
  bytes: "application/octet-stream",
} as const;

/** A content type without its parameters, in lower case; empty when there is none. */
export function essenceOf(contentType: string | undefined): string {
  if (contentType === undefined) return "";
  const semicolon = contentType.indexOf(";");
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/** Whether data of this type is JSON, as CloudEvents' JSON format decides it: `application/json`, `…/json`, `…+json`, or none stated. */
export function isJson(essence: string): boolean {
  return essence === "" || essence.endsWith("/json") || essence.endsWith("+json");
}
