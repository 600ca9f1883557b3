import { parseArgs } from "node:util";
import { type ContenderName, contenders, type Measure, measures, type Size, sizes, type Wire, wires } from "./plan.ts";
import type { RunOptions } from "./run.ts";

/** What the command line asks for. */
export interface Arguments extends RunOptions {
  readonly help: boolean;
  /** File for the figures as JSON. */
  readonly json: string | undefined;
  /** File for a chart of the ratios. */
  readonly svg: string | undefined;
}

/** The command line makes no sense; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const MAX_ROUNDS = 1_000;

export const help: string = `Measures Parley against the raw library of each protocol, side by side.

pnpm bench [options]

  --wire LIST       ${wires.join(", ")} (default: all)
  --measure LIST    ${measures.join(", ")} (default: all)
  --size LIST       ${sizes.join(", ")} (default: all)
  --contender LIST  ${contenders.join(", ")} (default: all; raw always runs)
  --rounds N        measured rounds (default: 9; at least 5 to be quoted)
  --quick           3 short rounds: a smoke test, not figures
  --json FILE       write ratios, absolute figures, machine and versions
  --svg FILE        draw the ratios
  --help            show this

LIST is separated by commas. A ratio is Parley's speed divided by raw's in the same round: above 1, Parley is faster.
`;

const flags = {
  wire: { type: "string" },
  measure: { type: "string" },
  size: { type: "string" },
  contender: { type: "string" },
  rounds: { type: "string" },
  quick: { type: "boolean" },
  json: { type: "string" },
  svg: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line. @throws UsageError */
export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  const quick = values.quick ?? false;
  return {
    help: values.help ?? false,
    json: values.json,
    svg: values.svg,
    wires: readList<Wire>("--wire", values.wire, wires),
    measures: readList<Measure>("--measure", values.measure, measures),
    sizes: readList<Size>("--size", values.size, sizes),
    contenders: withRaw(readList<ContenderName>("--contender", values.contender, contenders)),
    rounds: readRounds(values.rounds, quick ? 3 : 9),
    scale: quick ? 0.1 : 1,
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof flags }>>["values"] {
  // pnpm hands on the `--` that separates its own options.
  const own = args[0] === "--" ? args.slice(1) : args;
  try {
    return parseArgs({ args: [...own], options: flags }).values;
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string };
    if (!code?.startsWith("ERR_PARSE_ARGS")) throw error;
    const names = Object.keys(flags).map((name) => `--${name}`);
    throw new UsageError(`${message.split(/\.\s/, 1)[0]}; the options are ${names.join(", ")}`);
  }
}

function readList<Name extends string>(
  flag: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known;
  const asked = text.split(",").map((name) => name.trim());
  const unknown = asked.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined)
    throw new UsageError(`${flag} takes ${known.join(", ")}, and not ${JSON.stringify(unknown)}`);
  return known.filter((name) => asked.includes(name));
}

/** Whatever is asked for is measured against raw. */
function withRaw(asked: readonly ContenderName[]): readonly ContenderName[] {
  return asked.includes("raw") ? asked : ["raw", ...asked];
}

function readRounds(text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS) return rounds;
  throw new UsageError(`--rounds takes a whole number from 1 to ${MAX_ROUNDS}, and not ${JSON.stringify(text)}`);
}
