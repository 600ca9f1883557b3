import { manifestProblems } from "@parley/core/transport";
import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the entry point exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["SseClient", "createSseHandler", "sse", "sseLimits"]);
});

test("the manifest is sound, and so are the schemes", () => {
  const { manifest, schemes, name } = api.sse();
  expect(manifestProblems(manifest)).toEqual([]);
  expect({ name, schemes }).toEqual({ name: "sse", schemes: ["sse", "sses"] });
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => api.sse({ resumeWindow: 5 } as object)).toThrow(
    /^sse\(\) has no option ".+"; did you mean .*\bresumeWindowMs\b/,
  );
});
