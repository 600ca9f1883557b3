/**
 * How often an operation may have its effect:
 *
 * - `once`: once if it succeeded, at most once otherwise.
 * - `once-a-life`: as often as it likes in all, but at least once if it succeeded, and at most once in each life of a process that answers.
 * - `at-most-once`: that it succeeded says only that it was handed over.
 */
export type Promised = "once" | "once-a-life" | "at-most-once";

/** One operation as its caller saw it. */
export interface Operation {
  readonly id: number;
  readonly promised: Promised;
  /** When it began and when it was over, ms. */
  readonly from: number;
  readonly to: number;
  /** `fail`: it had no effect; `unknown`: it may have had one. */
  readonly result: "ok" | "fail" | "unknown";
  /** Number of the effect that it was told of, where there is an answer. */
  readonly answer?: number | undefined;
}

/** One effect, as whoever looks at all processes from outside saw it. */
export interface Effect {
  /** Number among all effects. */
  readonly number: number;
  /** The operation that it is of. */
  readonly id: number;
  /** The life of a process in which it was had. */
  readonly life: string;
  readonly at: number;
}

/**
 * What is wrong with a history, a sentence each: whether there is any way in which the effects can be what the callers were told. After the
 * checkers of Jepsen (K. Kingsbury): what succeeded counts as one, what failed as none, and of what is unknown both are allowed.
 */
export function historyProblems(operations: readonly Operation[], effects: readonly Effect[]): readonly string[] {
  const byOperation = Map.groupBy(effects, ({ id }) => id);
  const known = new Set(operations.map(({ id }) => id));
  const unasked = effects.filter(({ id }) => !known.has(id)).map(({ id }) => `nobody asked for the effect of ${id}`);
  return [...unasked, ...operations.flatMap((operation) => problemsOf(operation, byOperation.get(operation.id) ?? []))];
}

/** What is wrong with the order in which operations were begun, by id: who asks for one after the other over one wire has them begun in this order. */
export function orderProblems(
  asked: readonly Pick<Operation, "id" | "from">[],
  begun: readonly number[],
): readonly string[] {
  const both = asked.map(({ id, from }) => ({ id, from, at: begun.indexOf(id) })).filter(({ at }) => at >= 0);
  return both.flatMap((later) =>
    both
      .filter((earlier) => earlier.from < later.from && earlier.at > later.at)
      .map((earlier) => `${later.id} was begun before ${earlier.id}, which was asked for first`),
  );
}

function problemsOf(operation: Operation, effects: readonly Effect[]): readonly string[] {
  const { id, promised, from, to, result, answer } = operation;
  const problems: string[] = [];
  const times = effects.length;
  if (result === "fail" && times > 0) problems.push(`${id} failed as not-sent, and ran ${times} times`);
  if (result === "ok" && promised !== "at-most-once" && times === 0) problems.push(`${id} succeeded, and did not run`);
  if (promised !== "once-a-life" && times > 1) problems.push(`${id} ran ${times} times`);
  if (promised === "once-a-life") {
    for (const [life, own] of Map.groupBy(effects, (effect) => effect.life))
      if (own.length > 1) problems.push(`${id} ran ${own.length} times in ${life}`);
  }
  if (effects.some(({ at }) => at < from)) problems.push(`${id} ran before it was asked for`);
  if (answer !== undefined && !effects.some(({ number, at }) => number === answer && at <= to))
    problems.push(`${id} was answered with the effect ${answer}, which is none of its own by then`);
  return problems;
}
