// Builds the site: pages from the repository's Markdown, the reference from its docstrings, and a folder that any web server serves.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vitepress";
import { findFaults } from "./check.ts";
import { findPages, writePages } from "./pages.ts";
import { writeReference } from "./reference.ts";

const site = join(import.meta.dirname, "..");
const repository = fileURLToPath(new URL("../../..", import.meta.url));
const pages = join(site, "pages");

writePages(repository, pages, new URL("https://github.com/parley-dev/parley/blob/main/"));
await writeReference(repository, join(pages, "reference"));
await build(site);

const expected = [...findPages(repository).map(({ page }) => page), "reference/index.md"];
const faults = await findFaults(
  join(site, "dist"),
  expected.map((page) => page.replace(/\.md$/, ".html")),
);
for (const fault of faults) console.error(fault);
console.log(`${expected.length} pages and their reference: ${faults.length} faults`);
if (faults.length > 0) process.exitCode = 1;
