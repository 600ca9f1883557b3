import { existsSync, globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { withSlashes } from "./pages.ts";

/** What a reader of the built site would stumble over: pages that are not there or empty, links and pictures that lead nowhere, what is not found by searching. */
export async function findFaults(dist: string, expected: readonly string[]): Promise<readonly string[]> {
  const paths = globSync("**/*.html", { cwd: dist }).map(withSlashes).sort();
  const pages = new Map(paths.map((path) => [`/${path}`, pageOf(readFileSync(join(dist, path), "utf8"))]));
  const missing = expected.filter((path) => !pages.has(`/${path}`)).map((path) => `/${path} is missing`);
  const searched = await findSearched(dist);
  const broken = [...pages]
    .filter(([path]) => path !== "/404.html")
    .flatMap(([path, page]) => [
      ...(page.empty ? [`${path} is empty`] : []),
      ...(searched.has(path) ? [] : [`${path} is not found by searching`]),
      ...page.links.flatMap((link) => faultOf(link, path, dist, pages)),
    ]);
  return [...missing, ...broken];
}

/** What a page has beneath its heading, what it leads to, and what leads into it. */
interface Page {
  readonly empty: boolean;
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

function pageOf(html: string): Page {
  const attributes = (pattern: RegExp): string[] => [...html.matchAll(pattern)].map(([, value = ""]) => value);
  const [, text = ""] = /<main\b[^>]*>.*?<\/h1>(.*)<\/main>/s.exec(html) ?? [];
  return {
    empty: !/\S/.test(text.replace(/<[^>]*>/g, "")),
    links: [...new Set(attributes(/<[a-z][^>]*\s(?:href|src)="([^"]+)"/g))],
    anchors: new Set(attributes(/<[a-z][^>]*\sid="([^"]+)"/g)),
  };
}

/** What is wrong with a link, if anything is; those to elsewhere are not looked at. */
function faultOf(link: string, from: string, dist: string, pages: ReadonlyMap<string, Page>): readonly string[] {
  const site = "http://site.invalid";
  const { origin, pathname, hash } = new URL(link.replaceAll("&amp;", "&"), site + from);
  if (origin !== site) return [];
  const path = decodeURI(pathname).replace(/\/$/, "/index.html");
  const page = pages.get(path);
  if (!page) return existsSync(join(dist, path)) ? [] : [`${from} leads to ${link}, which is not there`];
  const anchor = decodeURIComponent(hash.slice(1));
  return anchor === "" || page.anchors.has(anchor) ? [] : [`${from} leads to ${link}, whose heading is not there`];
}

/** The pages that the search index of VitePress knows. */
async function findSearched(dist: string): Promise<ReadonlySet<string>> {
  const [index] = globSync("assets/chunks/@localSearchIndex*.js", { cwd: dist });
  if (index === undefined) return new Set();
  const { default: text } = (await import(pathToFileURL(join(dist, index)).href)) as { readonly default: string };
  const { documentIds } = JSON.parse(text) as { readonly documentIds: Readonly<Record<string, string>> };
  return new Set(
    Object.values(documentIds).map((id) => {
      const path = id.replace(/#.*$/, "");
      return path.endsWith("/") ? posix.join(path, "index.html") : path;
    }),
  );
}
