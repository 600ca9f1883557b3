import { connect, type Remote } from "../../src/agent/connect.ts";
import { ParleyError } from "../../src/call/error.ts";
import type { Interceptor } from "../../src/call/interceptor.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { Aftermath, settled } from "./aftermath.ts";
import { historyProblems, type Operation, orderProblems } from "./history.ts";
import type { Network } from "./network.ts";
import { type Fault, type Plan, STEPS_END_MS, type Step } from "./plan.ts";
import { NOTICE_MS, Servers } from "./servers.ts";
import type { BrokerMischief } from "./simulated-broker.ts";
import { type SimulatedProcess, Simulation } from "./simulation.ts";
import { doStep, type Told } from "./steps.ts";
import type { WireMischief } from "./wire-mischief.ts";
import { type World, world } from "./world-contract.ts";
import { type WorldSetting, worldSettings } from "./worlds.ts";

/** What became of a run. */
export interface Verdict {
  /** What must not be, a sentence each. */
  readonly violations: readonly string[];
  readonly digest: string;
  readonly trace: readonly string[];
  readonly events: number;
}

/** How to run a plan; what is wrong on purpose must be noticed by the checks. */
export interface WorldOptions {
  readonly keepTrace?: boolean;
  /** Around the client's calls, outside of what its world has there. */
  readonly use?: (runtime: Runtime) => readonly Interceptor[];
  /** The same, within. */
  readonly inner?: (runtime: Runtime) => readonly Interceptor[];
  /** In place of what its world has around the servers' calls. */
  readonly serverUse?: (runtime: Runtime) => readonly Interceptor[];
  readonly mischief?: BrokerMischief;
  /** Made for each run. */
  readonly wireMischief?: () => WireMischief;
}

/** When everything must have settled; and when nothing can come late any more, ms. */
const END_MS = STEPS_END_MS + 30_000;
const QUIET_MS = STEPS_END_MS + 1_500;

/** How long a call waits for the connection to come back, ms. */
const WAIT_MS = 1_000;

/** How long calls have that are under way when the client leaves, ms. */
const CLOSE_MS = 500;

/** Runs a plan in virtual time, and checks what both sides saw. */
export async function runPlan(plan: Plan, options: WorldOptions = {}): Promise<Verdict> {
  const simulation = new Simulation(plan.seed, { keepTrace: options.keepTrace ?? false });
  const run = new Run(simulation, plan, options);
  await run.go();
  return {
    violations: run.violations,
    digest: simulation.digest(),
    trace: simulation.trace,
    events: simulation.events,
  };
}

class Run {
  readonly violations: string[] = [];
  readonly #simulation: Simulation;
  readonly #plan: Plan;
  readonly #options: WorldOptions;
  readonly #setting: WorldSetting;
  readonly #network: Network;
  readonly #client: SimulatedProcess;
  readonly #servers: Servers;
  /** What has effects. */
  readonly #operations: Operation[] = [];
  /** All that was called. */
  readonly #asked: Pick<Operation, "id" | "from" | "result">[] = [];
  #open = 0;
  #published = 0;
  /** The client has left before all was over. */
  #closing = false;

