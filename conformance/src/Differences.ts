/**
 * Where this library differs from OTP 25 on purpose: each with the line of `docs/semantics.md` that says so, and with what is
 * done about it. There is no other place where a difference is allowed.
 *
 * - `held off`: the BEAM is kept from showing it, in the one place where it would. A run that needed it says so.
 * - `avoided`: no scenario comes near it.
 */
export interface Difference {
  readonly id: string
  readonly handling: "held off" | "avoided"
  /** As it stands in `docs/semantics.md`. */
  readonly says: string
  /** What is done, and where. */
  readonly how: string
}

export const differences: ReadonlyArray<Difference> = [
  {
    id: "queued-request",
    handling: "held off",
    says: "a request runs even if its caller has timed out",
    how: "a server leaves out a call whose caller has given up (Server.handle_call)"
  },
  {
    id: "ending",
    handling: "held off",
    says: "it takes no message any more and is not alive; its finalizers run",
    how:
      "who is in terminate is not asked and cannot be named (Commands.ending?), and traps exits meanwhile (Server.linger)"
  },
  {
    id: "ending-just-now",
    handling: "avoided",
    says: "Linking or monitoring a process that is _ending_ gives its real reason, when it has ended.",
    how: "nobody links, monitors, calls or stops whom it has just sent an exit signal (Generator.meetsEnding)"
  },
  {
    id: "kill-follows",
    handling: "avoided",
    says: "Only the first one counts, unless a `Kill` follows",
    how: "nobody kills whom it has just sent another exit signal (Generator.meetsEnding)"
  },
  {
    id: "failed-start",
    handling: "held off",
    says: "who traps exits finds that of what it could not start",
    how: "it is taken out there, as OTP does from 26 on (Commands.consume_exit)"
  },
  {
    id: "stopped-anyway",
    handling: "held off",
    says: "stopping a server that is terminating already fails",
    how: "a stop that was too late and ends with the reason it asked for has succeeded (Commands.command)"
  },
  {
    id: "released-first",
    handling: "avoided",
    says: "The next incarnation of a child starts when the one before has released what it acquired, unless it leaks.",
    how: "no child that lives sends its supervisor an exit signal, which is taken for its end (Generator.common)"
  },
  {
    id: "orphans",
    handling: "avoided",
    says: "a killed supervisor is started again while its children still end",
    how: "nobody kills a supervisor below which somebody may take its time to end (Generator.mayBeKilled, Plans.child)"
  },
  {
    id: "period",
    handling: "avoided",
    says: "intensity is counted in whole seconds",
    how: "the period is longer than any scenario (Subjects.period, Sup.init)"
  }
]
