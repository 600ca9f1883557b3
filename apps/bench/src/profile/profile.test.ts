import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { partOf } from "./part.ts";
import { summary } from "./profile.ts";
import { spentIn } from "./profiler.ts";

const at = (url: string, functionName = "f"): Parameters<typeof partOf>[0] => ({
  url,
  functionName,
  lineNumber: 0,
  columnNumber: 0,
});
const file = (path: string): string => pathToFileURL(`/somewhere/${path}`).href;

it.each([
  [at("", "(idle)"), "waiting"],
  [at("node:inspector", "post"), "profiling"],
  [at("", "(garbage collector)"), "garbage"],
  [at("", "(program)"), "system"],
  [at("", "writev"), "system"],
  [at("node:net"), "node"],
  [at(file("node_modules/ws/lib/sender.js")), "library"],
  [at(file("packages/core/src/envelope/decode.ts")), "events"],
  [at(file("packages/core/src/agent/agent.ts")), "calls"],
  [at(file("packages/transport-ws/dist/index.js")), "calls"],
  [at(file("apps/bench/dist/drive.js")), "bench"],
])("%o is %s", (place, part) => {
  expect(partOf(place)).toBe(part);
});

it("a function of a built package is known by the file that it was written in", async () => {
  const built = import.meta.resolve("@parley/core/transport");
  const { decode } = await import("@parley/core/transport");
  expect(partOf(at(built))).toMatch(/calls|events/);
  expect(typeof decode).toBe("function");
});

it("samples add up, each for the time since the one before", () => {
  const node = (id: number, url: string, functionName: string) => ({
    id,
    callFrame: { ...at(url, functionName), scriptId: "" },
  });
  const profile = {
    nodes: [
      node(1, "", "(idle)"),
      node(2, "node:net", "f"),
      node(3, "node:net", "g"),
      node(4, "node:inspector", "post"),
    ],
    samples: [4, 1, 2, 3, 1],
    timeDeltas: [500, 10, 20, 30, 40],
    startTime: 0,
    endTime: 600,
  };
  const spent = spentIn(profile);
  expect(spent).toMatchObject({ idleUs: 50, busyUs: { node: 50, library: 0 } });
  expect(summary({ operations: 10, calling: spent, serving: spent })).toMatchObject({
    busyUs: { node: 10 },
    idle: { calling: 0.5, serving: 0.5 },
  });
  expect(summary({ operations: 10, calling: spent, serving: undefined }).idle).toEqual({ calling: 0.5 });
});