  constructor(simulation: Simulation, plan: Plan, options: WorldOptions) {
    const setting = worldSettings[plan.world];
    this.#simulation = simulation;
    this.#plan = plan;
    this.#options = options;
    this.#setting = setting;
    this.#network = setting.network(simulation, {
      broker: options.mischief,
      wire: options.wireMischief?.(),
      violation: (text) => this.#violation(text),
    });
    this.#client = simulation.process("client");
    this.#servers = new Servers({
      simulation,
      network: this.#network,
      use: options.serverUse ?? setting.serverUse,
      violation: (text) => this.#violation(text),
    });
  }

  async go(): Promise<void> {
    const simulation = this.#simulation;
    const remote = await this.#connect();
    remote.connection.onState(({ state }) => simulation.tell(`client is ${state}`));
    this.#publish();
    const start = simulation.now;
    const aftermath = this.#aftermath(remote);
    const isOver = (): boolean => simulation.now > start + QUIET_MS && aftermath.isQuiet;
    for (const fault of this.#plan.faults) simulation.after(fault.atMs, () => this.#strike(fault, remote));
    for (const [id, step] of this.#plan.steps.entries())
      simulation.after(step.atMs, () => void this.#take(remote, id, step));
    await simulation.run(start + END_MS, isOver);
    if (this.#open > 0) this.#violation(`${this.#open} calls never settled`);
    for (const id of this.#servers.running)
      this.#violation(`step ${id}: its handler still runs, though nobody waits for it`);
    const answered = await aftermath.check({ closing: this.#closing, nextId: this.#plan.steps.length });
    if (answered) this.#operations.push(answered);
    for (const problem of this.#historyProblems()) this.#violation(problem);
  }

  async #connect(): Promise<Remote<World>> {
    const simulation = this.#simulation;
    const started = Promise.all(
      Array.from({ length: this.#setting.servers }, (_, place) => this.#servers.start(place)),
    );
    await settled(simulation, "servers start", started);
    const { runtime } = this.#client;
    const { use = () => [], inner = () => [] } = this.#options;
    const dialled = connect(world, "sim://server", {
      transports: [this.#network.transport(this.#client)],
      reconnect: { baseMs: 10, maxMs: 200, waitMs: WAIT_MS, maxWaiting: 8 },
      use: [...use(runtime), ...this.#setting.use(runtime), ...inner(runtime)],
      runtime,
    });
    const remote = await settled(simulation, "the first connection", dialled);
    simulation.tell("connected");
    return remote;
  }

  #aftermath(remote: Remote<World>): Aftermath {
    return new Aftermath({
      simulation: this.#simulation,
      network: this.#network,
      client: this.#client,
      servers: this.#servers,
      remote,
      openSteps: () => this.#open,
      violation: (text) => this.#violation(text),
    });
  }

  #historyProblems(): readonly string[] {
    const { effects, begun } = this.#servers;
    const problems = historyProblems(this.#operations, effects);
    if (!this.#setting.hasSessions(this.#plan)) return problems;
    // What was lost with one session may be begun after what was sent in the next.
    const ordered = this.#setting.isSurvived(this.#plan)
      ? this.#asked
      : this.#asked.filter(({ result }) => result === "ok");
    return [...problems, ...orderProblems(ordered, begun)];
  }

  #strike(fault: Fault, remote: Remote<World>): void {
    this.#simulation.tell(`FAULT ${fault.is}`);
    if (fault.is === "restart") return this.#servers.restart(fault.server, fault.forMs);
    if (fault.is !== "close") return this.#network.strike(fault);
    this.#closing = true;
    this.#network.strike({ is: "cut", atMs: fault.atMs });
    this.#simulation.after(this.#simulation.random.next() * 10, () => void remote.close({ graceMs: CLOSE_MS }));
  }

  async #take(remote: Remote<World>, id: number, step: Step): Promise<void> {
    this.#open++;
    const { does, cancelAfterMs, timeoutMs } = step;
    const controller = new AbortController();
    if (cancelAfterMs !== undefined) this.#simulation.after(cancelAfterMs, () => controller.abort());
    const options = { signal: controller.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const simulation = this.#simulation;
    const { tellsGaps, isSurvived, hasSessions } = this.#setting;
    const from = simulation.now;
    let result: Operation["result"] = "ok";
    let told: Told = { text: "" };
    try {
      told = await doStep({
        remote,
        id,
        step,
        options,
        tellsGaps: tellsGaps(this.#plan),
        isSurvived: isSurvived(this.#plan),
        tellsLoss: hasSessions(this.#plan),
        simulation,
        violation: (text) => this.#violation(text),
      });
      this.#simulation.tell(`${does} ${id}: ${told.text}`);
    } catch (error) {
      if (!(error instanceof ParleyError)) this.#violation(`${does} ${id} failed with ${String(error)}`);
      else {
        result = error.outcome === "not-sent" ? "fail" : "unknown";
        this.#simulation.tell(`${does} ${id}: ${error.code} ${error.outcome}: ${error.message}`);
        this.#checkNeedless(id, step, error, simulation.now - from);
      }
    }
    this.#open--;
    this.#checkTime(id, step, this.#simulation.now - from);
    this.#asked.push({ id, from, result });
    if (hasEffect(does)) {
      const promised = this.#setting.promised(step, this.#plan);
      this.#operations.push({ id, promised, from, to: this.#simulation.now, result, answer: told.answer });
    }
  }

  /** The servers tell the news, one after the other, until the steps are over. */
  #publish(): void {
    if (this.#simulation.now > STEPS_END_MS) return;
    this.#servers.publish(++this.#published);
    this.#simulation.after(50, () => this.#publish());
  }

  /** Where nothing goes wrong, and nobody gives up, nothing fails; nor where a session outlives what goes wrong, unless it had no room. */
  #checkNeedless(id: number, step: Step, error: ParleyError, tookMs: number): void {
    const { code, outcome } = error;
    if (this.#setting.hasSessions(this.#plan) && code === "unavailable" && outcome === "not-sent" && tookMs < WAIT_MS)
      this.#violation(`${step.does} ${id} never left, and was given up after ${tookMs.toFixed()} ms: ${error.message}`);
    if (this.#plan.faults.length > 0) {
      if (!this.#setting.isSurvived(this.#plan) || outcome === "not-sent") return;
      if (code === "deadline_exceeded" && step.timeoutMs !== undefined) return;
      if (code === "cancelled" && step.cancelAfterMs !== undefined) return;
    } else if (step.cancelAfterMs !== undefined || step.timeoutMs !== undefined) return;
    // A long stream takes longer than its world allows.
    if (error.code === "deadline_exceeded" && step.does === "stream") return;
    this.#violation(`${step.does} ${id} failed without a cause: ${error.message}`);
  }

  #checkTime(id: number, { does, timeoutMs, cancelAfterMs }: Step, tookMs: number): void {
    const { deadlineMs } = this.#setting;
    const allowed = [cancelAfterMs];
    // A subscription has its time to become active.
    if (does !== "subscribe") allowed.push(timeoutMs, deadlineMs);
    const least = Math.min(...allowed.filter((ms) => ms !== undefined));
    if (tookMs > least + NOTICE_MS) this.#violation(`${does} ${id} took ${tookMs.toFixed()} ms, and had ${least} ms`);
  }

  #violation(text: string): void {
    this.#simulation.tell(`VIOLATION ${text}`);
    this.violations.push(text);
  }
}

function hasEffect(does: Step["does"]): boolean {
  return does !== "stream" && does !== "upload" && does !== "chat" && does !== "subscribe";
}
