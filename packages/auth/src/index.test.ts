import { expect, test } from "vitest";
import * as auth from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(auth).sort()).toEqual([
    "apiKeys",
    "authenticate",
    "authorize",
    "basicAuth",
    "brokerSender",
    "clientCertificate",
    "identityOf",
    "jwt",
    "parentProcess",
  ]);
});
