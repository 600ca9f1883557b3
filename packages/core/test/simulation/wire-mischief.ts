import type { Envelope } from "../../src/envelope/envelope.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { OpenChannel } from "../../src/transport/channel/channel.ts";
import type { SessionKeeper } from "../../src/transport/session/keeper.ts";
import type { Connection } from "../../src/transport/transport.ts";

/** What a test can have the sides of a wire do wrong: each is given its end of every channel, and makes of it what it uses instead. */
export interface WireMischief {
  near?(open: OpenChannel, runtime: Runtime): OpenChannel;
  far?(open: OpenChannel, runtime: Runtime): OpenChannel;
  /** In place of what moves calls that were never written, where a session is lost; `latest` is the connection that was dialled last. */
  move?(move: SessionKeeper["move"], runtime: Runtime, latest: () => Connection | undefined): SessionKeeper["move"];
  /** What the server runs on. */
  serverRuntime?(runtime: Runtime): Runtime;
  /** Everybody is the same to the server. */
  readonly ignoresPrincipals?: boolean;
}

/** What becomes of the messages at one end; one that is undefined is lost. */
export interface Tampering {
  /** What this side writes. */
  wrote?(message: Envelope): Envelope | undefined;
  /** What this side reads. */
  read?(message: Envelope): Envelope | undefined;
}

/** An end of a channel whose messages are tampered with; `make` makes what does so, for each channel. */
export function tampered(make: () => Tampering): (open: OpenChannel) => OpenChannel {
  return (open) => (events) => {
    const { wrote = (message) => message, read = (message) => message } = make();
    const channel = open({
      ...events,
      frame: (frame) => {
        const message = read(messageOf(frame));
        if (message) events.frame(JSON.stringify(message));
      },
    });
    return {
      write: (frames) => {
        const messages = frames.map((frame) => wrote(messageOf(frame)));
        return channel.write(messages.filter((message) => message !== undefined).map((one) => JSON.stringify(one)));
      },
      close: (reason) => channel.close(reason),
    };
  };
}

/** The message in a frame, with the attributes of its hop. */
export function messageOf(frame: string): Envelope {
  return JSON.parse(frame) as Envelope;
}
