import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the entry point exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["HttpClient", "HttpResponse", "createHttpHandler", "http", "httpLimits"]);
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => api.http({ allowedOrigin: [] } as object)).toThrow(
    /^http\(\) has no option ".+"; did you mean .*\ballowedOrigins\b/,
  );
});
