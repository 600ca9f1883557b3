import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, ConnectOptions, Manifest, Transport } from "@parley/core/transport";
import { ownBroker } from "./brokers/own-broker.ts";
import { MissingBroker } from "./brokers/place.ts";
import type { SecuredPlace } from "./brokers/secured-place.ts";
import { Environment } from "./environment.ts";
import { equivalentGroups } from "./equivalence.ts";
import { History, monotonicNow } from "./history.ts";
import { leaksWithin, type RejectionWatch, type Snapshot, snapshot } from "./hygiene.ts";
import type { LentServer } from "./lent.ts";
import type { Profile } from "./profile.ts";
import { expectRefusal } from "./refusal.ts";
import type { Result } from "./result.ts";
import { type Capability, type Group, missing, type Scenario } from "./scenario.ts";
import { type Seen, seen } from "./seen.ts";
import type { Serving } from "./serving/control.ts";
import { meaningless } from "./structure.ts";
import type { ChildProgram, Subject, Tuning } from "./subject.ts";
import type { FrameTap } from "./tap/frame-tap.ts";
import { http, lines, websocket } from "./tap/framing.ts";
import { mqtt } from "./tap/mqtt-framing.ts";
import { NOTHING_BETWEEN, noTap } from "./tap/no-tap.ts";
import type { Tap } from "./tap/tap.ts";
import { createTcpTap } from "./tap/tcp-tap.ts";
import type { Verdict } from "./verdict.ts";
import { Finding, show } from "./witness.ts";

/** T at scale 1. */
export const T_MS = 2_000;

/** What all scenarios of one wire share. */
export interface Wire {
  readonly subject: Subject;
  readonly transport: Transport;
  /** Makes the transport anew, tuned. */
  readonly tuned: (tuning: Tuning) => Transport;
  /** URL of the subject's module, if it has one. */
  readonly module: string | undefined;
  readonly seed: string;
  /** Multiplies all times. */
  readonly scale: number;
  readonly profile: Profile;
  /** Dials a listener of this wire; with a transport made anew where that is to be tuned. */
  dial(url: URL, options: ConnectOptions, tuning: Tuning | undefined): Promise<Connection>;
  readonly rejections: RejectionWatch;
  /** Dials a program in place of the fixture; only where the serving side is a child. */
  dialProgram(program: ChildProgram, options: ConnectOptions, tuning: Tuning | undefined): Promise<Connection>;
  /** Only in-process. */
  readonly frameTap: FrameTap | undefined;
  readonly serving: Serving;
  /** The user has named a broker that knows its users. */
  readonly login?: boolean;
  /** Only of a server of the user's own. */
  readonly lent?: LentServer | undefined;
  /** The broker that lets in only whom it knows; started when first asked for. */
  readonly secured: () => Promise<SecuredPlace>;
  /** Outcomes of G-03 by capability: nothing, or why the refusal is not honest. */
  readonly refusals: Map<Capability, Finding | undefined>;
}

/** What one run of a scenario comes to. */
export type Outcome = Pick<Result, "verdict" | "ms" | "message" | "witnesses" | "history" | "seen">;

/** Runs a scenario once, or tests that the wire refuses what the scenario needs. Never rejects. */
export async function runScenario(scenario: Scenario, wire: Wire): Promise<Outcome> {
  const { manifest } = wire.transport;
  const absent = missing(scenario.needs, manifest);
  if (absent.length > 0) return runRefusals(absent, wire);
  const why = meaningless(scenario.needs, wire.subject, wire);
  if (why !== undefined) return { verdict: "n/a", ms: 0, witnesses: [], message: why };
  return runOnce(scenario, wire);
}

