import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Claim, Report, Step, Subject } from "../src/contracts.ts";
import type { Message, Recorded } from "../src/record.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "..");

let out = "";
let printed = "";
let record: readonly Recorded[] = [];
let messages: readonly Message[] = [];

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "parley-team-"));
  const { stdout } = await run(process.execPath, ["src/start.ts", "--out", out, "--pace", "0"], { cwd: folder });
  printed = stdout;
  const lines = (await readFile(join(out, "conversation.ndjson"), "utf8")).trimEnd().split("\n");
  record = lines.map((line) => JSON.parse(line) as Recorded);
  messages = record.filter((event) => "from" in event);
}, 60_000);

afterAll(() => rm(out, { recursive: true }));

/** What was said in one call after its opening. */
const said = (opener: Message): readonly Message[] =>
  messages.filter((message) => message.call === opener.call && message !== opener);
const openers = (operation: string): readonly Message[] =>
  messages.filter(
    (message) => message.operation === operation && !["reply", "item", "end", "error", "cancel"].includes(message.kind),
  );
const items = (opener: Message, from: string): readonly Message[] =>
  said(opener).filter((message) => message.kind === "item" && message.from === from);

describe("the team", () => {
  it("speaks over six wires at once", () => {
    expect(new Set(messages.map(({ wire }) => wire))).toEqual(new Set(["ws", "http", "grpc", "sse", "stdio", "mqtt"]));
  });

  it("finds its readers by a request", () => {
    const [find] = openers("directory.find");
    expect(find).toMatchObject({ from: "coordinator", to: "directory", wire: "http" });
    const [answer] = said(find as Message) as [Message];
    expect((answer.data as { name: string }[]).map(({ name }) => name)).toEqual(["ada", "bob", "cleo"]);
  });

  it("hands out the first sonnets to all readers before any has answered", () => {
    const [first] = messages.filter(({ operation, kind }) => operation === "reader.read" && kind === "item");
    const asked = messages
      .slice(0, messages.indexOf(first as Message))
      .filter(({ operation }) => operation === "reader.read");
    expect(asked.map(({ to }) => to)).toEqual(["ada", "bob", "cleo", "dan"]);
  });

  it("reads every sonnet to its end once, and what was lost with bob again", () => {
    const readings = openers("reader.read");
    const done = readings.filter((reading) => said(reading).at(-1)?.kind === "end");
    const failed = readings.filter((reading) => !done.includes(reading));
    const sonnets = ["18", "19", "55", "60", "63", "65", "81", "107", "116"];
    expect(done.map(({ key }) => key).toSorted()).toEqual(sonnets.map((sonnet) => `sonnet-${sonnet}`).toSorted());

    expect(failed).toMatchObject([{ to: "bob", key: "sonnet-19" }]);
    const [lost] = failed as [Message];
    expect(said(lost)).toMatchObject([
      { kind: "item" },
      { kind: "item" },
      { kind: "error", error: { code: "unavailable", outcome: "unknown" } },
    ]);
    const [again] = done.filter(({ key }) => key === lost.key) as [Message];
    expect(items(again, again.to)).toHaveLength(4);
    expect(
      items(again, again.to)
        .slice(0, 2)
        .map(({ data }) => data),
    ).toEqual(items(lost, "bob").map(({ data }) => data));
  });

  it("lost bob by SIGKILL after his second finding, and hears nothing of him after it but the failure", () => {
    const killed = record.findIndex(({ kind }) => kind === "killed");
    expect(record[killed]).toMatchObject({ who: "bob", text: "killed (SIGKILL)" });
    const after = record
      .slice(killed)
      .filter((event) => "from" in event && (event.from === "bob" || event.to === "bob"));
    expect(after.map(({ kind }) => kind)).toEqual(["error"]);
  });

  it("says truly what was lost and what came twice", () => {
    const [question] = openers("team.investigate") as [Message];
    const steps = items(question, "coordinator").map(({ data }) => data as Step);
    expect(steps.filter(({ step }) => step === "lost")).toEqual([
      { step: "lost", sonnet: 19, by: "bob", lines: 2, why: "unavailable, unknown" },
    ]);
    const read = steps.filter((step) => step.step === "read");
    expect(read).toHaveLength(9);
    expect(read.filter(({ known }) => known > 0)).toMatchObject([{ sonnet: 19, lines: 4, known: 2 }]);
    expect(said(question).at(-1)?.kind).toBe("end");
  });

  it("has two readers negotiate, each claiming in turn until one accepts", () => {
    const [negotiation] = openers("reader.negotiate") as [Message];
    expect(negotiation).toMatchObject({ from: "ada", to: "cleo", wire: "sse" });
    const [about, ...turns] = said(negotiation).filter(({ kind }) => kind === "item") as [Message, ...Message[]];
    expect((about.data as Subject).about).toBe(5);
    expect(turns.map(({ from }) => from)).toEqual(turns.map((_, index) => (index % 2 === 0 ? "ada" : "cleo")));
    const claims = turns.map(({ data }) => data as Claim);
    expect(claims.map(({ accepted }) => accepted)).toEqual(claims.map((_, index) => index === claims.length - 1));
    expect(claims.slice(-2).map(({ lines }) => lines)).toEqual([3, 2]);
  });

  it("publishes that it has finished, once, and all who are left hear of it", () => {
    const publications = openers("news.finished").filter(({ kind }) => kind === "publish");
    expect(publications).toHaveLength(1);
    const heard = messages.filter(({ operation, kind }) => operation === "news.finished" && kind === "item");
    expect(heard.map(({ to }) => to).toSorted()).toEqual(["ada", "cleo", "dan", "you"]);
    for (const { data } of heard) expect(data).toEqual(publications[0]?.data);
  });

  it("finds what stands in the sonnets, and nothing else", async () => {
    const texts = await Promise.all(
      (await readdir(join(folder, "sonnets"))).map((file) => readFile(join(folder, "sonnets", file), "utf8")),
    );
    const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
    const [{ data }] = openers("news.finished").filter(({ kind }) => kind === "publish") as [Message];
    const { found, quoted, lost } = data as Report;
    expect(found).toEqual({
      verse: lines.filter((line) => /\b(verse|rhyme|lines|pen|ink)\b/i.test(line)).length,
      love: lines.filter((line) => /\b(love|loved|lover|lovers)\b/i.test(line)).length,
    });
    expect(lost).toEqual(["bob"]);
    expect(quoted).toHaveLength(5);
    expect(new Set(quoted.map(({ text }) => text))).toHaveLength(5);
    expect(quoted.filter(({ text }) => !lines.includes(text))).toEqual([]);
  });

  it("leaves no call open", () => {
    const ends = (opener: Message) =>
      said(opener).filter(({ kind }) => ["reply", "end", "error", "cancel"].includes(kind));
    for (const message of messages) {
      if (["request", "server-stream", "bidi-stream"].includes(message.kind)) expect(ends(message)).toHaveLength(1);
    }
  });

  it("tells every event as it goes, and what it has found", () => {
    const told = printed.split("\n").filter((line) => /^ +\d+\.\d{3} {2}/.test(line));
    expect(told).toHaveLength(record.length);
    expect(printed).toContain("Lost on the way: bob. What they were at was read again.");
  });
});

it("the picture is well-formed, and shows everybody, every wire, the kill and what was done again", async () => {
  const path = join(out, "conversation.svg");
  const parser = "import sys, xml.dom.minidom as dom; print(dom.parse(sys.argv[1]).documentElement.tagName)";
  expect((await run("python3", ["-c", parser, path])).stdout).toBe("svg\n");
  const svg = await readFile(path, "utf8");
  for (const name of ["you", "coordinator", "directory", "ada", "bob", "cleo", "dan", "news"]) {
    // Above, and below unless killed.
    expect(svg.match(new RegExp(`font-weight="600">${name}<`, "g"))).toHaveLength(name === "bob" ? 1 : 2);
  }
  for (const wire of ["ws", "http", "grpc", "sse", "stdio", "mqtt"]) expect(svg).toContain(`>${wire}<`);
  for (const label of ["killed (SIGKILL)", "failed: unavailable, outcome unknown", "read sonnet 19 again"]) {
    expect(svg).toContain(`>${label}<`);
  }
});
