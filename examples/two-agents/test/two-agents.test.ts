import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";

const children: ChildProcess[] = [];

afterEach(async () => {
  await Promise.all(
    children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
    }),
  );
});

function run(program: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [new URL(`../src/${program}`, import.meta.url).pathname, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return child;
}

/** The URL that a program prints when it listens. */
async function urlOf(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += chunk;
    const url = / at (\S+)\n/.exec(text)?.[1];
    if (url) return url;
  }
  throw new Error(`it printed no URL: ${text}`);
}

async function output(child: ChildProcess): Promise<{ code: number; text: string }> {
  let text = "";
  child.stdout?.on("data", (chunk) => (text += chunk));
  child.stderr?.on("data", (chunk) => (text += chunk));
  const [code] = await once(child, "close");
  return { code, text };
}

it.each(["ws", "http"])("two agents answer together over %s, and every process ends by itself", async (scheme) => {
  const expert = await urlOf(run("expert.ts", `${scheme}://127.0.0.1:0`));
  const editor = await urlOf(run("editor.ts", expert, `${scheme}://127.0.0.1:0`));
  expect(await output(run("ask.ts", editor, "Why is the sea salty?"))).toEqual({
    code: 0,
    text: "Rivers bring salt and only water leaves — that is all. \n",
  });
});

it("an error of the far agent reaches the one who asked", async () => {
  const expert = await urlOf(run("expert.ts", "ws://127.0.0.1:0"));
  const editor = await urlOf(run("editor.ts", expert, "http://127.0.0.1:0"));
  const { code, text } = await output(run("ask.ts", editor, "Why?"));
  expect(code).not.toBe(0);
  expect(text).toContain('the expert knows nothing of "Why?"');
});
