/**
 * The tour itself: which examples, in which order, what is said about them, and what they must show.
 */
import * as pingPong from "../10_process-ping-pong.ts"
import * as link from "../20_link.ts"
import * as tasks from "../25_tasks.ts"
import * as counter from "../30_counter.ts"
import * as strategies from "../40_supervisor-strategies.ts"
import * as rateLimiter from "../50_rate-limiter.ts"
import * as million from "../60_million-processes.ts"
import * as promiseServer from "../70_promise-server.ts"
import * as door from "../90_state-machine.ts"
import * as Claim from "./Claim.ts"
import * as Step from "./Step.ts"

export const steps = (options: {
  /** How many processes the last but one step spawns; a multiple of 100. */
  readonly processes: number
  /** How it tells its progress; by printing lines if not given. */
  readonly report?: million.Report | undefined
}): ReadonlyArray<Step.Step> => [
  Step.make({
    title: "Two processes that talk",
    about: `A process is a fiber with a mailbox and an address, its Pid. Its type says what the mailbox may hold, so
      a message of the wrong shape does not compile. Here one process sends three pings and waits for a pong
      to each.`,
    file: "10_process-ping-pong.ts",
    show: ["const ponger", "const pinger"],
    program: pingPong.program,
    claims: ({ pingerEnded, pongerEnded }, printed) => [
      Claim.equal(
        "Three pings, each answered by its pong before the next.",
        printed.slice(0, 6).map((line) => line.trim()),
        ["ping 1", "pong 1", "ping 2", "pong 2", "ping 3", "pong 3"]
      ),
      Claim.equal("The pinger's body returned, so it ended normally.", pingerEnded._tag, "Normal"),
      Claim.equal("The ponger ended because it was told to.", pongerEnded._tag, "Shutdown")
    ]
  }),
  Step.make({
    title: "Who dies with whom",
    about: `A link joins two processes: when one ends abnormally, so does the other, and so on along every link.
      Whoever traps exits gets a message instead. A monitor only watches. On this, and on nothing else,
      supervisors are built.`,
    file: "20_link.ts",
    show: ["const family", "const trapper", "const watcher"],
    program: link.program,
    claims: ({ linked, normal, trapping, watching }, printed) => [
      Claim.equal("The crash of a child ended its linked parent.", linked._tag, "Crashed"),
      Claim.that(
        "It went on through the parent and ended the other child.",
        printed.includes("  the idle child goes too")
      ),
      Claim.equal("A child that ended normally took nobody along.", normal._tag, "Normal"),
      Claim.equal("A parent that traps exits got the crash as a message, and lived.", trapping._tag, "Normal"),
      Claim.equal("A watcher got the crash as a message, and lived.", watching._tag, "Normal")
    ]
  }),
  Step.make({
    title: "Work that may fail",
    about: `A task is a process that does one thing and answers its owner. One that takes too long is asked for what
      it has, and ended. A stream of tasks works on many items, two at once here. The weather service is
      having a bad day: it fails for Bremen, crashes for Cottbus and hangs for Dresden.`,
    file: "25_tasks.ts",
    show: ["const both", "const atMost", "const all"],
    program: tasks.program,
    claims: (lines, printed) => [
      Claim.equal("Two tasks answered their owner.", lines.slice(0, 2), ["sunny in Aachen", "sunny in Essen"]),
      Claim.equal("One that gave no answer in time was ended.", lines[2], "Dresden took too long"),
      Claim.equal("Of a stream, each item has its own result, in the order of the items.", lines.slice(3), [
        "sunny in Aachen",
        "failed: no such station",
        "ended: Crashed: Error: a bug",
        "Timeout",
        "sunny in Essen"
      ]),
      Claim.equal("The crash cost the owner nothing, since it traps exits.", printed.at(-1), "the owner ended: Normal")
    ]
  }),
  Step.make({
    title: "A counter",
    about: `A GenServer is a process that owns a state and answers requests one at a time. The list of requests is
      the type of its client and of its handlers. A cast is sent and forgotten, a call waits for its answer.`,
    file: "30_counter.ts",
    show: ["class Counter", "const program"],
    program: counter.program,
    claims: (value, printed) => [
      Claim.equal("From 0, incremented three times, the value is 3.", value, 3),
      Claim.equal("It printed 3.", printed, ["3"])
    ]
  }),
  Step.make({
    title: "A door with a code",
    about: `A state machine is a server in which the same request means something else in each state. One that cannot
      be answered yet is postponed until the state changes, and a state may have a time limit. A state that
      forgets a request does not compile.`,
    file: "90_state-machine.ts",
    show: ["class Door"],
    program: door.program,
    claims: (_, printed) => [
      Claim.equal("The third wrong code jammed it.", printed.slice(0, 3), [
        "0000: wrong",
        "1111: wrong",
        "2222: jammed"
      ]),
      Claim.equal("The code that came while it was jammed was answered after the repair.", printed.slice(3, 5), [
        "somebody repairs it",
        "1234: welcome"
      ]),
      Claim.equal("Open, it asks for no code.", printed[5], "anything: guest 2"),
      Claim.equal("After its second it closed by itself.", printed.slice(6), ["anything: wrong"])
    ]
  }),
  Step.make({
    title: "Crash, restart, escalate",
    about: `A supervisor restarts its children by one of three strategies: the one that crashed, that one and those
      started after it, or all. More crashes than its intensity allows, and it gives up and lets its own
      supervisor decide. Everything below is told by the children themselves, as they start and stop.`,
    file: "40_supervisor-strategies.ts",
    show: ["const child", "const crash"],
    program: strategies.program,
    claims: ({ escalation, oneForAll, oneForOne, restForOne }) => [
      Claim.equal("one_for_one restarts b alone.", oneForOne.restart, "b stops, b starts"),
      Claim.equal(
        "rest_for_one restarts b, and c, which was started after it.",
        restForOne.restart,
        "b stops, c stops, b starts, c starts"
      ),
      Claim.equal(
        "one_for_all restarts all: stopped in reverse, started in order.",
        oneForAll.restart,
        "b stops, c stops, a stops, a starts, b starts, c starts"
      ),
      Claim.that(
        "Each tree ends in reverse order of start.",
        [oneForOne, restForOne, oneForAll].every(({ stop }) => stop === "c stops, b stops, a stops")
      ),
      Claim.equal("Two crashes are within the intensity: b is restarted.", escalation.slice(0, 2), [
        "b stops, b starts",
        "b stops, b starts"
      ]),
      Claim.equal(
        "The third is one too many: the supervisor ends, its parent restarts the branch.",
        escalation[2],
        "b stops, c stops, a stops, a starts, b starts, c starts"
      )
    ]
  }),
  Step.make({
    title: "A rate limiter under fire",
    about: `At most 20 requests a minute for each client, kept by one supervised server. Five processes make 20
      requests each, all at once. To be refused is a typed failure, RateLimited, not an exception.`,
    file: "50_rate-limiter.ts",
    show: ["const limiter", "const requester", "const fire"],
    program: rateLimiter.program,
    claims: ({ fiveClients, oneClient }) => [
      Claim.equal("One client between five processes: exactly 20 allowed, 80 RateLimited.", oneClient, {
        allowed: 20,
        limited: 80
      }),
      Claim.equal("Five clients, one each: all 100 allowed.", fiveClients, { allowed: 100, limited: 0 })
    ]
  }),
  Step.make({
    title: `${options.processes.toLocaleString("en")} processes`,
    about: `Processes are cheap enough to have one for every user, session or device. All of these are alive at the
      same time; then each of them gets a message, and answers it.`,
    file: "60_million-processes.ts",
    show: ["const answerer", "const spawnAll"],
    program: million.millionProcesses(options.processes, options.report),
    claims: ({ alive, answersAddUp, bytesEach }) => [
      Claim.equal(`${options.processes.toLocaleString("en")} were alive at the same time.`, alive, options.processes),
      Claim.that("Each of them got its message and answered it.", answersAddUp),
      Claim.that("A process takes less than 4,000 bytes of heap.", bytesEach < 4000, `it takes ${bytesEach}`)
    ]
  }),
  Step.make({
    title: "A server behind Promise code",
    about: `Nothing around it has to be Effect: a web framework's async handlers ask one ManagedRuntime. A typed
      failure becomes a status code. A bug costs the one request that met it; the supervisor starts a fresh
      server.`,
    file: "70_promise-server.ts",
    show: ["const buy", "const makeApp"],
    program: promiseServer.program,
    claims: ([first, second, soldOut, jammed, afterwards]) => [
      Claim.equal("Two tickets were sold.", [first, second], ["201 {\"ticket\":1}", "201 {\"ticket\":2}"]),
      Claim.equal("The third was refused by a typed failure.", soldOut, "409 {\"error\":\"sold out\"}"),
      Claim.equal("The bug failed its own request.", jammed, "500 {\"error\":\"out of order\"}"),
      Claim.equal("The next request met a fresh server.", afterwards, "201 {\"ticket\":1}")
    ]
  })
]
