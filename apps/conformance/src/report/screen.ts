import { styleText } from "node:util";

/** Where text for people goes. */
export interface Screen {
  write(text: string): void;
  /** Lines can be taken back and written anew. */
  readonly live: boolean;
  /** The text in a style, or as it is where colours are not wanted. */
  style(style: Style, text: string): string;
}

/** What the reports emphasise with. */
export type Style = "green" | "red" | "yellow" | "gray" | "bold" | "cyan" | "magenta";

/** The terminal of this process. Without a TTY there is no live progress; NO_COLOR and FORCE_COLOR are heeded. */
export function processScreen(): Screen {
  const { stdout } = process;
  return {
    write: (text) => void stdout.write(text),
    // Lines that wrap could not be taken back.
    live: stdout.isTTY === true && stdout.columns >= 80 && process.env["TERM"] !== "dumb",
    style: (style, text) => styleText(style, text, { stream: stdout, validateStream: true }),
  };
}

/** A screen that keeps what is written, without colours. */
export function memoryScreen(): Screen & { text(): string } {
  let all = "";
  return {
    write: (text) => {
      all += text;
    },
    live: false,
    style: (_style, text) => text,
    text: () => all,
  };
}
