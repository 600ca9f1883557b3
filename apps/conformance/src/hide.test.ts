import { expect, it } from "vitest";
import { hiding, publicAddress, secretsOf, withoutLogin } from "./hide.ts";
import type { Result } from "./result.ts";

const urls = ["mqtt://alice:p%40ss%2Fword@host:1883/agents", "ws://token-alone@host/?key=a%20b&plain", "ws://host"];

it("takes passwords, lone user names and what a query holds for secrets, as written and as sent", () => {
  expect([...secretsOf(urls)].sort()).toEqual(["a b", "a%20b", "p%40ss%2Fword", "p@ss/word", "plain", "token-alone"]);
});

it("leaves none of them in a result, whoever told it", () => {
  const result: Result = {
    ...{ transport: "mqtt", scenario: "RR-01", group: "RR", level: "must", title: "p@ss", verdict: "fail", ms: 1 },
    message: "refused: alice with p@ss/word",
    witnesses: [],
    history: [{ at: 1, lane: "wire", what: "CONNECT p%40ss%2Fword", from: "dialler" }],
    seen: { hash: "0", calls: ["request: a b"] },
  };
  expect(hiding(secretsOf(urls), result)).toEqual({
    ...result,
    message: "refused: alice with ***",
    history: [{ at: 1, lane: "wire", what: "CONNECT ***", from: "dialler" }],
    seen: { hash: "0", calls: ["request: ***"] },
  });
  expect(hiding([], result)).toBe(result);
});

it("tells addresses without them", () => {
  expect(urls.map((url) => publicAddress(new URL(url)))).toEqual([
    "mqtt://host:1883/agents",
    "ws://host/",
    "ws://host/",
  ]);
  expect(withoutLogin("mqtt://alice:secret@:bad")).toBe("mqtt://:bad");
  expect(withoutLogin("no address")).toBe("no address");
});
