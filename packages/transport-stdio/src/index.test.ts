import { expect, test } from "vitest";
import * as stdio from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(stdio).sort()).toEqual(["StdioClient", "stdio"]);
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => stdio.stdio({ commands: [] } as object)).toThrow(
    /^stdio\(\) has no option ".+"; did you mean .*\bcommand\b/,
  );
});
