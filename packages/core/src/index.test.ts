import { expect, test } from "vitest";
import * as core from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(core).sort()).toEqual([
    "AuthenticationError",
    "ParleyError",
    "TransportError",
    "ValidationError",
    "agent",
    "bidiStream",
    "client",
    "clientStream",
    "codes",
    "connect",
    "contextKey",
    "contract",
    "createEnvelope",
    "createHub",
    "derive",
    "errorFor",
    "isCode",
    "memory",
    "notify",
    "operationType",
    "parseType",
    "request",
    "serve",
    "serverStream",
    "topic",
  ]);
});
