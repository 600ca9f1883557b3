import { expect, test } from "vitest";
import * as stdio from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(stdio).sort()).toEqual(["StdioClient", "stdio", "stdioLimits"]);
});
