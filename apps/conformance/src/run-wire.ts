import { type Manifest, manifestProblems, type Transport } from "@parley/core/transport";
import { History } from "./history.ts";
import { watchRejections } from "./hygiene.ts";
import type { Result } from "./result.ts";
import { type Outcome, runScenario, T_MS, type Wire } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import type { Serving } from "./serving/control.ts";
import { forkServing } from "./serving/forked.ts";
import { createServing } from "./serving/local.ts";
import type { Subject } from "./subject.ts";
import { createFrameTap } from "./tap/frame-tap.ts";
import { show } from "./witness.ts";

/** How to run one wire. */
export interface WireOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: string;
  /** Multiplies all times. */
  readonly scale: number;
  /** How often each scenario is run. @default 1 */
  readonly repeat?: number;
  /** URL of the subject's module, for the serving process; without it both sides live in this one. */
  readonly module?: string | undefined;
  onManifest?(manifest: Manifest): void;
  onStart?(scenario: Scenario): void;
  onResult(result: Result): void;
}

/** Runs scenarios on one wire, one after the other. Every one of them gets a result, whatever the subject does. */
export async function runWire(subject: Subject, options: WireOptions): Promise<void> {
  const { scenarios, seed, scale, repeat = 1, onStart, onResult, onManifest } = options;
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
  const rejections = watchRejections();
  const refusals: Wire["refusals"] = new Map();
  const start = (): Promise<Serving> =>
    options.module === undefined || frameTap
      ? Promise.resolve(createServing(transport, subject.url))
      : forkServing(options.module, 5 * T_MS * scale);
  let serving: Serving | undefined;
  try {
    for (const scenario of scenarios) {
      onStart?.(scenario);
      const outcomes: Outcome[] = [];
      for (let run = 0; run < repeat; run++) {
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
          seed: `${seed}${run === 0 ? "" : `#${run}`}`,
          scale,
          rejections,
          frameTap,
          serving,
          refusals,
        };
        const outcome = await runScenario(scenario, wire);
        outcomes.push(outcome);
        if (outcome.verdict === "pass" || outcome.verdict === "unsupported" || outcome.verdict === "n/a") continue;
        // What failed may have left something behind that the next scenario must not suffer from.
        await stop(serving, scale);
        serving = undefined;
      }
      onResult(resultOf(subject, scenario, summary(outcomes), outcomes));
    }
  } finally {
    if (serving) await stop(serving, scale);
    rejections.stop();
  }
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
