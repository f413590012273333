/**
 * Scenarios in which things happen at once, on purpose. What the BEAM does in them is recorded many times, on one scheduler
 * and on all; this library has to do one of these things.
 */
import {
  by,
  call,
  child,
  exit,
  link,
  monitor,
  outside,
  register,
  send,
  server,
  spawn,
  supervisor,
  take,
  trapping,
  tree
} from "./Build.ts"
import type * as Scenario from "./Scenario.ts"

const at = (actor: Scenario.Actor, ...commands: ReadonlyArray<Scenario.Command>): Scenario.Part => ({
  by: actor,
  do: commands
})

/** `p1` traps exits, and is linked to `p2` and monitors it. */
const watched: Scenario.Scenario = [
  outside(spawn("p1", true), spawn("p2"), spawn("p3"), spawn("p4")),
  by("p1", link("p2"), monitor("m1", "p2"))
]

const seen = by("p1", take)

const group = (strategy: Scenario.SupervisorPlan["strategy"], intensity: number): Scenario.Step =>
  outside(supervisor("r1", { ...tree, strategy, intensity, children: [child("a"), child("b"), child("c")] }))

const children = outside({ do: "whichChildren", to: "r1" })

export const races: Readonly<Record<string, Scenario.Scenario>> = {
  "two killers": [...watched, [at("p3", exit("p2", "x")), at("p4", exit("p2", "y"))], seen],
  "a killer and a kill": [...watched, [at("p3", exit("p2", "x")), at("p4", exit("p2", "kill"))], seen],
  "an exit and a normal end": [...watched, [at("p2", { do: "finish" }), at("p3", exit("p2", "x"))], seen],
  "an exit and a crash": [...watched, [at("p3", exit("p2", "x")), at("p2", { do: "crash" })], seen],
  "an exit and trapping it": [...watched, [at("p2", { do: "trap", on: true }), at("p3", exit("p2", "x"))], seen],
  "an exit and a link": [...watched, [at("p3", link("p2")), at("p4", exit("p2", "x"))], seen],
  "an exit and no link any more": [...watched, [at("p1", { do: "unlink", to: "p2" }), at("p4", exit("p2", "x"))], seen],
  "an exit and a monitor": [...watched, [at("p1", monitor("m2", "p2")), at("p4", exit("p2", "x"))], seen],
  "an exit and no monitor any more": [
    ...watched,
    [at("p4", exit("p2", "x")), at("p1", { do: "demonitor", ref: "m1", flush: false })],
    seen
  ],
  "an exit and a message": [...watched, [at("p2", send("p1", "m")), at("p4", exit("p2", "x"))], seen],
  "two ends that take a third along": [
    outside(spawn("p1"), spawn("p2"), spawn("p3"), spawn("p4", true)),
    by("p1", link("p2"), link("p3"), link("p4")),
    [at("p2", { do: "exitSelf", reason: "x" }), at("p3", { do: "exitSelf", reason: "y" })],
    by("p4", take)
  ],
  "two who want one name": [
    ...watched,
    [at("p3", register("a", "p3")), at("p4", register("a", "p4"))],
    outside({ do: "whereis", name: "a" })
  ],
  "a name and the end of its holder": [
    ...watched,
    outside(register("a", "p2")),
    [at("p2", { do: "finish" }), at("p3", register("a", "p3"))],
    outside({ do: "whereis", name: "a" })
  ],
  "a call and an exit": [outside(server("s1")), [at("outside", call("s1", "reply")), at("outside", exit("s1", "x"))]],
  "a call and a kill": [outside(server("s1")), [at("outside", exit("s1", "kill")), at("outside", call("s1", "reply"))]],
  "a call and a stop": [
    outside(server("s1")),
    [at("outside", call("s1", "reply")), at("outside", { do: "stop", to: "s1", reason: "x", timeout: 0 })]
  ],
  "a call that ends a server, and another call": [
    outside(server("s1")),
    [at("outside", call("s1", "stop x")), at("outside", call("s1", "reply"))]
  ],
  "an answer and an exit": [
    outside(server("s1"), spawn("p1")),
    outside(call("s1", "later")),
    [at("s1", { do: "answer" }), at("p1", exit("s1", "x"))]
  ],
  "two stops with two reasons": [
    outside(server("s1", trapping)),
    [
      at("outside", { do: "stop", to: "s1", reason: "x", timeout: 0 }),
      at("outside", { do: "stop", to: "s1", reason: "y", timeout: 0 })
    ]
  ],
  "a stop and a crash": [
    outside(server("s1", trapping)),
    [at("s1", { do: "crash" }), at("outside", { do: "stop", to: "s1", reason: "normal", timeout: 0 })]
  ],
  "two ends under one_for_one": [
    group("one_for_one", 1),
    [at("outside", exit("r1/a", "kill")), at("outside", exit("r1/b", "kill"))],
    children
  ],
  "two ends under one_for_all": [
    group("one_for_all", 1),
    [at("outside", exit("r1/a", "kill")), at("outside", exit("r1/b", "kill"))],
    children
  ],
  "two ends under rest_for_one": [
    group("rest_for_one", 2),
    [at("outside", exit("r1/a", "kill")), at("outside", exit("r1/c", "kill"))],
    children
  ],
  "a child that is terminated, and ends": [
    group("one_for_one", 1),
    [at("outside", { do: "terminateChild", to: "r1", id: "a" }), at("outside", exit("r1/a", "kill"))],
    children
  ],
  "a child that is started twice": [
    group("one_for_one", 1),
    [
      at("outside", { do: "startChild", to: "r1", child: child("d") }),
      at("outside", { do: "startChild", to: "r1", child: child("d") })
    ],
    children
  ],
  "a child that ends while its tree is stopped": [
    group("one_for_one", 0),
    [
      at("outside", exit("r1/a", "kill")),
      at("outside", { do: "stop", to: "r1", reason: "normal", timeout: 0 })
    ]
  ],
  "a call and the end of a child": [
    group("one_for_one", 1),
    [at("outside", call("r1/a", "reply")), at("outside", { do: "terminateChild", to: "r1", id: "a" })],
    children
  ],
  "a give-up and a new child": [
    group("one_for_one", 0),
    [
      at("outside", exit("r1/a", "kill")),
      at("outside", { do: "startChild", to: "r1", child: child("d") })
    ]
  ]
}
