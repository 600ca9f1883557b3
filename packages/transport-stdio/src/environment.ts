import { ParleyError, type PresentOptions, presenterOf } from "@parley/core/transport";
import type { ChildOptions } from "./child-options.ts";

/** What a child inherits: where programs, homes and temporary files are, who runs it, and how to write text. */
const inherited: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "LANG",
  "TERM",
  "TMPDIR",
  "TZ",
  "USER",
  "SHELL",
  // Windows; many programs do not start without them.
  "APPDATA",
  "COMSPEC",
  "HOMEDRIVE",
  "HOMEPATH",
  "LOCALAPPDATA",
  "PATHEXT",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "SYSTEMDRIVE",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "USERNAME",
  "USERPROFILE",
  "WINDIR",
]);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of a child: of the parent's what is on a short list, and all of `own`. So neither secrets nor what changes how
 * programs run (`NODE_OPTIONS`, `LD_PRELOAD`) is passed on unasked.
 */
export function childEnvironment(parent: Environment, own: Environment = {}): Record<string, string> {
  const entries = Object.entries(parent).filter(([name]) => isInherited(name));
  return Object.fromEntries(
    [...entries, ...Object.entries(own)].filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * The variables of a child that its options say, with the one that tells it who calls.
 * @throws ParleyError `invalid_argument`, and what the credentials throw
 */
export async function ownEnvironment(
  { env = {}, credentials, credentialVariable: name }: Pick<ChildOptions, "env" | "credentials" | "credentialVariable">,
  patience: PresentOptions,
): Promise<Readonly<Record<string, string>>> {
  const presenter = presenterOf(credentials);
  if (!presenter) return env;
  if (name === undefined || !/^[A-Za-z_]\w*$/.test(name)) {
    const given = name === undefined ? "is missing" : `${JSON.stringify(name)} is no name of a variable`;
    const problem = `the option credentialVariable ${given}; say { credentials, credentialVariable: "API_TOKEN" }`;
    throw new ParleyError("invalid_argument", problem, { outcome: "not-sent" });
  }
  return { ...env, [name]: (await presenter.presentWithin(patience)).text() };
}

function isInherited(name: string): boolean {
  // Names differ in case on Windows: `Path`, `SystemRoot`.
  const plain = process.platform === "win32" ? name.toUpperCase() : name;
  return inherited.has(plain) || plain.startsWith("LC_");
}
