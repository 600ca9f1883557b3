import { Metadata, status } from "@grpc/grpc-js";
import { type Code, codes, ParleyError } from "@parley/core/transport";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, statusOf } from "./status.ts";

const opener = { id: "1", type: "text.echo.v1" };

test.each(Object.keys(codes) as Code[])("%s has its number, and comes back as it was", (code) => {
  const error = new ParleyError(code, "why: Grüße", { outcome: "unknown", details: { a: [1] }, retryAfterMs: 5 });
  const told = statusOf(error, opener, "/s");
  expect(codeOf(told.code)).toBe(code);
  expect(told.code).toBe(codes[code].grpc);
  const { message, outcome, details, retryAfterMs } = error;
  expect(errorOf(told, true)).toMatchObject({ code, message, outcome, details, retryAfterMs });
});

describe("a status without an error event", () => {
  const bare = (code: number): Parameters<typeof errorOf>[0] => ({ code, details: "gone", metadata: new Metadata() });

  test.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED, status.INTERNAL])(
    "%i was not sent where there never was a connection, and is unknown where there was",
    (code) => {
      expect(errorOf(bare(code), false).outcome).toBe("not-sent");
      expect(errorOf(bare(code), true).outcome).toBe("unknown");
    },
  );

  test("that nobody here asked for is a call that was lost", () => {
    expect(errorOf(bare(status.CANCELLED), true).code).toBe("unavailable");
  });
});

test.each([
  "not protobuf at all",
  Buffer.alloc(50, 0xff).toString("latin1"),
  Buffer.from([0x1a, 2, 0x0a, 9]).toString("latin1"),
])("details that are none are passed over (%#)", (text) => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(text, "latin1"));
  expect(errorOf({ code: status.NOT_FOUND, details: "no", metadata }, true)).toMatchObject({
    code: "not_found",
    message: "no",
    outcome: "rejected",
  });
});

test.each<[string, unknown]>([
  ["m".repeat(60_000), undefined],
  ["\n".repeat(60_000), undefined],
  ["🎉".repeat(20_000), { big: "d".repeat(60_000) }],
  ["short", { big: "d".repeat(7_000) }],
  ["m".repeat(4_096), { a: 1 }],
])("a long error stays within what gRPC takes (%#)", (message, details) => {
  const told = statusOf(new ParleyError("internal", message, { details }), opener, "/s");
  const [bytes] = told.metadata.get("grpc-status-details-bin");
  expect(encodeURI(told.details).length + ((bytes as Buffer).length * 4) / 3).toBeLessThan(7_900);
  const error = errorOf(told, true);
  expect(error.code).toBe("internal");
  expect(error.message.slice(0, 40)).toBe(message.slice(0, 40));
  if (message.length < 5_000) expect(error.message).toBe(message);
});