async function runRefusals(absent: readonly Capability[], wire: Wire): Promise<Outcome> {
  const { kinds } = wire.transport.manifest;
  for (const capability of absent) {
    if (wire.refusals.has(capability) || !canProbe(capability, kinds)) continue;
    const run = (env: Environment): Promise<void> => expectRefusal(env, capability);
    const outcome = await runOnce({ id: `G-03 ${capability}`, level: "must", run }, wire);
    if (outcome.verdict === "error" || outcome.verdict === "n/a") return outcome;
    wire.refusals.set(
      capability,
      outcome.verdict === "pass" ? undefined : new Finding(outcome.message ?? "it is not refused"),
    );
  }
  const dishonest = absent.map((capability) => wire.refusals.get(capability)).find((finding) => finding !== undefined);
  if (dishonest) return { verdict: "fail", ms: 0, witnesses: [], message: dishonest.message };
  return {
    verdict: "unsupported",
    ms: 0,
    witnesses: [],
    message: `declared absent, and refused: ${absent.join(", ")}`,
  };
}

/** Some capabilities can be tried only by means of a kind of call, which must be there. */
function canProbe(capability: Capability, kinds: Manifest["kinds"]): boolean {
  if (capability === "backpressure") return false;
  if (capability === "serverInitiated" || capability === "cancel") return kinds.request !== "none";
  if (capability === "resume") return kinds["server-stream"] !== "none" && kinds.request !== "none";
  return capability !== "wildcards" || kinds.subscribe !== "none";
}

async function runOnce(
  scenario: Pick<Scenario, "id" | "level" | "limit" | "run"> & { readonly group?: Group },
  wire: Wire,
): Promise<Outcome> {
  const { id, level, limit = 10, group } = scenario;
  const start = monotonicNow();
  const history = new History();
  const t = T_MS * wire.scale;
  let outcome: { verdict: Verdict; message?: string; seen?: Seen } = { verdict: "pass" };
  let env: Environment | undefined;
  const found = (error: unknown): void => {
    if (outcome.verdict === "pass") outcome = verdictOf(error, level);
  };
  try {
    const { serving } = wire;
    wire.lent?.reach.begin();
    wire.rejections.take();
    await serving.reset();
    await serving.rejections();
    const before = { caller: snapshot(), serving: await serving.snapshot() };
    const tap = tapFor(wire, history);
    const { transport, tuned, module, subject, seed, scale, profile, lent } = wire;
    env = new Environment({
      scenario: id,
      seed,
      transport,
      tuned,
      module,
      serving,
      tap,
      ...(lent && !lent.tapped ? { noRelay: () => lent.reach.miss(NOTHING_BETWEEN) } : {}),
      history,
      t,
      scale,
      profile,
      tapping: subject.tapping,
      shared: subject.shared ?? false,
      children: subject.serving === "child",
      brokered: subject.broker !== undefined,
      dial: wire.dial,
      dialProgram: wire.dialProgram,
      reconnecting: subject.reconnecting,
      secure: subject.secure,
      tokens: subject.credentials === true && subject.broker === undefined,
      ownBroker: async (options) => {
        const broker = subject.broker && (await ownBroker(subject.broker, options));
        if (!broker) throw new MissingBroker(`a broker to stop and start is needed: ${subject.broker?.help}`);
        return broker;
      },
      securedBroker: wire.secured,
      lackingBrokers: async () => (await subject.broker?.lacking?.()) ?? [],
    });
    const running = scenario.run(env);
    running.catch(() => {});
    await env.within(id, running, limit * t).catch(found);
    if (group && equivalentGroups.has(group)) outcome = { ...outcome, seen: seen(env.calls.seen, serving.events) };
    await clearAway(env, tap, t).catch(found);
    await checkHygiene(env, wire, before, t).catch(found);
  } catch (error) {
    found(error);
  }
  const exit = wire.serving.exited;
  if (exit && outcome.verdict !== "pass") {
    outcome = {
      verdict: level === "must" ? "fail" : "non-strict",
      message: `${outcome.message}\n(the serving process ended: ${show(exit)})`,
    };
  }
  const missed = wire.lent?.reach.missed;
  if (missed !== undefined) return { verdict: "n/a", ms: 0, witnesses: [], message: missed };
  const witnesses = env ? [...env.testified] : [];
  if (outcome.verdict === "pass" && witnesses.length < 2) {
    outcome = {
      verdict: "error",
      message: `G-07: a pass needs two independent witnesses, and this one rests on ${witnesses.join(", ") || "none"}`,
    };
  }
  const ms = Math.round(monotonicNow() - start);
  const { seen: looked, ...rest } = outcome;
  if (outcome.verdict === "pass") return { ...rest, ms, witnesses, ...(looked ? { seen: looked } : {}) };
  return { ...rest, ms, witnesses, history: history.since(start) };
}

