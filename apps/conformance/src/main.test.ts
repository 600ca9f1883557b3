import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { certificateText, digestOf } from "./certificate/certificate.ts";
import { readCertificate } from "./certificate/read.ts";
import { main } from "./main.ts";
import { memoryScreen } from "./report/screen.ts";
import { scenarios } from "./scenarios/index.ts";
import { exitCodes } from "./verdict.ts";

// Each run starts processes, on a machine that may have others to run.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-conformance-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function command(...args: readonly string[]) {
  const screen = memoryScreen();
  let complaints = "";
  const code = await main(args, {
    directory,
    screen,
    complain: (text) => {
      complaints += text;
    },
  });
  return { code, text: screen.text(), complaints };
}

describe("the command", () => {
  it("explains itself, exit codes included", async () => {
    const { code, text } = await command("--help");
    expect(code).toBe(0);
    for (const exitCode of Object.values(exitCodes)) expect(text).toMatch(new RegExp(`^  ${exitCode}  `, "m"));
    expect((await command("--version")).text).toMatch(/^@parley\/conformance \d/);
  });

  it("lists the catalogue, or what is left of it", async () => {
    expect((await command("--list")).text).toContain(`${scenarios.length} scenarios`);
    expect((await command("--list", "--only", "BIN")).text).toMatch(/BIN-03 {2}must/);
  });

  it.each([
    [
      ["--transport", "carrier-pigeon"],
      /no transport "carrier-pigeon": built in are memory, ws, http, sse, grpc, mqtt, stdio; .*--transport \.\/my-wire\.ts/,
    ],
    [["--transport", "./nowhere.ts"], /no transport "\.\/nowhere\.ts"/],
    [["--only", "RR-77"], /no scenario or group RR-77/],
    [["--tansport", "ws"], /did you mean --transport\?/],
    [["--url", "mqtt://me:secret@"], /--url takes the address of a broker or a server, .* given "mqtt:\/\/"/],
    [["certificate.json"], /certificates are compared with parley-conformance compare/],
    [["compare"], /compare takes two certificates, as in compare before\.json after\.json, and was given 0/],
    [["compare", "a.json", "b.json", "c.json"], /was given 3/],
    [["compare", "nowhere.json", "b.json"], /nowhere\.json cannot be read: there is no such file/],
    [["compare", "--jsn", "a.json"], /compare: Unknown option '--jsn'/],
  ])("refuses %j with exit code 2 and what there is", async (args, message) => {
    const { code, text, complaints } = await command(...args);
    expect(code).toBe(2);
    expect(complaints).toMatch(message);
    expect(complaints).toContain("parley-conformance --help");
    expect(text).toBe("");
  });

  it("runs scenarios in processes of their own, and writes the reports that are asked for", async () => {
    const { code, text } = await command(
      ...["--transport", "memory", "--only", "RR-01,BIN-01", "--seed", "7", "--time-scale", "1"],
      ...["--json", "out/report.json", "--junit", "out/report.xml", "--html", "out/report.html"],
    );
    expect(text).toContain("2 passed, 0 failed");
    expect(text).toContain("seed 7");
    expect(code).toBe(0);
    const json = JSON.parse(await readFile(join(directory, "out/report.json"), "utf8")) as {
      results: unknown[];
      manifests: object;
    };
    expect(json.results).toHaveLength(2);
    expect(Object.keys(json.manifests)).toEqual(["memory"]);
    expect(await readFile(join(directory, "out/report.xml"), "utf8")).toContain('tests="2"');
    expect(await readFile(join(directory, "out/report.html"), "utf8")).toContain("<!doctype html>");
  });

  it("certifies what it ran, and compares certificates", async () => {
    const certify = (to: string, only: string) =>
      command("--transport", "memory", "--only", only, "--time-scale", "1", "--certificate", to, "--badge", to);
    expect((await certify("before", "RR-01,BIN-01")).text).toContain(
      "wrote certificates of memory to before\nwrote badges of memory to before\n",
    );
    await certify("after", "RR-01,RR-04");
    expect(await readFile(join(directory, "after/parley-conformance-memory.svg"), "utf8")).toContain("2 hold, ");
    const files = ["before", "after"].map((folder) => `${folder}/parley-conformance-memory.json`);
    const { code, text } = await command("compare", ...files);
    expect(text).toMatch(/^0 worse, 0 better, 0 changed, 1 new, 1 gone, 1 the same\n/);
    expect(text).toMatch(/new\n {2}RR-04 {4}pass .*\n\ngone\n {2}BIN-01 {3}pass /);
    expect(code).toBe(0);
    const failing = { "RR-01": "fail", "BIN-01": "pass" } as const;
    const before = await readCertificate(files[0] ?? "", directory);
    const { digest: _, ...rest } = { ...before, status: "fails", results: failing } as const;
    const worse = { ...rest, digest: digestOf(rest) };
    await writeFile(join(directory, "worse.json"), certificateText(worse));
    const compared = await command("compare", files[0] ?? "", "worse.json", "--json");
    expect(JSON.parse(compared.text)).toMatchObject({ worse: [{ scenario: "RR-01", before: "pass", after: "fail" }] });
    expect(compared.code).toBe(1);
    await writeFile(join(directory, "edited.json"), certificateText({ ...before, results: failing }));
    const edited = await command("compare", files[0] ?? "", "edited.json");
    expect(edited.complaints).toMatch(/edited\.json was changed after it was written/);
    expect(edited.code).toBe(2);
    expect((await command("compare", "--help")).text).toMatch(/^ {2}1 {2}something is worse$/m);
  });

  it("prints which mutants were killed", async () => {
    const { code, text } = await command("--mutants", "--only", "RR-01");
    expect(text).toMatch(/killed {4}RR-01 {2}wrong-correlation/);
    expect(text).toContain("2 of 2 mutants killed; 1 of 1 scenarios proven");
    expect(code).toBe(0);
  });
});

