import { expect, test } from "vitest";
import * as grpc from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(grpc).sort()).toEqual(["GrpcClient", "grpc", "nativeLimits"]);
});
