import { connect, Socket } from "node:net";

// A program that stands where a child process is to stand: its stdin and stdout are carried, byte by byte, to a TCP port of this machine.
/** EX_UNAVAILABLE of sysexits.h: nobody listens there. */
const UNAVAILABLE = 69;
/** The connection was reset. */
const RESET = 70;

const [, , host = "127.0.0.1", port] = process.argv;
const socket = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
/** `process.stdout` never ends. */
const out = new Socket({ fd: 1, readable: false, writable: true });
let connected = false;
let ended = false;
socket.on("connect", () => {
  connected = true;
});
socket.on("error", () => process.exit(connected ? RESET : UNAVAILABLE));
socket.on("data", (chunk: Buffer) => {
  if (!out.write(chunk)) {
    socket.pause();
    out.once("drain", () => socket.resume());
  }
});
// The far side has ended: what it said is written out before this program ends as well.
socket.on("end", () => {
  ended = true;
  out.end(() => process.exit(0));
});
socket.on("close", () => {
  if (!ended) process.exit(0);
});
out.on("error", () => socket.destroy());
process.stdin.on("error", () => socket.destroy());
process.stdin.pipe(socket);
