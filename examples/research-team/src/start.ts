/** Puts a team together, asks it, kills one of it, and draws what was said: `node src/start.ts [--out folder] [--pace ms]`. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "@parley/core";
import { account, summary } from "./account.ts";
import { news, type Report, team } from "./contracts.ts";
import { addressOf, type Hand, start } from "./crew.ts";
import { drawn } from "./drawn.ts";
import { follow } from "./follow.ts";
import { openNewsroom } from "./newsroom.ts";
import { type Recorded, recorder } from "./record.ts";
import { sonnets } from "./sonnets.ts";
import { wires } from "./wires.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(import.meta.dirname, "../reports") },
    pace: { type: "string", default: "25" },
  },
});
const { out, pace } = values;
const task = {
  question: "What outlasts Time?",
  sonnets: [...sonnets],
  themes: { verse: ["verse", "rhyme", "lines", "pen", "ink"], love: ["love", "loved", "lover", "lovers"] },
  lines: 5,
};
/** Who hangs after so many findings, and is killed then. */
const victim = { name: "bob", findings: 2 };
const source = "you";

await mkdir(out, { recursive: true });
const path = join(out, "conversation.ndjson");
await rm(path, { force: true });
const record = recorder(path, source);

await using newsroom = await openNewsroom();
await using crew = new AsyncDisposableStack();
// What was deferred first is done last: when all have ended, nothing more is written.
const over = new AbortController();
crew.defer(() => over.abort());
const watched = watch(over.signal);

const directory = hire("directory");
const given = { record: path, news: newsroom.url, pace, directory: await addressOf(directory) };
const coordinator = hire("coordinator", given);
const readers = [
  ["ada", "grpc"],
  ["bob", "grpc"],
  ["cleo", "sse"],
].map(([name = "", wire]) => {
  const hangs = name === victim.name ? victim.findings : Number.POSITIVE_INFINITY;
  return hire(name, { ...given, name, listen: `${wire}://127.0.0.1:0`, "hang-after": String(hangs) }, "reader");
});

const report = await ask(await addressOf(coordinator));
// The readers have heard it too, and go home.
for (const { name, ended } of readers) {
  const end = await ended;
  if (end !== (name === victim.name ? "SIGKILL" : 0)) throw new Error(`${name} ended with ${end}`);
}
await crew.disposeAsync();

const picture = join(out, "conversation.svg");
await writeFile(picture, drawn(await watched, task.question));
console.log(summary(report));
console.log(`\nThe conversation, as a picture: ${relative(process.cwd(), picture)}`);

/** Starts a program of this folder, which is ended with this one. */
function hire(name: string, options: Readonly<Record<string, string>> = {}, program = name): Hand {
  const hand = start(name, `${program}.ts`, options);
  crew.defer(async () => {
    hand.process.kill("SIGTERM");
    await hand.ended;
  });
  return hand;
}

/** Prints the events of the record as they come, and gives them all when it is over. Kills the victim when its time has come. */
async function watch(over: AbortSignal): Promise<readonly Recorded[]> {
  const line = account();
  const events: Recorded[] = [];
  let found = 0;
  for await (const event of follow(path, over)) {
    events.push(event);
    console.log(line(event));
    if (!("from" in event) || event.from !== victim.name || event.kind !== "item") continue;
    if (++found !== victim.findings) continue;
    record.incident("killed", victim.name, "killed (SIGKILL)");
    readers.find(({ name }) => name === victim.name)?.process.kill("SIGKILL");
  }
  return events;
}

/** Asks the team, and waits for the news that it has finished. */
async function ask(url: string): Promise<Report> {
  const transports = await wires("mqtt", "ws");
  await using heard = await connect(news, newsroom.url, { transports, source, use: [record.calls("news", "mqtt")] });
  await using finished = await heard.finished.subscribe();
  await using remote = await connect(team, url, { transports, source, use: [record.calls("coordinator", "ws")] });
  for await (const _ of remote.investigate(task, { timeoutMs: 120_000 }));
  for await (const { data } of finished) return data;
  throw new Error("the news ended before the team had finished");
}
