import { parseArgs } from "node:util";
import { otherNames } from "./others.ts";
import {
  type ContenderName,
  type Curve,
  contenders,
  curves,
  type Extra,
  extras,
  type Measure,
  measures,
  ownContenders,
  type Size,
  sizes,
  type Wire,
  wires,
} from "./plan.ts";

/** What the command line asks for. */
export interface Arguments {
  readonly help: boolean;
  readonly wires: readonly Wire[];
  readonly measures: readonly Measure[];
  readonly curves: readonly Curve[];
  readonly extras: readonly Extra[];
  readonly sizes: readonly Size[];
  /** Raw first. */
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** Length of a slice of work, 1 being the full one. */
  readonly scale: number;
  /** File of an earlier run's figures, to be shown instead of measuring. */
  readonly from: string | undefined;
  /** File for the figures as JSON. */
  readonly json: string | undefined;
  /** File for the chart. */
  readonly svg: string | undefined;
  /** Folder for `performance.md`, and its figures and chart. */
  readonly docs: string | undefined;
}

/** The command line makes no sense; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const MAX_ROUNDS = 1_000;

export const help: string = `Measures Parley against the raw library of each protocol and other frameworks, side by side.

pnpm bench [options]

  --wire LIST       ${wires.join(", ")} (default: all)
  --measure LIST    ${measures.join(", ")},
                    ${curves.join(", ")},
                    ${extras.join(", ")} (default: all)
  --size LIST       ${sizes.join(", ")} (default: all)
  --contender LIST  ${ownContenders.join(", ")},
                    ${otherNames.join(", ")}
                    (default: all; raw always runs)
  --rounds N        measured rounds (default: 9; at least 5 to be quoted)
  --quick           2 short rounds of small events: a smoke test, not figures
  --from FILE       show what an earlier run wrote with --json, measure nothing
  --json FILE       write all figures, machine and versions
  --svg FILE        draw the ratios and the curves
  --docs FOLDER     write performance.md with its figures and chart
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
  from: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
  docs: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line. @throws UsageError */
export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  const quick = values.quick ?? false;
  const measured = readList("--measure", values.measure, [...measures, ...curves, ...extras]);
  return {
    help: values.help ?? false,
    from: values.from,
    json: values.json,
    svg: values.svg,
    docs: values.docs,
    wires: readList<Wire>("--wire", values.wire, wires),
    measures: measures.filter((one) => measured.includes(one)),
    curves: curves.filter((one) => measured.includes(one)),
    extras: extras.filter((one) => measured.includes(one)),
    sizes: values.size === undefined && quick ? ["small"] : readList<Size>("--size", values.size, sizes),
    contenders: withRaw(readList<ContenderName>("--contender", values.contender, contenders)),
    rounds: readRounds(values.rounds, quick ? 2 : 9),
    scale: quick ? 0.02 : 1,
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
