import type { Page } from "playwright-core";
import { bundle } from "./bundle.ts";
import { openScript, type Site, startChromium } from "./chromium.ts";
import { type Lab, openLab } from "./lab.ts";

/** A page that calls agents, in a Chromium of its own, and what it calls. */
export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  /** Where the page is from. */
  readonly site: Site;
  readonly lab: Lab;
  /** The program of the page. */
  readonly script: string;
}

/** Opens it, over TLS or not. When that fails nothing stays open. */
export async function openPage({ secure = false } = {}): Promise<OpenedPage> {
  await using opening = new AsyncDisposableStack();
  const { text: script } = await bundle(`import "./page.ts";`);
  const site = opening.use(await openScript(script, { secure }));
  const lab = opening.use(await openLab({ allowedOrigins: [site.origin], secure }));
  const browser = opening.use(await startChromium({ trusting: secure }));
  const page = await browser.newPage();
  await page.goto(site.origin);
  const opened = opening.move();
  return { page, site, lab, script, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
