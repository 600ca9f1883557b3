/** The coordinator: finds readers, hands out the sonnets, lets two readers come to terms, and tells the world. */
import { fileURLToPath } from "node:url";
import { agent, connect, fanOut, type HandledCall, ParleyError, type Remote, serve } from "@parley/core";
import { stdio } from "@parley/transport-stdio";
import { type Advocate, directory, type Member, news, reader, type Step, team } from "./contracts.ts";
import { about, quote, strengthOf } from "./findings.ts";
import { endWithParent, options } from "./process.ts";
import { recorder } from "./record.ts";
import { scatter } from "./scatter.ts";
import { turns } from "./turns.ts";
import { wireOf, wires } from "./wires.ts";

/** A reader that has not come to the end of a sonnet by then is given up. */
const READ_MS = 20_000;
/** Readers that are not there by then do not come. */
const GATHER_MS = 20_000;

endWithParent();
const given = options("directory", "news", "record", "pace");
const source = "coordinator";
const record = recorder(given.record, source);

const transports = await wires("ws", "http", "mqtt", "grpc", "sse");
const use = [record.calls("directory", "http")];
const guide = await connect(directory, given.directory, { transports, source, use });
const world = await connect(news, given.news, { transports, source, use: [record.calls("news", "mqtt")] });

interface Reader extends Member {
  readonly remote: Remote<typeof reader>;
}

const self = agent(
  team,
  {
    async *investigate({ question, sonnets, themes, lines }, call) {
      note("Who is there?");
      const readers = await gather(call);
      try {
        yield { step: "staffed", readers: readers.map(({ name }) => name) };

        note("All read at once");
        const { said, say, close, fail } = turns<Step>();
        const reading = scatter({
          readers,
          sonnets,
          // The key says that it is the same reading, whoever does it.
          read: ({ remote }, sonnet, signal) =>
            call
              .client(remote)
              .read({ sonnet, themes }, { signal, timeoutMs: READ_MS, idempotencyKey: `sonnet-${sonnet}` }),
          tell: say,
          signal: call.signal,
        });
        reading.then(close, fail);
        yield* said;

        const { findings, left } = await reading;
        note("Two come to terms");
        const topics = Object.keys(themes);
        const cases = topics.map((theme) => ({ theme, strength: strengthOf(about(theme, findings)) }));
        const shares = await agree(call, left, lines, cases);
        yield { step: "agreed", shares };

        const lost = readers.filter((member) => !left.includes(member)).map(({ name }) => name);
        const found = Object.fromEntries(topics.map((theme) => [theme, about(theme, findings).length]));
        const quoted = quote(findings, shares);
        note("The world is told");
        await call.client(world).finished.publish({ team: "sonnets" }, { question, found, quoted, lost });
      } finally {
        await Promise.all(readers.map(({ remote }) => remote.close()));
      }
    },
  },
  { name: source, source },
);

/** The readers in the directory, and one of the coordinator's own: a child, talked with over its stdin and stdout. */
async function gather(call: HandledCall): Promise<readonly Reader[]> {
  const found = await call.client(guide).find({ skill: "read", atLeast: 3 }, { timeoutMs: GATHER_MS });
  const own = { name: "dan", skill: "read", url: "stdio:" };
  const childOptions = { ...given, name: own.name, listen: own.url, "hang-after": "Infinity" };
  const program = fileURLToPath(new URL("reader.ts", import.meta.url));
  const args = Object.entries(childOptions).map(([key, value]) => `--${key}=${value}`);
  const all = [...transports, stdio({ command: [process.execPath, program, ...args] })];
  const { values, branches } = await fanOut([...found, own], join, { policy: "partial" });
  for (const branch of branches) if (branch.state === "failed") note(`${branch.target.name} cannot be reached`);
  return values;

  async function join(member: Member): Promise<Reader> {
    const use = [record.calls(member.name, wireOf(member.url))];
    const connectTimeoutMs = GATHER_MS;
    // A reader that is lost is not waited for: the others do its work.
    const remote = await connect(reader, member.url, {
      transports: all,
      source,
      use,
      connectTimeoutMs,
      reconnect: false,
    });
    return { ...member, remote };
  }
}

/** Has the first of the readers that others can reach come to terms with the second: how many of the lines each theme gets. */
async function agree(
  call: HandledCall,
  readers: readonly Reader[],
  lines: number,
  [own, other]: readonly Advocate[],
): Promise<Readonly<Record<string, number>>> {
  const [one, rival] = readers.filter(({ url }) => wireOf(url) !== "stdio");
  if (!one || !rival || !own || !other) {
    const what = "an agreement takes two themes, and two readers that can reach each other";
    throw new ParleyError("failed_precondition", what);
  }
  const { name, skill, url } = rival;
  const terms = await call.client(one.remote).settle({ lines, own, other, rival: { name, skill, url } });
  return { [own.theme]: terms.own, [other.theme]: terms.other };
}

function note(text: string): void {
  record.incident("note", source, text);
}

const server = await serve(self, "ws://127.0.0.1:0", { transports });
console.log(`coordinator at ${server.urls[0]}`);
process.once("SIGTERM", async () => {
  await server.close();
  await Promise.all([guide.close(), world.close()]);
});
