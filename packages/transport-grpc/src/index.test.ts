import { expect, test } from "vitest";
import * as grpc from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(grpc).sort()).toEqual(["GrpcClient", "grpc", "nativeLimits"]);
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => grpc.grpc({ keepAliveMs: 5 } as object)).toThrow(
    /^grpc\(\) has no option ".+"; did you mean .*\bkeepaliveMs\b/,
  );
});
