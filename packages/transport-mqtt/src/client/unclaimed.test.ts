import type { LogEntry } from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import { expect, test } from "vitest";
import { Unclaimed } from "./unclaimed.ts";

const packet: IPublishPacket = { cmd: "publish", topic: "", payload: "", qos: 1, retain: false, dup: false };

test("messages wait for a subscription that wants them, in their order, and are given once", () => {
  const unclaimed = new Unclaimed(undefined);
  for (const topic of ["a/1", "b", "a/2"]) unclaimed.add(topic, Buffer.from(topic), packet);
  const claimed = ["a/+", "#"].flatMap((pattern) => unclaimed.claim(pattern));
  expect(claimed.map(({ topic }) => topic)).toEqual(["a/1", "a/2", "b"]);
});

test.each([
  ["number", 1_500, 1, 1_024],
  ["bytes", 20, 1024 * 1024, 16],
])("they are bounded in %s: the oldest give way, and that is logged", (_, count, bytes, kept) => {
  const log: LogEntry[] = [];
  const unclaimed = new Unclaimed((entry) => log.push(entry));
  const payload = Buffer.alloc(bytes);
  for (let n = 0; n < count; n++) unclaimed.add(`a/${n}`, payload, packet);
  const claimed = unclaimed.claim("a/+");
  expect([claimed.length, claimed.at(-1)?.topic]).toEqual([kept, `a/${count - 1}`]);
  unclaimed.add("a/again", payload, packet);
  expect(unclaimed.claim("#").length).toBe(1);
  expect([log.length, log[0]?.event]).toEqual([count - kept, "message-unclaimed"]);
});