function verdictOf(error: unknown, level: Scenario["level"]): { verdict: Verdict; message: string } {
  if (error instanceof MissingBroker) return { verdict: "blocked", message: error.message };
  if (error instanceof Finding) return { verdict: level === "must" ? "fail" : "non-strict", message: error.message };
  if (isParleyError(error)) {
    return {
      verdict: level === "must" ? "fail" : "non-strict",
      message: `caller: a call failed that must not\n  observed ${show(error).split("\n", 1)[0]} (${error.code}, ${error.outcome})`,
    };
  }
  return {
    verdict: "error",
    message: `the suite failed: ${error instanceof Error ? (error.stack ?? error.message) : show(error)}`,
  };
}

function isParleyError(error: unknown): error is Error & { code: string; outcome: string } {
  return error instanceof Error && "code" in error && "outcome" in error;
}

function tapFor({ subject, frameTap, lent }: Wire, history: History): Tap {
  if (lent && !lent.tapped) return noTap(lent.reach);
  if (frameTap) {
    frameTap.reset(history);
    return frameTap;
  }
  const framings = { websocket, lines, mqtt, http, bytes: undefined, "in-process": undefined };
  return createTcpTap(history, framings[subject.tapping]);
}

/** Closes whatever the scenario opened. @throws Finding when something does not close in time. */
async function clearAway(env: Environment, tap: Tap, t: number): Promise<void> {
  env.finish();
  if (env.serving.alive && env.serving.pid !== undefined) await env.serving.kill("SIGCONT");
  tap.rewrite(undefined);
  for (const from of ["dialler", "listener"] as const) tap.release(from);
  const open = await openCallsWithin(env, t / 2);
  const graceMs = t / 4;
  await env.within(
    "close() of the connections",
    Promise.all(env.connections.map((connection) => connection.close({ graceMs }))),
  );
  if (env.serving.alive && !env.serving.lent) await env.within("close() of the listeners", env.serving.close(graceMs));
  await Promise.all([tap.close(), ...env.proxies.map((proxy) => proxy.close())]);
  await env.closeBrokers();
  if (open.length > 0) throw new Finding(`G-08, still open after the scenario:\n  ${open.join("\n  ")}`);
}

/** Looks at the counters of both sides until no call is open or the time is up. Returns what is left, a sentence each. */
async function openCallsWithin(env: Environment, limitMs: number): Promise<readonly string[]> {
  const until = performance.now() + limitMs;
  for (;;) {
    const caller = env.connections.reduce((sum, connection) => sum + connection.stats().openCalls, 0);
    const serving = env.serving.alive ? (await env.servingStats()).openCalls : 0;
    if (caller + serving === 0) return [];
    if (performance.now() > until) return [`caller: ${caller} open calls`, `serving: ${serving} open calls`];
    await sleep(5);
  }
}

/** G-08. @throws Finding naming what was left behind. */
async function checkHygiene(
  env: Environment,
  wire: Wire,
  before: { caller: Snapshot; serving: Snapshot },
  t: number,
): Promise<void> {
  if (env.serving.exited)
    throw new Finding(`processes: the serving process ended\n  observed ${show(env.serving.exited)}`);
  const { serving } = wire;
  const atServing = async (): Promise<readonly string[]> => {
    if (!serving.alive) return [];
    const baseline = serving.renewed ?? before.serving;
    return [
      ...(await leaksWithin(baseline, () => serving.snapshot(), t / 2)),
      ...(await serving.rejections()).map((rejection) => `unhandled rejection of ${rejection}`),
    ];
  };
  const left = [
    ...(await leaksWithin(before.caller, snapshot, t / 2)).map((leak) => `caller: ${leak}`),
    ...wire.rejections.take().map((rejection) => `caller: unhandled rejection of ${rejection}`),
    ...(await atServing()).map((leak) => `serving: ${leak}`),
  ];
  if (left.length > 0) throw new Finding(`G-08, left behind after the scenario:\n  ${left.join("\n  ")}`);
}
