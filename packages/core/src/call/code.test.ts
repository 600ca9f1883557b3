import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { codes } from "./code.ts";

it("the published table is the one in the code", () => {
  const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => /^\| `\w+` \| \d/.test(line));
  const expected = Object.entries(codes).map(
    ([code, { grpc, http, websocket, mqtt, exit, jsonrpc, retryable }]) =>
      `| \`${code}\` | ${grpc} | ${http} | ${websocket} | 0x${mqtt.toString(16)} | ${exit} | ${jsonrpc} | ${retryable ? "yes" : "no"} |`,
  );
  expect(rows).toEqual(expected);
});

it("every code has its own gRPC and JSON-RPC number", () => {
  const all = Object.values(codes);
  expect(new Set(all.map(({ grpc }) => grpc)).size).toBe(16);
  expect(new Set(all.map(({ jsonrpc }) => jsonrpc)).size).toBe(16);
});
