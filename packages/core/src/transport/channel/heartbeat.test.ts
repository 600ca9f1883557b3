import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import { Heartbeat } from "./heartbeat.ts";

describe.each([
  ["that asks", false],
  ["that is steady", true],
])("a heartbeat %s", (_how, steady) => {
  function beating() {
    const clock = manualRuntime();
    const told: string[] = [];
    const owner = {
      probe: () => void told.push("probe"),
      silent: (ms: number) => void told.push(`silent for ${ms}`),
    };
    const heartbeat = new Heartbeat(clock.runtime, 1_000, owner, { steady });
    const probes = () => told.filter((one) => one === "probe").length;
    return { clock, heartbeat, told, probes };
  }

  it("gives up a peer that says nothing for two intervals", () => {
    const { clock, told, probes } = beating();
    clock.advance(1_999);
    expect(probes()).toBe(steady ? 3 : 1);
    clock.advance(1);
    expect(told.at(-1)).toBe("silent for 2000");
    expect(clock.timers).toBe(0);
  });

  it("gives a peer another interval when its own process was stopped, and that once", () => {
    const { clock, heartbeat, told, probes } = beating();
    clock.advance(1_200);
    clock.pause(60_000);
    clock.advance(0);
    expect(told.at(-1)).toBe("probe");
    clock.advance(999);
    heartbeat.heard();
    clock.advance(900);
    clock.pause(60_000);
    const before = probes();
    clock.advance(0);
    expect(probes()).toBe(before + 1);
    clock.pause(1_500);
    clock.advance(0);
    expect(told.at(-1)).toMatch(/silent for/);
    heartbeat.stop();
  });

  it("leaves no timer when it is stopped", () => {
    const { clock, heartbeat } = beating();
    heartbeat.stop();
    expect(clock.timers).toBe(0);
  });
});
