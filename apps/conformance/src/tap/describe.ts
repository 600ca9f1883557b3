/** A frame in a few words: its kind and operation where it is an event, else its beginning. */
export function describeFrame(frame: string): string {
  const kind = /"kind":"([a-z-]+)"/.exec(frame)?.[1];
  const type = /"type":"([^"]{1,60})"/.exec(frame)?.[1];
  const seq = /"seq":(\d+)/.exec(frame)?.[1];
  if (kind === undefined) return `${Buffer.byteLength(frame)} bytes: ${excerpt(frame)}`;
  return [kind, seq === undefined ? "" : `#${seq}`, type ?? "", `(${Buffer.byteLength(frame)} bytes)`]
    .filter(Boolean)
    .join(" ");
}

/** A chunk of bytes in a few words. */
export function describeBytes(chunk: Buffer): string {
  return `${chunk.length} bytes: ${excerpt(chunk.toString("latin1", 0, 80))}`;
}

function excerpt(text: string): string {
  const visible = text.slice(0, 48).replace(/[^\x20-\x7e]+/g, "·");
  return text.length > 48 ? `${visible}…` : visible;
}
