/** The directory: agents register here, and are found by their skill. Plain requests, over HTTP: curl can ask too. */
import { EventEmitter, once } from "node:events";
import { agent, ParleyError, serve } from "@parley/core";
import { directory, type Member } from "./contracts.ts";
import { endWithParent } from "./process.ts";
import { wires } from "./wires.ts";

/** The directory is for a team, not for the world. */
const MAX_MEMBERS = 100;

endWithParent();
const members = new Map<string, Member>();
const changes = new EventEmitter();

const desk = agent(directory, {
  register(member) {
    if (members.size >= MAX_MEMBERS && !members.has(member.name)) {
      throw new ParleyError("resource_exhausted", `the directory has ${MAX_MEMBERS} members, and takes no more`);
    }
    members.set(member.name, member);
    changes.emit("change");
  },
  async find({ skill, atLeast }, call) {
    for (;;) {
      const found = [...members.values()].filter((member) => member.skill === skill);
      if (found.length >= atLeast) return found.toSorted((a, b) => a.name.localeCompare(b.name));
      await once(changes, "change", { signal: call.signal });
    }
  },
});

const server = await serve(desk, "http://127.0.0.1:0", { transports: await wires("http") });
console.log(`directory at ${server.urls[0]}`);
process.once("SIGTERM", () => server.close());
