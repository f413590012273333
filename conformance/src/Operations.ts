/**
 * For each command of the language a scenario by hand, in which it does all that it can do.
 */
import {
  by,
  call,
  child,
  exit,
  link,
  monitor,
  outside,
  quiet,
  register,
  send,
  server,
  spawn,
  spawnHow,
  supervisor,
  take,
  trapping,
  tree
} from "./Build.ts"
import type * as Scenario from "./Scenario.ts"

/** What each reason does to one that traps exits, and to one that does not. */
const reasons: ReadonlyArray<Scenario.Reason> = ["normal", "x", "shutdown", "shutdown t", "killed", "noproc", "kill"]

export const operations: { readonly [Do in Scenario.Command["do"]]: Scenario.Scenario } = {
  spawn: [
    outside(
      spawn("p1", true),
      spawn("p2", false, "finishes"),
      spawn("p3", false, "crashes"),
      spawn("p4", false, "exits kill")
    ),
    by(
      "p1",
      spawnHow("spawnLink", "p5", "exits x"),
      spawnHow("spawnMonitor", "p6", "crashes"),
      spawnHow("spawnLink", "p7", "lives")
    ),
    by("p1", take),
    outside(exit("p7", "kill")),
    by("p1", take)
  ],
  send: [
    outside(spawn("p1"), spawn("p2"), server("s1")),
    by("p1", send("p2", "m"), send("p2", "n"), send("p1"), send("s1"), send("name a")),
    outside(register("a", "p2")),
    by("p1", send("name a")),
    by("p2", take),
    outside(exit("p2", "x")),
    by("p1", send("p2"), send("name a"), take)
  ],
  cast: [
    outside(server("s1", quiet, "x")),
    outside({ do: "cast", to: "s1", text: "m" }, { do: "cast", to: "name x", text: "n" }),
    outside({ do: "cast", to: "name y", text: "m" }),
    outside(exit("s1", "kill")),
    outside({ do: "cast", to: "s1", text: "m" })
  ],
  exit: [
    ...reasons.flatMap((reason, i) => [
      outside(spawn(`p${2 * i + 1}`, true), spawn(`p${2 * i + 2}`)),
      outside(exit(`p${2 * i + 1}`, reason), exit(`p${2 * i + 2}`, reason)),
      by(`p${2 * i + 1}`, take)
    ]),
    ...reasons.map((reason, i): Scenario.Step => by(`p${2 * i + 1}`, exit(`p${2 * i + 1}`, reason), take))
  ],
  register: [
    outside(spawn("p1"), spawn("p2")),
    outside(register("a", "p1"), register("a", "p2"), register("b", "p1")),
    outside(exit("p1", "x")),
    outside(register("a", "p2"), register("b", "p1"))
  ],
  unregister: [
    outside(spawn("p1"), register("a", "p1")),
    outside({ do: "unregister", name: "a" }, { do: "unregister", name: "a" }, register("b", "p1"))
  ],
  whereis: [
    outside(spawn("p1"), { do: "whereis", name: "a" }, register("a", "p1"), { do: "whereis", name: "a" }),
    outside(exit("p1", "kill")),
    outside({ do: "whereis", name: "a" })
  ],
  isAlive: [
    outside(spawn("p1"), spawn("p2", true), server("s1", { ...trapping, linger: 40 })),
    outside({ do: "isAlive", to: "p1" }, exit("p1", "kill"), { do: "isAlive", to: "p1" }),
    outside(exit("p2", "x"), { do: "isAlive", to: "p2" }),
    by("s1", { do: "finish" }),
    outside({ do: "isAlive", to: "s1" }),
    { advance: 120 },
    outside({ do: "isAlive", to: "s1" })
  ],
  sendAfter: [
    outside(spawn("p1"), spawn("p2"), register("a", "p2")),
    by("p1", { do: "sendAfter", as: "t1", to: "p1", text: "m", delay: 20 }),
    by("p1", { do: "sendAfter", as: "t2", to: "p2", text: "m", delay: 140 }),
    by("p1", { do: "sendAfter", as: "t3", to: "name a", text: "n", delay: 140 }),
    { advance: 120 },
    by("p1", take),
    outside(exit("p2", "x")),
    outside(register("a", "p1")),
    { advance: 120 },
    by("p1", take)
  ],
  cancelTimer: [
    outside(spawn("p1")),
    outside(
      { do: "sendAfter", as: "t1", to: "p1", text: "m", delay: 20 },
      { do: "sendAfter", as: "t2", to: "p1", text: "n", delay: 20 }
    ),
    outside({ do: "cancelTimer", timer: "t1" }, { do: "cancelTimer", timer: "t1" }),
    { advance: 120 },
    outside({ do: "cancelTimer", timer: "t2" }),
    by("p1", take)
  ],
  server: [
    outside(spawn("p1", true), spawn("p2")),
    ...["ok", "ignore", "crash", "stop x", "stop normal", "exit x"].flatMap(
      (start, i): ReadonlyArray<Scenario.Step> => {
        const plan = { ...quiet, starts: [start] }
        const more = (how: "startLink" | "startMonitor", as: Scenario.Ref): Scenario.Command => ({
          do: "server",
          as,
          how,
          name: null,
          server: plan,
          ref: how === "startMonitor" ? `of ${as}` : ""
        })
        return [
          outside(server(`s${3 * i + 1}`, plan, "x")),
          by("p1", more("startLink", `s${3 * i + 2}`)),
          by("p1", more("startMonitor", `s${3 * i + 3}`)),
          by("p1", take)
        ]
      }
    ),
    by("p2", { do: "server", as: "s30", how: "startLink", name: "x", server: quiet, ref: "" }),
    by("p2", {
      do: "server",
      as: "s31",
      how: "startLink",
      name: null,
      server: { ...quiet, starts: ["stop x"] },
      ref: ""
    })
  ],
  supervisor: [
    outside(spawn("p1", true), supervisor("r1")),
    by("p1", { do: "supervisor", as: "r2", how: "startLink", tree: { ...tree, strategy: "one_for_all" } }),
    outside(supervisor("r3", { ...tree, children: [child("a"), child("b", { ...trapping, starts: ["stop x"] })] })),
    outside(exit("r1", "shutdown"), exit("r1", "kill")),
    by("p1", exit("r2", "shutdown")),
    by("p1", take)
  ],
  call: [
    outside(server("s1", quiet, "x")),
    outside(call("s1", "reply"), call("name x", "busy 40"), call("s1", "later"), call("s1", "later", 20)),
    { advance: 120 },
    outside(call("s1", "busy 160"), call("s1", "reply", 20)),
    { advance: 240 },
    ...["crash", "stop x", "replyAndStop y", "exit normal", "exit shutdown"].flatMap((
      ask,
      i
    ): ReadonlyArray<Scenario.Step> => [
      outside(server(`s${i + 2}`)),
      outside(call(`s${i + 2}`, "later")),
      outside(call(`s${i + 2}`, ask)),
      outside(call(`s${i + 2}`, "reply"))
    ]),
    outside(call("name y", "reply"))
  ],
  stop: [
    outside(server("s1"), server("s2", { ...trapping, linger: 40 }), server("s3"), supervisor("r1")),
    outside({ do: "stop", to: "s1", reason: "normal", timeout: 0 }),
    outside({ do: "stop", to: "s1", reason: "normal", timeout: 0 }),
    outside({ do: "stop", to: "s2", reason: "x", timeout: 20 }),
    { advance: 120 },
    by("s3", { do: "busy", millis: 40 }),
    outside({ do: "stop", to: "s3", reason: "shutdown", timeout: 0 }),
    outside(exit("s3", "y")),
    outside({ do: "stop", to: "r1", reason: "normal", timeout: 0 })
  ],
  startChild: [
    outside(supervisor("r1")),
    outside({ do: "startChild", to: "r1", child: child("c") }),
    outside({ do: "startChild", to: "r1", child: child("c") }),
    outside({ do: "terminateChild", to: "r1", id: "c" }),
    outside({ do: "startChild", to: "r1", child: child("c") }),
    outside({ do: "startChild", to: "r1", child: child("d", { ...quiet, starts: ["ignore"] }) }),
    outside({ do: "startChild", to: "r1", child: child("e", { ...quiet, starts: ["stop x"] }) }),
    outside({ do: "whichChildren", to: "r1" })
  ],
  terminateChild: [
    outside(
      supervisor("r1", {
        ...tree,
        children: [child("a"), { ...child("b", { ...trapping, linger: 40 }), shutdown: 20 }]
      })
    ),
    outside({ do: "terminateChild", to: "r1", id: "a" }, { do: "terminateChild", to: "r1", id: "z" }),
    outside({ do: "terminateChild", to: "r1", id: "a" }),
    outside({ do: "terminateChild", to: "r1", id: "b" }),
    { advance: 120 },
    outside({ do: "countChildren", to: "r1" })
  ],
  restartChild: [
    outside(
      supervisor("r1", { ...tree, children: [child("a"), child("b", { ...trapping, starts: ["ok", "stop x", "ok"] })] })
    ),
    outside({ do: "restartChild", to: "r1", id: "a" }, { do: "restartChild", to: "r1", id: "z" }),
    outside({ do: "terminateChild", to: "r1", id: "b" }),
    outside({ do: "restartChild", to: "r1", id: "b" }),
    outside({ do: "restartChild", to: "r1", id: "b" })
  ],
  deleteChild: [
    outside(supervisor("r1")),
    outside({ do: "deleteChild", to: "r1", id: "a" }, { do: "deleteChild", to: "r1", id: "z" }),
    outside({ do: "terminateChild", to: "r1", id: "a" }),
    outside({ do: "deleteChild", to: "r1", id: "a" }),
    outside({ do: "whichChildren", to: "r1" })
  ],
  whichChildren: [
    outside(supervisor("r1", {
      ...tree,
      children: [
        child("a"),
        { ...child("b"), kind: "supervisor", ...tree, children: [child("a")] },
        { ...child("c", { ...quiet, starts: ["ok"] }), restart: "transient" }
      ]
    })),
    by("r1/c", { do: "finish" }),
    outside({ do: "whichChildren", to: "r1" }, { do: "whichChildren", to: "r1/b" })
  ],
  countChildren: [
    outside(supervisor("r1", { ...tree, children: [child("a"), { ...child("b"), kind: "supervisor", ...tree }] })),
    outside({ do: "terminateChild", to: "r1", id: "a" }),
    outside({ do: "countChildren", to: "r1" })
  ],
  link: [
    outside(spawn("p1"), spawn("p2"), spawn("p3", true), spawn("p4")),
    by("p1", link("p1"), link("p2"), link("p3")),
    outside(exit("p4", "x")),
    by("p2", link("p4")),
    by("p3", link("p4"), take),
    outside(exit("p2", "x")),
    by("p3", take)
  ],
  unlink: [
    outside(spawn("p1", true), spawn("p2"), spawn("p3")),
    by("p1", link("p2"), link("p3")),
    outside(exit("p2", "x")),
    by("p1", { do: "unlink", to: "p2" }, { do: "unlink", to: "p3" }),
    outside(exit("p3", "x")),
    by("p1", take)
  ],
  monitor: [
    outside(spawn("p1"), spawn("p2"), server("s1"), register("a", "p2")),
    by(
      "p1",
      monitor("m1", "p2"),
      monitor("m2", "p2"),
      monitor("m3", "name a"),
      monitor("m4", "name b"),
      monitor("m5", "p1")
    ),
    by("s1", monitor("m6", "p2")),
    by("p2", send("p1")),
    outside(exit("p2", "kill")),
    by("p1", monitor("m7", "p2"), take)
  ],
  demonitor: [
    outside(spawn("p1"), spawn("p2"), spawn("p3")),
    by("p1", monitor("m1", "p2"), monitor("m2", "p2"), monitor("m3", "p3"), monitor("m4", "p2")),
    outside(exit("p2", "x")),
    by("p1", { do: "demonitor", ref: "m1", flush: false }, { do: "demonitor", ref: "m2", flush: true }),
    by("p1", { do: "demonitor", ref: "m3", flush: false }, { do: "demonitor", ref: "m3", flush: false }),
    outside(exit("p3", "x")),
    by("p1", take)
  ],
  trap: [
    outside(spawn("p1")),
    by("p1", { do: "trap", on: true }, { do: "trap", on: true }),
    outside(exit("p1", "x")),
    by("p1", { do: "trap", on: false }),
    by("p1", take),
    outside(exit("p1", "y"))
  ],
  exitSelf: ["normal", "x", "kill", "shutdown t"].flatMap((reason, i): ReadonlyArray<Scenario.Step> => [
    outside(spawn(`p${2 * i + 1}`, true), spawn(`p${2 * i + 2}`), server(`s${i + 1}`)),
    by(`p${2 * i + 2}`, link(`p${2 * i + 1}`), { do: "exitSelf", reason }),
    by(`s${i + 1}`, link(`p${2 * i + 1}`), { do: "exitSelf", reason }),
    by(`p${2 * i + 1}`, take)
  ]),
  crash: [
    outside(spawn("p1", true), spawn("p2"), server("s1")),
    by("p1", link("p2"), link("s1")),
    by("p2", { do: "crash" }),
    by("s1", { do: "crash" }),
    by("p1", take)
  ],
  finish: [
    outside(spawn("p1", true), spawn("p2"), server("s1")),
    by("p1", link("p2"), link("s1")),
    by("p2", { do: "finish" }),
    by("s1", { do: "finish" }),
    by("p1", take)
  ],
  take: [outside(spawn("p1"), send("p1", "m"), send("p1", "n")), by("p1", take), by("p1", take), outside(take)],
  receive: [
    outside(spawn("p1"), send("p1", "m"), send("p1", "n")),
    by("p1", { do: "receive", text: "n", after: 0 }, { do: "receive", text: "n", after: 0 }),
    by("p1", { do: "receive", text: "n", after: 20 }, take),
    outside(send("p1", "m")),
    { advance: 120 },
    by("p1", { do: "receive", text: "n", after: 140 }),
    outside(send("p1", "n")),
    by("p1", take)
  ],
  answer: [
    outside(server("s1")),
    outside(call("s1", "later")),
    by("s1", { do: "answer" }, { do: "answer" }),
    outside(call("s1", "later", 20)),
    { advance: 120 },
    by("s1", { do: "answer" })
  ],
  busy: [
    outside(server("s1"), server("s2", trapping)),
    by("s1", { do: "busy", millis: 40 }),
    by("s2", { do: "busy", millis: 40 }),
    outside(send("s1"), call("s1", "reply"), call("s2", "reply")),
    outside(exit("s1", "x"), exit("s2", "x")),
    { advance: 120 }
  ],
  stopSelf: [
    outside(server("s1"), server("s2", trapping), spawn("p1")),
    by("s1", { do: "stopSelf", reason: "x" }),
    by("s2", { do: "stopSelf", reason: "normal" }),
    by("p1", { do: "stopSelf", reason: "x" })
  ]
}
