import { parseArgs } from "node:util";
import { withoutLogin } from "./hide.ts";
import { nearest } from "./nearest.ts";
import { type Profile, profiles } from "./profile.ts";

/** What the command line asks for. */
export interface Options {
  readonly only?: readonly string[] | undefined;
  readonly transports?: readonly string[] | undefined;
  /** Command lines of programs in other languages. */
  readonly commands: readonly string[];
  /** Where brokers are, or servers of the user's own. */
  readonly urls: readonly string[];
  readonly profile: Profile;
  readonly seed?: string | undefined;
  readonly repeat: number;
  readonly minGraded: number;
  readonly strict: boolean;
  readonly timeScale?: number | undefined;
  readonly json?: string | undefined;
  readonly junit?: string | undefined;
  readonly html?: string | undefined;
  /** Directory for certificates. */
  readonly certificate?: string | undefined;
  /** Directory for badges. */
  readonly badge?: string | undefined;
  readonly mutants: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const known = {
  only: { ...text, multiple: true },
  transport: { ...text, multiple: true },
  command: { ...text, multiple: true },
  url: { ...text, multiple: true },
  profile: text,
  seed: text,
  repeat: text,
  "min-graded": text,
  strict: flag,
  "time-scale": text,
  json: text,
  junit: text,
  html: text,
  certificate: text,
  badge: text,
  mutants: flag,
  list: flag,
  help: { ...flag, short: "h" },
  version: { ...flag, short: "v" },
} as const;

/**
 * Reads a command line.
 * @throws RangeError saying what is wrong with it and what was perhaps meant.
 */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    only: list(values.only, "--only"),
    transports: list(values.transport, "--transport"),
    commands: values.command ?? [],
    urls: (list(values.url, "--url") ?? []).map(placeUrl),
    profile: profileNamed(values.profile ?? "quick"),
    seed: values.seed,
    repeat: wholeNumber("--repeat", values.repeat) ?? 1,
    minGraded: wholeNumber("--min-graded", values["min-graded"]) ?? 1,
    strict: values.strict ?? false,
    timeScale: positiveNumber("--time-scale", values["time-scale"]),
    json: values.json,
    junit: values.junit,
    html: values.html,
    certificate: values.certificate,
    badge: values.badge,
    mutants: values.mutants ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  };
}

function parse(args: readonly string[]) {
  const names = Object.keys(known);
  const unknown = args.find(
    (arg) => arg.startsWith("--") && arg !== "--" && !names.includes(arg.slice(2).split("=", 1)[0] ?? ""),
  );
  if (unknown !== undefined) {
    const name = unknown.slice(2).split("=", 1)[0] ?? "";
    const meant = nearest(name, names);
    throw new RangeError(`there is no option --${name}${meant === undefined ? "" : `; did you mean --${meant}?`}`);
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: known,
      strict: true,
      allowPositionals: true,
    });
    if (positionals.length > 0) {
      throw new RangeError(
        `${JSON.stringify(positionals[0])} belongs to no option; scenarios are chosen with --only, wires with --transport, and certificates are compared with parley-conformance compare`,
      );
    }
    return values;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new RangeError((error as Error).message.split(". ", 1)[0]); // parseArgs throws TypeErrors
  }
}

function list(values: readonly string[] | undefined, option: string): readonly string[] | undefined {
  if (values === undefined) return undefined;
  const names = values
    .flatMap((value) => value.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new RangeError(`${option} names nothing`);
  return [...new Set(names)];
}

function profileNamed(name: string): Profile {
  const profile = profiles.find((one) => one === name);
  if (!profile)
    throw new RangeError(`--profile is one of ${profiles.join(", ")}, and was given ${JSON.stringify(name)}`);
  return profile;
}

function placeUrl(text: string): string {
  if (!URL.canParse(text) || new URL(text).hostname === "")
    throw new RangeError(
      `--url takes the address of a broker or a server, as in mqtt://127.0.0.1:1883 or ws://127.0.0.1:7070, and was given ${JSON.stringify(withoutLogin(text))}`,
    );
  return text;
}

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new RangeError(`${option} takes a whole number from 1, and was given ${JSON.stringify(value)}`);
  return number;
}

function positiveNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!(number > 0 && number <= 100))
    throw new RangeError(`${option} takes a number above 0 and up to 100, and was given ${JSON.stringify(value)}`);
  return number;
}
