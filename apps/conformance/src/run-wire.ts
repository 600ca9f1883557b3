import { randomBytes } from "node:crypto";
import { type Manifest, manifestProblems, type Transport } from "@parley/core/transport";
import { isolated } from "./brokers/isolate.ts";
import { addressAt, type BrokerPlace, MissingBroker, placeBroker } from "./brokers/place.ts";
import { type SecuredPlace, securedPlace } from "./brokers/secured-place.ts";
import { publicAddress } from "./hide.ts";
import { History } from "./history.ts";
import { watchRejections } from "./hygiene.ts";
import { type LentServer, lentServer } from "./lent.ts";
import type { Profile } from "./profile.ts";
import type { Result } from "./result.ts";
import { type Outcome, runScenario, T_MS, type Wire } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { createChildren } from "./serving/children.ts";
import type { Serving } from "./serving/control.ts";
import { ForeignProcess } from "./serving/foreign-process.ts";
import { forkServing } from "./serving/forked.ts";
import { createServing } from "./serving/local.ts";
import { reachServing } from "./serving/served.ts";
import { ServingProcess } from "./serving/serving-process.ts";
import type { Subject, Tuning } from "./subject.ts";
import { dialChild, dialProgram } from "./subjects/child-program.ts";
import { createFrameTap } from "./tap/frame-tap.ts";
import type { Found } from "./tested.ts";
import { show } from "./witness.ts";

/** How to run one wire. */
export interface WireOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: string;
  /** Multiplies all times. */
  readonly scale: number;
  /** @default "quick" */
  readonly profile?: Profile;
  /** Where the broker of a wire is (@default what {@link placeBroker} finds), or its server (@default one of the suite's); by scheme. */
  readonly urls?: readonly string[] | undefined;
  /** How often each scenario is run. @default 1 */
  readonly repeat?: number;
  /** URL of the subject's module, for the serving process; without it both sides live in this one. */
  readonly module?: string | undefined;
  onManifest?(manifest: Manifest): void;
  /** Told of the broker or the server that is tested on. */
  onFound?(found: Found): void;
  onStart?(scenario: Scenario): void;
  onResult(result: Result): void;
}

/** Runs scenarios on one wire, one after the other. Every one of them gets a result, whatever the subject does. */
export async function runWire(subject: Subject, options: WireOptions): Promise<void> {
  const { scenarios, seed, scale, profile = "quick", repeat = 1, onStart, onResult, onManifest } = options;
  const all = (verdict: Result["verdict"], message: string): void => {
    for (const scenario of scenarios) onResult(resultOf(subject, scenario, { verdict, message, ms: 0, witnesses: [] }));
  };
  const frameTap = subject.tapping === "in-process" ? createFrameTap(new History()) : undefined;
  let transport: Transport;
  try {
    transport = subject.transport({ tap: frameTap?.hook });
  } catch (error) {
    return all("error", `subject.transport() failed: ${show(error)}`);
  }
  const problems = transportProblems(transport);
  if (problems.length > 0) return all("error", `G-02: ${problems.join("; ")}`);
  onManifest?.(transport.manifest);
  let place: BrokerPlace | undefined;
  let lent: LentServer | undefined;
  let serving: Serving | undefined;
  try {
    const asked = (options.urls ?? []).map((one) => new URL(one));
    const named = asked.find(({ protocol }) => transport.schemes.includes(protocol.slice(0, -1)));
    if (subject.broker) place = await placeBroker(subject.broker, named);
    else if (named) lent = lentServer(named, subject, transport);
    if (place) options.onFound?.({ broker: place.broker });
    if (lent) options.onFound?.({ server: { url: publicAddress(lent.url), tapped: lent.tapped } });
  } catch (error) {
    if (error instanceof MissingBroker) return all("blocked", error.message);
    if (error instanceof RangeError) return all("error", error.message);
    throw error;
  }
  const run = `run${randomBytes(6).toString("hex")}`;
  const own = lent?.url ?? new URL(subject.url.replaceAll("{run}", run));
  const url = (place ? addressAt(own, place.url) : own).href;
  const tuned = (tuning: Tuning): Transport => subject.transport({ ...tuning, tap: frameTap?.hook });
  /** Made once for all dials that are tuned so: what comes back after a cut is dialled by one transport. */
  const dialling = new WeakMap<Tuning, Transport>();
  const diallingWith = (tuning: Tuning): Transport => {
    const made = dialling.get(tuning) ?? tuned(tuning);
    dialling.set(tuning, made);
    return made;
  };
  const rejections = watchRejections();
  const refusals: Wire["refusals"] = new Map();
  const child = subject.serving === "child";
  const startMs = 5 * T_MS * scale;
  const { foreign } = subject;
  const start = async (): Promise<Serving> => {
    if (lent) return reachServing(transport, lent);
    if (foreign) return createChildren((_request, events) => ForeignProcess.start(foreign, events), startMs);
    if (options.module === undefined || frameTap) return createServing(transport, url, undefined, tuned);
    const order = { module: options.module, url };
    if (!child) return forkServing(order, startMs);
    return createChildren((pipes, events) => new ServingProcess({ ...order, pipes }, events), startMs);
  };
  let secured: Promise<SecuredPlace> | undefined;
  try {
    if (lent) {
      try {
        serving = await start();
      } catch (error) {
        return all("blocked", nobodyServes(lent.url, error));
      }
    }
    for (const scenario of scenarios) {
      onStart?.(scenario);
      const outcomes: Outcome[] = [];
      for (let round = 0; round < repeat; round++) {
        try {
          serving ??= await start();
        } catch (error) {
          outcomes.push({
            verdict: "error",
            message: `the serving side does not start: ${show(error)}`,
            ms: 0,
            witnesses: [],
          });
          break;
        }
        const wire: Wire = {
          subject,
          transport,
          tuned,
          module: options.module,
          seed: `${seed}${round === 0 ? "" : `#${round}`}`,
          scale,
          profile,
          dial: (to, how, tuning) => {
            if (child && !foreign) return dialChild(subject, to, how, tuning);
            const dialled = (tuning ? diallingWith(tuning) : transport).connect(to, how);
            return subject.broker ? dialled.then((connection) => isolated(connection, run)) : dialled;
          },
          dialProgram: (program, how, tuning) => dialProgram(subject, program, how, tuning),
          rejections,
          frameTap,
          serving,
          secured: () => {
            secured ??= securedPlace(subject.broker);
            return secured;
          },
          refusals,
          lent,
          login: place !== undefined && place.url.username !== "",
        };
        const outcome = await runScenario(scenario, wire);
        outcomes.push(outcome);
        const sound = outcome.verdict === "pass" || outcome.verdict === "unsupported" || outcome.verdict === "n/a";
        if (sound && serving.alive) continue;
        // What failed may have left something behind that the next scenario must not suffer from.
        await stop(serving, scale);
        serving = undefined;
      }
      onResult(resultOf(subject, scenario, summary(outcomes), outcomes));
    }
  } finally {
    if (serving) await stop(serving, scale);
    await place?.release();
    await secured?.then(({ broker }) => broker.end()).catch(() => {});
    rejections.stop();
  }
}

