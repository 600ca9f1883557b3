import type { BodyChunk } from "./upload-stream.ts";

/** A form with files, on its way as `multipart/form-data` (RFC 7578, names escaped as the HTML standard does). */
export interface Multipart {
  readonly contentType: string;
  readonly contentLength: number;
  /** The whole body; may be read again for another attempt. */
  stream(): AsyncIterable<BodyChunk>;
}

/** Writes a form. The files in it are read as they are sent. */
export function multipart(form: FormData): Multipart {
  const boundary = `----parley-${crypto.randomUUID()}`;
  const parts: (Uint8Array | Blob)[] = [];
  const encoder = new TextEncoder();
  const write = (text: string): void => void parts.push(encoder.encode(text));
  for (const [name, value] of form) {
    const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(normalized(name))}"`;
    if (typeof value === "string") write(`${disposition}\r\n\r\n${normalized(value)}\r\n`);
    else {
      const type = value.type || "application/octet-stream";
      write(`${disposition}; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`);
      parts.push(value);
      write("\r\n");
    }
  }
  write(`--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: parts.reduce((sum, part) => sum + (part instanceof Blob ? part.size : part.length), 0),
    async *stream() {
      for (const part of parts) {
        if (part instanceof Blob) yield* part.stream();
        else yield part;
      }
    },
  };
}

function escaped(name: string): string {
  return name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}

/** Line ends of a form are CRLF. */
function normalized(text: string): string {
  return text.replaceAll(/\r?\n|\r(?!\n)/g, "\r\n");
}
