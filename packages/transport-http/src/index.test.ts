import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the entry point exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["HttpClient", "HttpResponse", "createHttpHandler", "http", "httpLimits"]);
});
