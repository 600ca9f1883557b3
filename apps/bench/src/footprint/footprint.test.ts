import { expect, it } from "vitest";
import { footprints } from "./footprint.ts";
import { installed } from "./installed.ts";

it("a footprint is that of core, and of each wire beside its library", { timeout: 30_000 }, async () => {
  const found = await footprints(["ws"], 1);
  expect(found.map(({ wire, contender }) => `${wire} ${contender}`)).toEqual(["core parley", "ws raw", "ws parley"]);
  for (const { importMs, bytes } of found) {
    expect(importMs.median).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(10_000);
  }
});

it("what is installed is counted once, with what it depends on", () => {
  const [alone, together, twice] = [
    installed(["ws"]),
    installed(["@parley/core", "@parley/transport-ws"]),
    installed(["ws", "ws"]),
  ];
  expect(twice).toEqual(alone);
  expect(alone.packages).toBe(1);
  // Core, the transport, ws, and the types of Standard Schema.
  expect(together.packages).toBe(4);
  expect(together.bytes).toBeGreaterThan(alone.bytes);
  expect(installed(["@parley/transport-stdio"]).packages).toBeGreaterThan(5);
});

it("what is not installed is said", () => {
  expect(() => installed(["@parley/carrier-pigeon"])).toThrow("@parley/carrier-pigeon is not installed");
});