function nobodyServes(url: URL, error: unknown): string {
  const [why] = show(error).split("\n", 1);
  return `nothing that serves the suite's agent answers at ${publicAddress(url)} (${why}): serve conformanceAgent() of @parley/conformance/agent there`;
}

/** Ends the serving side, and waits for it no longer than T. */
async function stop(serving: Serving, scale: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, T_MS * scale);
  await Promise.race([serving.stop().catch(() => {}), late.promise]);
  clearTimeout(timer);
}

/** What is wrong with a transport's declaration (G-02). */
function transportProblems(transport: unknown): readonly string[] {
  if (typeof transport !== "object" || transport === null)
    return [`subject.transport() gave ${show(transport)} in place of a Transport`];
  const { connect, listen, manifest, schemes } = transport as Partial<Record<keyof Transport, unknown>>;
  return [
    ...(typeof connect === "function" ? [] : ["the transport has no connect()"]),
    ...(typeof listen === "function" ? [] : ["the transport has no listen()"]),
    ...(Array.isArray(schemes) ? [] : ["the transport has no schemes"]),
    ...manifestProblems(manifest),
    ...(carriesNothing(manifest) ? ["manifest.kinds are all none: a transport carries at least one kind of call"] : []),
  ];
}

function carriesNothing(manifest: unknown): boolean {
  const { kinds } = (manifest ?? {}) as { readonly kinds?: unknown };
  return typeof kinds === "object" && kinds !== null && Object.values(kinds).every((kind) => kind === "none");
}

/** The worst of several runs: a flake is never retried to green. */
function summary(outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ verdict }) => verdict !== "pass") ?? (outcomes.at(-1) as Outcome); // there is at least one
}

function resultOf(
  { name }: Subject,
  { id, group, level, title }: Scenario,
  outcome: Outcome,
  outcomes: readonly Outcome[] = [],
): Result {
  const passed = outcomes.filter(({ verdict }) => verdict === "pass").length;
  const judged = outcomes.length > 1 && (passed > 0 || outcome.verdict === "fail" || outcome.verdict === "non-strict");
  const flaky = passed > 0 && passed < outcomes.length;
  const message = flaky ? `passed ${passed} of ${outcomes.length} runs\n${outcome.message}` : outcome.message;
  return {
    transport: name,
    scenario: id,
    group,
    level,
    title,
    ...outcome,
    ...(message === undefined ? {} : { message }),
    ...(judged ? { runs: { passed, total: outcomes.length } } : {}),
  };
}
