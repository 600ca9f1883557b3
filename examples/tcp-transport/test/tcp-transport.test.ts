import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run, scenarios, subjectRef } from "@parley/conformance";
import { agent, connect, contract, request, serve } from "@parley/core";
import { expect, it } from "vitest";
import { z } from "zod";
import { tcp } from "../src/tcp.ts";

const folder = join(import.meta.dirname, "..");
const source = await readFile(join(folder, "src/tcp.ts"), "utf8");
const subject = await readFile(join(folder, "src/subject.ts"), "utf8");
const guide = await readFile(join(folder, "../../docs/writing-a-transport.md"), "utf8");
const readme = await readFile(join(folder, "README.md"), "utf8");

it("it carries a typed call", async () => {
  const greeting = contract("greeting", { hello: request({ input: z.string(), output: z.string() }) });
  const transports = [tcp()];
  await using server = await serve(agent(greeting, { hello: (name) => `Hello, ${name}!` }), "tcp://127.0.0.1:0", {
    transports,
  });
  await using remote = await connect(greeting, server.urls[0] as URL, { transports });
  expect(await remote.hello("Ada")).toBe("Hello, Ada!");
});

it("it passes the whole suite", async () => {
  const report = await run({ subjects: [subjectRef("./src/subject.ts", folder)], scenarios, seed: "tcp" });
  const bad = report.results.filter(({ verdict }) => !["pass", "unsupported", "n/a"].includes(verdict));
  expect(bad.map(({ scenario, message }) => `${scenario}: ${message}`)).toEqual([]);
}, 120_000);

it("it takes at most 150 lines, as many as the guide says", () => {
  const lines = source.trimEnd().split("\n").length;
  expect(lines).toBeLessThanOrEqual(150);
  expect(guide).toContain(`${lines} lines`);
  expect(readme).toContain(`${lines} lines`);
});

it("what the guide shows of it is what stands there", () => {
  const shown = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code).slice(0, -1);
  expect(shown.length).toBeGreaterThan(7);
  for (const code of shown) expect(source + subject).toContain(code);
});
