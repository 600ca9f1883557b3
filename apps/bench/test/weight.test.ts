import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { wires } from "../src/plan.ts";

const operations = "contract, request, notify, serverStream, clientStream, bidiStream, topic";
const client = uses("@parley/core", `connect, ${operations}`);
const agent = uses("@parley/core", `serve, agent, ${operations}`);
const everything = [
  ...["@parley/core", "@parley/auth", ...wires.map((wire) => `@parley/transport-${wire}`)].map(
    (name, index) => `import * as all${index} from "${name}"; console.log(all${index});`,
  ),
].join("\n");

/** Programs, by the rows of the page that says what they weigh. */
const programs: readonly (readonly [row: string, program: string])[] = [
  ["a client: `connect`, `contract` and its operations", client],
  ["an agent: `serve`, `agent`, `contract` and its operations", agent],
  ...wires.map((wire) => [`the same agent with \`${wire}\``, agent + uses(`@parley/transport-${wire}`, wire)] as const),
  ["all of `@parley/core`", `import * as core from "@parley/core"; console.log(core);`],
  ["the whole of core, `@parley/auth` and all transports", everything],
];

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");

/** A program that keeps what it imports. */
function uses(specifier: string, names: string): string {
  return `import { ${names} } from "${specifier}"; console.log(${names});\n`;
}

/** Bundles a program as a user of esbuild does, without the libraries of protocols. */
async function weigh(program: string): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["@grpc/*", "eventsource-parser", "execa", "jose", "mqtt", "undici", "ws"],
    minify: true,
    write: false,
    logLevel: "silent",
  });
  const [{ contents }] = outputFiles as [(typeof outputFiles)[0]]; // one entry, one file
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

describe("bundled", () => {
  it.each(programs)("%s: it weighs what docs/operations.md says, within a twentieth", async (row, program) => {
    const { minified, gzipped } = await weigh(program);
    const line = page.split("\n").find((one) => one.startsWith(`| ${row} |`)) ?? "";
    const [, statedMinified, statedGzipped] = /\| (\d+) \| (\d+) \|$/.exec(line) ?? [];
    const said = `${row} weighs ${minified} bytes, gzipped ${gzipped}`;
    expect(Math.abs(minified / 1_000 / Number(statedMinified) - 1), said).toBeLessThan(0.05);
    expect(Math.abs(gzipped / 1_000 / Number(statedGzipped) - 1), said).toBeLessThan(0.05);
  });

  it("a client and an agent are at most 60 KB each, before the wire", async () => {
    for (const program of [client, agent]) expect((await weigh(program)).minified).toBeLessThanOrEqual(60_000);
  });
});