describe("a subject module", () => {
  const write = async (name: string, source: string): Promise<string> => {
    await writeFile(join(directory, name), source);
    return `./${name}`;
  };
  const run = (module: string) => command("--transport", module, "--only", "RR-01,RR-04", "--time-scale", "0.1");

  it("that needs a package which is not installed is blocked, with how to install it", async () => {
    const { code, text } = await run(
      await write("missing.mjs", 'import "@nobody/has-this"; export const subject = {};'),
    );
    expect(text).toContain("missing is blocked: @nobody/has-this is not installed: npm install @nobody/has-this");
    expect(text).toContain("0 passed, 0 failed, 0 errors, 2 blocked");
    expect(code).toBe(1);
  });

  it("that exports no sound subject, or throws, is an error that says why", async () => {
    const nothing = await run(await write("nothing.mjs", "export const subject = { name: '' };"));
    expect(nothing.text).toContain("subject.transport must be a function");
    expect(nothing.code).toBe(2);
    const throwing = await run(await write("throwing.mjs", "throw new Error('at import');"));
    expect(throwing.text).toContain("at import");
    expect(throwing.code).toBe(2);
  });

  it("that ends the caller's process fails what was running, and the rest is still run", async () => {
    const { code, text } = await run(
      await write(
        "exiting.mjs",
        subjectSource("connect: () => { console.error('goodbye'); process.exit(7); }, listen: async () => listener"),
      ),
    );
    expect(text).toMatch(/FAIL exiting RR-01/);
    expect(text).toMatch(/FAIL exiting RR-04/);
    expect(text).toContain("the caller's process ended (exit code 7):");
    expect(text).toContain("goodbye");
    expect(code).toBe(1);
  });

  it("that blocks the event loop is stopped from outside", async () => {
    const { code, text } = await run(
      await write("blocking.mjs", subjectSource("connect: () => { for (;;); }, listen: async () => listener")),
    );
    expect(text).toMatch(/FAIL blocking RR-01/);
    expect(text).toContain("is its event loop blocked?");
    expect(code).toBe(1);
  });
});

/** A module with a subject that is sound as far as can be seen before it is used. */
function subjectSource(methods: string): string {
  const manifest = {
    kinds: Object.fromEntries(
      ["notify", "request", "server-stream", "client-stream", "bidi-stream", "publish", "subscribe"].map((kind) => [
        kind,
        "native",
      ]),
    ),
    ...{ delivery: "at-most-once", cancel: "peer", backpressure: "stream", ordering: "connection", resume: "none" },
    ...{ duplicates: false, gaps: false, serverInitiated: true, wildcards: true, lateSubscriber: "nothing" },
    limits: { maxMessageBytes: 1e6, maxCalls: 100, windowItems: 10, windowBytes: 1e6 },
    broker: null,
  };
  return `
    const stats = () => ({ openCalls: 0, lateMessages: 0, refusedMessages: 0 });
    const listener = { url: new URL("test://here"), stats, close: async () => {} };
    const manifest = ${JSON.stringify(manifest)};
    export const subject = {
      name: import.meta.url.split("/").at(-1).replace(".mjs", ""), url: "test://here", tapping: "in-process",
      transport: () => ({ name: "test", schemes: ["test"], manifest, ${methods} }),
    };
  `;
}
