/** A reader: finds lines in sonnets, and bargains with another reader for those of its theme. Which wire it speaks is in its URL. */
import { setTimeout as sleep } from "node:timers/promises";
import { agent, connect, ParleyError, serve } from "@parley/core";
import { type Bargain, bargain } from "./bargain.ts";
import { type Claim, directory, news, reader, type Subject } from "./contracts.ts";
import { endWithParent, options } from "./process.ts";
import { recorder } from "./record.ts";
import { linesOf, themesIn } from "./sonnets.ts";
import { turns } from "./turns.ts";
import { wireOf, wires } from "./wires.ts";

endWithParent();
const given = options("name", "listen", "directory", "news", "record", "pace", "hang-after");
const { name } = given;
/** Time for a line, ms. */
const pace = Number(given.pace);
/** Findings after which it hangs, as programs do for a thousand reasons. */
const hangAfter = Number(given["hang-after"]);
const record = recorder(given.record, name);

const self = agent(
  reader,
  {
    async *read({ sonnet, themes }, { signal }) {
      let found = 0;
      for (const [index, text] of (await linesOf(sonnet)).entries()) {
        await sleep(pace, undefined, { signal });
        for (const theme of themesIn(text, themes)) {
          if (found++ === hangAfter) await sleep(2 ** 31 - 1, undefined, { signal });
          yield { sonnet, line: index + 1, theme, text };
        }
      }
    },

    async settle({ lines, own, other, rival }, call) {
      const wire = wireOf(rival.url);
      const use = [record.calls(rival.name, wire)];
      await using peer = await connect(reader, rival.url, { transports: await wires(wire), source: name, use });
      const next = bargain({ lines, own: own.strength, other: other.strength });
      const { said, say, close } = turns<Subject | Claim>();
      say({ about: lines, own, other });
      say(next());
      let terms: { readonly own: number; readonly other: number } | undefined;
      for await (const claim of call.client(peer).negotiate(said)) {
        const answer = claim.accepted ? claim : next(lines - claim.lines);
        if (!claim.accepted) say(answer);
        if (!answer.accepted) continue;
        terms = claim.accepted
          ? { own: lines - claim.lines, other: claim.lines }
          : { own: answer.lines, other: lines - answer.lines };
        close();
      }
      if (!terms) throw new ParleyError("aborted", `${rival.name} left the negotiation before its end`);
      return terms;
    },

    async *negotiate(messages) {
      let next: Bargain | undefined;
      let lines = 0;
      for await (const message of messages) {
        if ("about" in message) {
          lines = message.about;
          next = bargain({ lines, own: message.other.strength, other: message.own.strength });
          continue;
        }
        if (message.accepted) return;
        if (!next) throw new ParleyError("failed_precondition", "a claim came before what it is about");
        const answer = next(lines - message.lines);
        yield answer;
        if (answer.accepted) return;
      }
    },
  },
  { name, source: name },
);

const transports = await wires("mqtt", "http", wireOf(given.listen));
const use = [record.calls("news", "mqtt")];
await using heard = await connect(news, given.news, { transports, source: name, use });
// Before it can be asked anything, so that it misses no news.
await using finished = await heard.finished.subscribe();
const server = await serve(self, given.listen, { transports });
const url = String(server.urls[0]);
// A child on stdio has only its parent, who knows of it.
if (wireOf(url) !== "stdio") {
  const use = [record.calls("directory", "http")];
  await using entry = await connect(directory, given.directory, { transports, source: name, use });
  await entry.register({ name, skill: "read", url });
}

// When the team has finished, everybody goes home.
for await (const _ of finished) break;
await server.close();
