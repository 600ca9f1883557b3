import { decodePublish, type ReceivedPublish } from "./decode-publish.ts";
import { PUBLISH, RETAIN } from "./publish-bytes.ts";

/** First byte of a CONNACK, with which every broker begins (MQTT 5, 3.2.1), and of an AUTH. */
const CONNACK = 0x20;
const AUTH = 0xf0;
/** First byte of a TLS alert (RFC 8446, 5.1), which answers what is no TLS. */
const TLS_ALERT = 0x15;

/** What follows the fixed header of a packet. */
interface Body {
  readonly start: number;
  readonly end: number;
}

/** What an {@link Inlet} is made from. */
export interface InletInit {
  readonly version: 4 | 5;
  readonly maxPacketBytes: number;
  /** Takes the bytes that are the library's to read. */
  rest(bytes: Buffer): void;
}

/**
 * Where the bytes of a broker arrive. Sees to it that it begins as brokers do, and that no packet is longer than allowed (the library would
 * collect up to 256 MiB for one). Messages at QoS 0, which is most of what comes, it reads itself where they came in one piece; the library has
 * the rest, and what follows while it has not read that: the order stays.
 */
export class Inlet {
  readonly #init: InletInit;
  #arrived: ((message: ReceivedPublish) => void) | undefined;
  #begun = false;
  /** Bytes of the present packet that are still to come. */
  #body = 0;
  /** Position in the fixed header: 0 is the type, 1 to 4 the remaining length. */
  #at = 0;
  #length = 0;
  /** Packets that the library has got, at least the beginning, and not read. */
  #unread = 0;

  constructor(init: InletInit) {
    this.#init = init;
  }

  /** From now on messages are read here. */
  deliverTo(arrived: (message: ReceivedPublish) => void): void {
    this.#arrived = arrived;
  }

  /** The library has read a packet. */
  read(): void {
    this.#unread--;
  }

  /** Takes the next bytes. @returns what is wrong with them; nothing when all is well */
  take(chunk: Buffer): string | undefined {
    let kept = 0;
    let index = this.#skipBody(chunk, 0);
    while (index < chunk.length) {
      const body = this.#messageAt(chunk, index);
      if (body) {
        this.#pass(chunk, kept, index);
        kept = index;
        if (this.#deliver(chunk, index, body)) {
          kept = body.end;
          index = body.end;
          continue;
        }
      }
      const problem = this.#header(chunk[index] as number);
      if (problem !== undefined) return problem;
      index = this.#skipBody(chunk, index + 1);
    }
    this.#pass(chunk, kept, chunk.length);
    return undefined;
  }

  /** Takes a byte of a fixed header. */
  #header(byte: number): string | undefined {
    if (this.#at === 0) {
      if (!this.#begun && byte === TLS_ALERT) return "what answers wants TLS: say mqtts:";
      if (!this.#begun && byte !== CONNACK && byte !== AUTH) return "what answers is no MQTT broker";
      this.#begun = true;
      this.#unread++;
      this.#at = 1;
      this.#length = 0;
      return undefined;
    }
    const { maxPacketBytes } = this.#init;
    this.#length += (byte & 0x7f) * 128 ** (this.#at - 1);
    if ((byte & 0x80) !== 0) return ++this.#at > 4 ? "a packet has no valid length" : undefined;
    if (this.#length > maxPacketBytes)
      return `a packet of ${this.#length} bytes came, and ${maxPacketBytes} are allowed`;
    this.#body = this.#length;
    this.#at = 0;
    return undefined;
  }

  #skipBody(chunk: Buffer, index: number): number {
    const taken = Math.min(this.#body, chunk.length - index);
    this.#body -= taken;
    return index + taken;
  }

  /** The message at QoS 0 that begins here; undefined where none does, or not all of it has come. */
  #messageAt(chunk: Buffer, index: number): Body | undefined {
    if (!this.#arrived || this.#at !== 0 || ((chunk[index] as number) & ~RETAIN) !== PUBLISH) return undefined;
    const body = bodyAt(chunk, index);
    return body && body.end - body.start <= this.#init.maxPacketBytes ? body : undefined;
  }

  /** Hands a message over; not while the library has others, nor if it is for the library to judge. */
  #deliver(chunk: Buffer, index: number, { start, end }: Body): boolean {
    if (this.#unread > 0) return false;
    const message = decodePublish(this.#init.version, chunk[index] as number, chunk, start, end);
    if (message) this.#arrived?.(message);
    return message !== undefined;
  }

  #pass(chunk: Buffer, start: number, end: number): void {
    if (end > start) this.#init.rest(chunk.subarray(start, end));
  }
}

/** The body of the packet that begins here, by its remaining length (MQTT 5, 2.1.4); undefined when not all of it is here. */
function bodyAt(chunk: Buffer, index: number): Body | undefined {
  let length = 0;
  for (let at = index + 1, shift = 0; at < chunk.length && shift < 28; at++, shift += 7) {
    const byte = chunk[at] as number;
    length |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    const end = at + 1 + length;
    return end <= chunk.length ? { start: at + 1, end } : undefined;
  }
  return undefined;
}
