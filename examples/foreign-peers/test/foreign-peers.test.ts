import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { browse, missing } from "../../../packages/transport-sse/test/browser.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "..");

/** The agent in a process of its own, and what it prints. */
interface Running extends AsyncDisposable {
  readonly url: string;
  readonly lines: string[];
}

async function start(): Promise<Running> {
  const child = spawn(process.execPath, ["src/agent.ts", "0"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const [first] = (await once(reader, "line")) as [string];
  reader.on("line", (line) => lines.push(line));
  return {
    url: first.replace("agent at ", ""),
    lines,
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
    },
  };
}

/** The parts that curl.sh prints, by their titles. */
function partsOf(output: string): ReadonlyMap<string, string> {
  const parts = output.split(/^# /m).slice(1);
  return new Map(parts.map((part) => part.split(/\n(.*)/s, 2).map((text) => text.trim()) as [string, string]));
}

/** The events of an event stream. */
function eventsIn(text: string): readonly Record<string, unknown>[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json = ""]) => JSON.parse(json) as Record<string, unknown>);
}

it("curl calls by plain JSON and by CloudEvents, and reads streams and subscriptions", async ({ skip }) => {
  const reason = missing("curl");
  skip(reason !== undefined, reason);
  await using agent = await start();
  const { stdout } = await run("sh", ["curl.sh", agent.url], { cwd: folder, timeout: 20_000 });
  const parts = [...partsOf(stdout).values()];
  expect(parts).toHaveLength(6);
  const [plain = "", structured = "", binary = "", wrong = "", stream = "", subscription = ""] = parts;
  expect(JSON.parse(plain)).toEqual({ text: "HELLO" });
  expect(JSON.parse(structured)).toMatchObject({
    specversion: "1.0",
    id: "1.r",
    kind: "reply",
    data: { text: "HELLO" },
  });
  expect(binary).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(binary).toContain("ce-id: 2.r\r\n");
  expect(binary).toMatch(/\r\n\r\n\{"text":"HELLO"\}$/);
  expect(JSON.parse(wrong)).toMatchObject({ status: 400, code: "invalid_argument" });
  expect(eventsIn(stream).map(({ kind, data }) => [kind, data])).toEqual([
    ["item", { number: 1 }],
    ["item", { number: 2 }],
    ["item", { number: 3 }],
    ["end", undefined],
  ]);
  expect(eventsIn(subscription)).toMatchObject([{ subject: "news/local", data: { headline: "curl has news" } }]);
});

it("a page subscribes by EventSource, and speaks the protocol over a WebSocket", async ({ skip }) => {
  const reason = missing("chromium");
  skip(reason !== undefined, reason);
  await using agent = await start();
  await using _page = await browse(agent.url);
  const seen = [
    "page: hello, peers",
    "page: reply: FROM A PAGE",
    "page: item: 1",
    "page: item: 2",
    "page: item: 3",
    "page: end of the stream",
    "page: news/web says a page has news",
  ];
  // Each line came by a request of its own, in any order.
  await expect.poll(() => agent.lines.toSorted(), { timeout: 30_000 }).toEqual(seen.toSorted());
}, 60_000);

it("the CloudEvents SDK sends events and reads the answers, structured and binary", async () => {
  await using agent = await start();
  const { stdout } = await run(process.execPath, ["src/cloudevents-sdk.ts", agent.url], { cwd: folder });
  expect(stdout).toBe("structured: the answer: HELLO, STRUCTURED\nbinary: the answer: HELLO, BINARY\n");
});

it("what the README shows stands in the files", async () => {
  const files = ["curl.sh", "page.html", "src/cloudevents-sdk.ts", "src/contract.ts"];
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const shown = [...readme.matchAll(/```(?:ts|js|sh)\n(.*?)```/gs)].flatMap(([, code = ""]) => code.trim().split("\n"));
  const lines = new Set(texts.flatMap((text) => text.split("\n").map((line) => line.trim())));
  const commands = /^(cd|node|sh) /;
  expect(shown.filter((line) => line !== "" && !commands.test(line) && !lines.has(line.trim()))).toEqual([]);
  expect(shown.length).toBeGreaterThan(20);
});
