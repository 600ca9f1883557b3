import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { Application } from "typedoc";

/** What is written of: what a program imports, and the source file that it means. */
interface EntryPoint {
  readonly specifier: string;
  readonly file: string;
}

/** A member of an exports map: for all, or for browsers and for the rest. */
type Export = { readonly types: string } | { readonly default: { readonly types: string } };

function findEntryPoints(repository: string): readonly EntryPoint[] {
  return globSync("packages/*/package.json", { cwd: repository })
    .sort()
    .flatMap((manifest) => {
      const {
        name,
        private: hidden,
        exports,
      } = JSON.parse(readFileSync(join(repository, manifest), "utf8")) as {
        readonly name: string;
        readonly private?: boolean;
        readonly exports: Readonly<Record<string, Export>>;
      };
      if (hidden) return [];
      return Object.entries(exports).map(([path, entry]) => {
        const { types } = "types" in entry ? entry : entry.default; // of a page's side, the pages say what differs
        return {
          specifier: posix.join(name, path),
          file: posix.join(dirname(manifest), types.replace("/dist/", "/src/").replace(/\.d\.ts$/, ".ts")),
        };
      });
    });
}

/** Writes a page for everything that the packages export, from its docstrings. */
export async function writeReference(repository: string, target: string): Promise<void> {
  const entryPoints = findEntryPoints(repository);
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: entryPoints.map(({ file }) => join(repository, file)),
    tsconfig: join(import.meta.dirname, "../tsconfig.reference.json"),
    out: target,
    readme: "none",
    name: "Reference",
    logLevel: "Warn",
    excludePrivate: true,
    excludeExternals: true,
    githubPages: false,
    disableSources: true,
    ...layout,
  } as Parameters<typeof Application.bootstrapWithPlugins>[0]);
  const project = await app.convert();
  if (!project) throw new Error("typedoc found nothing to write of: its messages above say why");
  // TypeDoc knows modules by their files, and readers by what they import.
  for (const module of project.children ?? []) {
    const entry = entryPoints.find(({ file }) => file === `packages/${module.name}/index.ts`);
    if (entry) module.name = entry.specifier;
  }
  await app.generateOutputs(project);
}

/** Options of typedoc-plugin-markdown. */
const layout = {
  entryFileName: "index",
  indexFormat: "table",
  hidePageHeader: true,
  hidePageTitle: false,
  hideGroupHeadings: false,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  typeDeclarationFormat: "table",
  enumMembersFormat: "table",
  useCodeBlocks: true,
  expandObjects: true,
  sanitizeComments: true,
};
