import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

/**
 * A program that a transport starts as its child, and that behaves as it is told: at its start by its first argument, later by what it is
 * asked. It speaks no more of the wire format than that takes. Its second argument is a file in which it keeps a journal; whatever it leaves
 * behind has that among its arguments.
 */
const [, , mode = "", journal = ""] = process.argv;

/** What was asked of it. */
interface Opener {
  readonly id: string;
  readonly type: string;
  readonly kind: string;
  readonly call: number;
  readonly data?: unknown;
}

const note = (word: string): void => appendFileSync(journal, `${word}\n`);

/** What programs print that were not written for this. */
const NOISE = "starting…\n\n\u001b[32mready\u001b[0m\r\n\ufeff{not json}\n   \nlistening at {}\n";

note("started");
if (mode === "crash") {
  process.stderr.write("cannot find my configuration\n");
  process.exit(9);
}
if (mode === "stubborn") {
  process.on("SIGTERM", () => note("SIGTERM"));
  setInterval(() => {}, 60_000);
}
if (mode === "heir" || mode === "heir-apart") {
  const script = "process.on('SIGTERM', () => {}); setInterval(() => {}, 60_000); console.error('heir');";
  const heir = spawn(process.execPath, ["-e", script, journal], {
    stdio: ["ignore", "inherit", "pipe"],
    detached: mode === "heir-apart",
  });
  heir.stderr?.once("data", () => {
    heir.unref();
    heir.stderr?.destroy();
    listen();
  });
} else listen();

function listen(): void {
  let rest = "";
  process.stdin.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) receive(JSON.parse(line) as Opener); // its parent is the suite
  });
  process.stdin.on("end", () => note("the end of stdin"));
}

let counted = 0;

function receive(opener: Opener): void {
  const operation = opener.type.split(".").at(-2);
  const answer = (data?: unknown): void => send(opener, "reply", "r", { data });
  switch (operation) {
    case "hello":
      answer();
      if (mode === "brief") setTimeout(() => process.exit(4), 20);
      return;
    case "ping":
      return answer();
    case "pid":
      return answer(process.pid);
    case "count":
      return answer(++counted);
    case "items":
      answer();
      for (const seq of [1, 2, 3]) send(opener, "item", `s${seq}`, { seq, data: seq });
      return;
    case "exit":
      // In the middle of a line.
      process.stdout.write('{"specversion":"1.0","id":"cut', () => process.exit(Number(opener.data)));
      return;
    case "noise":
      process.stdout.write(NOISE);
      return answer("after the noise");
    case "flood": {
      const lie = `${event(opener, "reply", "r", { data: "from stderr" })}\n`;
      process.stderr.write(lie.repeat(Math.ceil(Number(opener.data) / lie.length)), () => {
        note("flooded");
        answer("from stdout");
      });
      return;
    }
    default:
    // Never answered.
  }
}

function send(opener: Opener, kind: string, mark: string, more: object): void {
  process.stdout.write(`${event(opener, kind, mark, more)}\n`);
}

function event({ id, type, call }: Opener, kind: string, mark: string, more: object): string {
  return JSON.stringify({ specversion: "1.0", id: `${id}.${mark}`, source: "/program", type, kind, call, ...more });
}
