/** What every README has, since on the registry's page nothing else explains the package; and what that of a transport has besides. */
const SECTIONS: readonly string[] = ["Options", "Mapping", "Limits"];

/** Longest program that shows what a package is for: about ten lines, and what it imports and its blank lines. */
const MAX_LINES = 24;

/** What a README is to agree with. */
interface Described {
  readonly name: string;
  /** The source of the options of a transport. */
  readonly options: string | undefined;
}

/** Where a README does not stand alone. */
export function readmeProblems(text: string, { name, options }: Described): string[] {
  const optional = [...(options?.matchAll(/^\s+readonly (\w+)\?:/gm) ?? [])].map(([, option = ""]) => option);
  const [, sentence = "", beginning = ""] = /^# \S+\n\n(.+?)\n\n(.*?)^## /ms.exec(text) ?? [];
  const program = /^```ts\n(.*?)^```$/ms.exec(text)?.[1] ?? "";
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const sections = new Set([...text.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title));
  const said: readonly (readonly [right: boolean, what: string])[] = [
    [text.startsWith(`# ${name}\n`), `its title is not ${name}`],
    [sentence.includes("."), "no sentence below the title says what it is"],
    [/^npm install .*$/m.exec(beginning)?.[0].includes(name) === true, "its beginning does not say how to install it"],
    [program !== "", "it shows no program"],
    [program.split("\n").length <= MAX_LINES, `its first program has more than ${MAX_LINES} lines`],
    [/MIT/.test(text.slice(-100)), "its end does not name the licence"],
  ];
  const wanted = name.includes("transport-") ? SECTIONS : ["Limits"];
  return [
    ...said.filter(([right]) => !right).map(([, what]) => what),
    ...wanted.filter((title) => !sections.has(title)).map((title) => `no section ${title}`),
    ...optional.filter((option) => !new RegExp(`\\b${option}\\b`).test(text)).map((option) => `no word of ${option}`),
    ...links
      .filter((target) => !/^(https?:|#)/.test(target))
      .map((target) => `${target} leads nowhere on the registry's page`),
  ].map((problem) => `README.md: ${problem}`);
}
