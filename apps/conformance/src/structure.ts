import type { LentServer } from "./lent.ts";
import type { Needs } from "./scenario.ts";
import type { Subject } from "./subject.ts";
import { NOTHING_BETWEEN } from "./tap/no-tap.ts";

/** What is the user's own of what a wire is tested on. */
export interface Ground {
  readonly lent?: Pick<LentServer, "tapped"> | undefined;
  /** The broker asks who comes. */
  readonly login?: boolean;
}

/** Why a scenario has no meaning on this wire, whatever its manifest says; `undefined` if it has one. */
export function meaningless(
  needs: Needs,
  { tapping, serving, broker, foreign, secure, credentials }: Subject,
  { lent, login = false }: Ground = {},
): string | undefined {
  const beyond = lent && outOfReach(needs, lent);
  if (beyond !== undefined) return beyond;
  if (needs.credentials && login) return "this broker lets nobody in by a credential that the suite makes up";
  if (needs.frames && !framed.has(tapping))
    return "this wire has no frames of its own: its protocol keeps answers and calls together";
  if (needs.events && tapping === "bytes")
    return "its events are no JSON text that the suite could write in the place of the transport";
  if (needs.protocol && tapping !== "websocket" && tapping !== "http" && tapping !== "lines")
    return "the suite has no words of its own for the protocol below";
  if (needs.connection && broker)
    return "calls through a broker need no handshake: an agent answers whoever may write to it";
  if (needs.broker && !broker) return "there is no broker between the two sides";
  if (needs.tls && secure === undefined) return "its transport has no TLS of its own";
  if (needs.credentials && !credentials) return "its callers bear no credential in the protocol";
  if (needs.child && (serving !== "child" || foreign)) return "its serving side is not a child of the one that dials";
  if (needs.tcp && tapping === "in-process") return "this wire is not carried by TCP, so there is no link to spoil";
  if (needs.reconnect && serving === "child") return "its serving side begins and ends with the connection";
  if (needs.process && tapping === "in-process") return "both sides live in one process";
  const [first] = foreign ? (needs.serving ?? []) : [];
  return first === undefined ? undefined : `a program in another language is not asked for ${asked[first]}`;
}

/** Why a scenario cannot be tried on a server of the user's own. */
function outOfReach(needs: Needs, { tapped }: Pick<LentServer, "tapped">): string | undefined {
  const unasked = needs.serving?.find((one) => one !== "callback" && one !== "versions");
  if (unasked) return `this server is not asked for ${asked[unasked]}`;
  if (needs.process) return "the process of this server is not the suite's to stop";
  if (needs.tls || needs.credentials) return "who gets into this server is not the suite's to say";
  if (!tapped && (needs.frames || needs.events || needs.protocol || needs.tcp)) return NOTHING_BETWEEN;
  return undefined;
}

const framed: ReadonlySet<string> = new Set<Subject["tapping"]>(["websocket", "lines", "mqtt", "in-process"]);

const asked = {
  relay: "a relay",
  clock: "another clock",
  snapshot: "what it holds",
  callback: "calls to its caller",
  versions: "several versions of one operation",
  dedupe: "handling repeated calls once",
  guard: "turning callers away",
} satisfies Record<NonNullable<Needs["serving"]>[number], string>;
