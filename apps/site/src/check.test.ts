import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findFaults } from "./check.ts";

let dist: string;

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), "site-"));
  write("index.html", page(`<a href="./guide/first.html#a-b">first</a> <a href="https://example.com/x#y">out</a>`));
  write("guide/first.html", page(`<h2 id="a-b">A b</h2><a href="/">back</a> <img src="/picture.svg">`));
  write("picture.svg", "<svg/>");
  searchable("/#title", "/guide/first.html#title");
});

afterEach(() => rmSync(dist, { recursive: true, force: true }));

it("a site whose pages are there, lead to one another and are found has no faults", async () => {
  expect(await findFaults(dist, ["index.html", "guide/first.html"])).toEqual([]);
});

it.each([
  ["a page that is missing", "guide/other.html", page("text"), ["/guide/second.html is missing"]],
  ["a page without text", "guide/second.html", page(""), ["/guide/second.html is empty"]],
  [
    "a link to no page",
    "guide/second.html",
    page(`<a href="third.html">third</a>`),
    ["/guide/second.html leads to third.html, which is not there"],
  ],
  [
    "a link to no heading",
    "guide/second.html",
    page(`<a href="first.html#c">c</a>`),
    ["/guide/second.html leads to first.html#c, whose heading is not there"],
  ],
  [
    "a picture that is missing",
    "guide/second.html",
    page(`text <img src="./none.png">`),
    ["/guide/second.html leads to ./none.png, which is not there"],
  ],
])("tells of %s", async (_what, path, html, faults) => {
  write(path, html);
  searchable("/#title", "/guide/first.html#title", `/${path}#title`);
  expect(await findFaults(dist, ["guide/second.html"])).toEqual(faults);
});

it("tells of a page that is not found by searching", async () => {
  searchable("/#title");
  expect(await findFaults(dist, [])).toEqual(["/guide/first.html is not found by searching"]);
});

it("tells of a search index that is not there", async () => {
  rmSync(join(dist, "assets"), { recursive: true });
  expect(await findFaults(dist, [])).toHaveLength(2);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  writeFileSync(join(dist, path), text);
}

function page(content: string): string {
  return `<main class="main"><h1 id="title">Title</h1>${content}</main>`;
}

function searchable(...ids: string[]): void {
  const index = JSON.stringify({ documentIds: Object.fromEntries(ids.entries()) });
  write("assets/chunks/@localSearchIndexroot.x.js", `export default ${JSON.stringify(index)};`);
}
