import { expect, it } from "vitest";
import * as entry from "./agent.ts";

it("exports what the README names, and nothing by accident", () => {
  expect(Object.keys(entry)).toEqual(["conformanceAgent"]);
});
