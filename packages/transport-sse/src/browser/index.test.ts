import { expect, test } from "vitest";
import * as browser from "./index.ts";

test("the entry point for browsers exports these values, and no others", () => {
  expect(Object.keys(browser).sort()).toEqual(["SseClient", "sse", "sseLimits"]);
});
