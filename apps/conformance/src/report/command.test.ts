import { expect, it } from "vitest";
import type { Report } from "../result.ts";
import { scenarios } from "../scenarios/index.ts";
import { commandOf } from "./command.ts";

const command = (ids: readonly string[], tested: Report["tested"] = {}): string => {
  const results = ids.map((scenario) => ({ scenario }));
  return commandOf({ transports: ["ws", "http"], tested, profile: "quick", seed: "abc", results } as unknown as Report); // what it reads
};
const all = scenarios.map(({ id }) => id);
const requests = all.filter((id) => id.startsWith("RR-"));

it("says which wires, which profile and which seed", () => {
  expect(command(all)).toBe("parley-conformance --transport ws,http --profile quick --seed abc");
});

it("names what ran where that was not all: whole groups, and single scenarios", () => {
  expect(command([...requests, "ENV-02", "ENV-01"])).toBe(
    "parley-conformance --transport ws,http --only ENV-01,ENV-02,RR --profile quick --seed abc",
  );
});

it("says where a server of the user's own was", () => {
  const server = { url: "ws://127.0.0.1:7070/", tapped: true };
  expect(command(all, { ws: { server } as Report["tested"][string] })).toContain(" --url ws://127.0.0.1:7070/ ");
});
