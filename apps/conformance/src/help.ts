import { builtIn } from "./subjects/index.ts";

/** What `--help` prints. */
export const help: string = `parley-conformance: holds transports to what they promise, and to what every Parley wire owes.

Usage: parley-conformance [options]
       parley-conformance compare <before.json> <after.json> [--json]

What to run
  --transport <list>    ${builtIn.join(", ")}, the name of a package that declares a subject, or the
                        path of a module that exports one, as in --transport ws,./my-wire.ts
                        (default: those that the project has installed, or declares)
  --command <line>      a program in another language that serves the fixture's operations over its
                        stdin and stdout, as in --command "python3 peer.py"; see the README
  --url <list>          where brokers are, for the wires that need one, as in --url mqtt://10.0.0.5
                        (default: one is started, else at the usual port of this machine); or servers
                        of your own that serve the suite's agent, as in --url ws://127.0.0.1:7070
  --profile <name>      quick, or full: larger numbers, for every night (default: quick)
  --only <list>         groups or scenarios, as in --only ENV,RR-02 (default: all)
  --repeat <n>          run each scenario n times; one failure in n is a failure
  --seed <text>         makes the same choices as the run that printed it (default: a new one)
  --time-scale <n>      multiplies all times (default: measured at the start)
  --mutants             run the transports that are broken on purpose, and print which scenario
                        noticed which

What to say
  --html <file>         one self-contained page
  --json <file>         everything, for programs
  --junit <file>        for CI
  --certificate <dir>   a file per wire, for programs, with a digest; compare tells two apart
  --badge <dir>         an SVG image per wire
  --list                print the catalogue, or what --only leaves of it
  --help, --version

What counts
  --strict              a SHOULD that does not hold is a failure
  --min-graded <n>      fewer judged scenarios than this on any wire is a failure (default: 1)

Exit codes
  0  every expectation that applies holds
  1  one does not hold, a wire was blocked, or too little was judged
  2  the suite or the declaration of a subject is at fault, or the command line is wrong
`;
