import { manifestProblems } from "@parley/core/transport";
import { expect, test } from "vitest";
import * as entry from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(entry).sort()).toEqual(["MqttClient", "mqtt"]);
});

test("the manifest is sound, for either version of MQTT", () => {
  for (const protocolVersion of [undefined, 4, 5] as const) {
    const { manifest } = entry.mqtt({ protocolVersion });
    expect(manifestProblems(manifest)).toEqual([]);
    expect(manifest.broker?.noResponders).toBe(protocolVersion !== 4);
  }
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => entry.mqtt({ user: "ada" } as object)).toThrow(
    /^mqtt\(\) has no option ".+"; did you mean .*\busername\b/,
  );
});
