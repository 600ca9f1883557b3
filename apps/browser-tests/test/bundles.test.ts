import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bundle } from "./bundle.ts";

const client = "bidiStream, clientStream, connect, contract, notify, request, serverStream, topic";
const docs = readFileSync(new URL("../../../docs/browser.md", import.meta.url), "utf8");

/** Left over where a bundler takes a module that it does not know for an external one. */
const nodeModule = /["'`]node:/;

describe("bundled for a page, without Node's modules", () => {
  it.each([
    ["`connect`, `contract` and its operations", ""],
    ["the same with `ws`", "ws"],
    ["the same with `sse`", "sse"],
    ["the same with `http`", "http"],
  ])("%s: its size is the one in docs/browser.md, within a tenth", async (row, wire) => {
    const dialling = wire && `import { ${wire} } from "@parley/transport-${wire}"; console.log(${wire});`;
    const program = `import { ${client} } from "@parley/core"; console.log(${client}); ${dialling}`;
    const { text, bytes } = await bundle(program, { minify: true });
    expect(text).not.toMatch(nodeModule);
    const [, minified, gzipped] = docs.match(new RegExp(`^\\| ${row} \\| (\\d+) \\| (\\d+) \\|$`, "m")) ?? [];
    const sizes = [bytes, gzipSync(text, { level: 9 }).length];
    for (const [index, stated] of [Number(minified) * 1_000, Number(gzipped) * 1_000].entries()) {
      expect(Math.abs((sizes[index] as number) - stated), `${row} is ${sizes} bytes`).toBeLessThan(stated / 10);
    }
  });

  it("core's client is at most 60 KB", async () => {
    const { bytes } = await bundle(`import { ${client} } from "@parley/core"; console.log(${client});`, {
      minify: true,
    });
    expect(bytes).toBeLessThanOrEqual(60_000);
  });

  it("all of core can be", async () => {
    const { text } = await bundle(`import * as core from "@parley/core"; console.log(core);`);
    expect(text).not.toMatch(nodeModule);
  });

  it("and what needs one is told from what does not", async () => {
    const serving = bundle(`import { listenHttp } from "@parley/core/http"; console.log(listenHttp);`);
    await expect(serving).rejects.toThrow(/node:http/);
  });
});
