import { describe, expect, it } from "vitest";
import { readArguments, UsageError } from "./arguments.ts";

describe("readArguments", () => {
  it("measures everything unless told otherwise", () => {
    expect(readArguments([])).toMatchObject({
      wires: ["stdio", "ws", "http", "sse", "grpc", "mqtt"],
      measures: ["c1", "c64", "c256", "stream", "pubsub"],
      curves: ["in-flight", "connections", "subscriptions", "item-bytes"],
      extras: ["footprint", "allocations", "profile"],
      sizes: ["small", "large"],
      contenders: [
        ...["raw", "parley", "native", "batched", "typed", "resilient"],
        ...["trpc", "trpc-batch", "orpc", "rsocket", "connect", "a2a", "mcp", "nest"],
      ],
      rounds: 9,
      scale: 1,
      help: false,
    });
  });

  it("takes lists, and passes over the separator of pnpm", () => {
    const args = readArguments([
      "--",
      "--wire",
      "ws",
      "--measure",
      "stream,c1,connections",
      "--size=large",
      "--contender",
      "typed",
      "--json",
      "a.json",
    ]);
    expect(args).toMatchObject({
      wires: ["ws"],
      measures: ["c1", "stream"],
      curves: ["connections"],
      extras: [],
      sizes: ["large"],
      contenders: ["raw", "typed"],
      json: "a.json",
    });
  });

  it("shortens a quick run, in as many rounds as asked for", () => {
    expect(readArguments(["--quick"])).toMatchObject({ rounds: 2, scale: 0.02, sizes: ["small"] });
    expect(readArguments(["--quick", "--rounds", "4", "--size", "large"])).toMatchObject({
      rounds: 4,
      sizes: ["large"],
    });
  });

  it.each([
    [["--wires", "ws"], "Unknown option '--wires'; the options are --wire, --measure"],
    [["--wire", "ws,carrier-pigeon"], '--wire takes stdio, ws, http, sse, grpc, mqtt, and not "carrier-pigeon"'],
    [["--wire"], "'--wire <value>' argument missing; the options are"],
    [["--rounds", "0"], '--rounds takes a whole number from 1 to 1000, and not "0"'],
    [["ws"], "Unexpected argument 'ws'"],
  ])("says what is wrong with %j", (args, message) => {
    expect(() => readArguments(args)).toThrow(UsageError);
    expect(() => readArguments(args)).toThrow(message);
  });
});
